"""What lives on edges: the similarity of both ends, and its distribution over a node's in-neighbours."""

from __future__ import annotations

import math
from typing import Literal, get_args

from torch import Tensor
from torch.linalg import vector_norm

from workbench.errors import UsageError
from workbench.methods.rows import unit_rows

EdgeKernel = Literal["rbf", "l2", "poly", "linear", "laplace", "cosine", "cosine_squared", "l2_norm"]


def similarity(features: Tensor, edge_index: Tensor, kernel: EdgeKernel = "rbf", sigma: float = 1.0) -> Tensor:
    r"""Similarity of the two ends of every edge.

    ``rbf`` :math:`e^{-\|z_i - z_j\|^2 / 2\sigma^2}`, ``l2`` :math:`+\|z_i - z_j\|^2`, ``poly``
    :math:`(z_i^\top z_j)^2`, ``linear`` :math:`z_i^\top z_j` (LSP paper); ``laplace``
    :math:`e^{-\|z_i - z_j\|_1 / 100}` (LSP code); ``cosine``, ``cosine_squared`` and ``l2_norm``
    :math:`\|z_i - z_j\|` (G-CRD code).

    Shapes: features (N, d), edge_index (2, E) -> (E,). Raises UsageError for another kernel.
    """
    if kernel in ("cosine", "cosine_squared"):
        features = unit_rows(features)
    first, second = features[edge_index[0]], features[edge_index[1]]  # (E, d) each
    match kernel:
        case "rbf":
            return ((first - second).square().sum(1) / (-2 * sigma**2)).exp()
        case "l2":
            return (first - second).square().sum(1)
        case "poly" | "cosine_squared":
            return (first * second).sum(1).square()
        case "linear" | "cosine":
            return (first * second).sum(1)
        case "laplace":
            return ((first - second).abs().sum(1) / -100).exp()
        case "l2_norm":
            return vector_norm(first - second, dim=1)
    raise UsageError(f"unknown kernel {kernel!r}: kernels are {', '.join(get_args(EdgeKernel))}")


def edge_log_softmax(scores: Tensor, centre: Tensor, num_nodes: int) -> Tensor:
    """Log-probability of every edge among the edges of its centre node.

    Shapes: scores (E,), centre (E,) node indices below ``num_nodes`` -> (E,). Duplicate edges count
    each; nodes without edges have no distribution and take no part.
    """
    top = scores.new_full((num_nodes,), -math.inf)
    top = top.scatter_reduce(0, centre, scores.detach(), "amax")  # (N,)
    shifted = scores - top[centre]  # (E,) at most 0: the exponential cannot overflow
    total = scores.new_zeros(num_nodes).index_add(0, centre, shifted.exp())  # (N,)
    return shifted - total[centre].log()
