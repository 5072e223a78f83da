"""The edges that a model sums over, with the weight of each."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class WeightedEdges(NamedTuple):
    """``edge_index`` (2, E'), self-loops included where the model has them, and ``weight`` (E',)."""

    edge_index: Tensor
    weight: Tensor


def normalised(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> WeightedEdges:
    r""":math:`\hat A = D^{-1/2} (A + I) D^{-1/2}`; a self-loop that is there already is not doubled."""
    from torch_geometric.nn.conv.gcn_conv import gcn_norm

    return WeightedEdges(*gcn_norm(edge_index, num_nodes=num_nodes, dtype=dtype))


def averaged(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> WeightedEdges:
    """Every edge by one over the in-degree of its destination: a mean over in-neighbours."""
    in_degree = torch.bincount(edge_index[1], minlength=num_nodes).to(dtype)
    return WeightedEdges(edge_index, in_degree.reciprocal()[edge_index[1]])


def looped(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> WeightedEdges:
    """The edges and one self-loop at every node, each by one; a self-loop that is there already is not doubled."""
    from torch_geometric.utils import add_self_loops, remove_self_loops

    edges, _ = add_self_loops(remove_self_loops(edge_index)[0], num_nodes=num_nodes)
    return summed(edges, num_nodes, dtype)


def summed(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> WeightedEdges:
    """Every edge by one."""
    return WeightedEdges(edge_index, torch.ones(edge_index.shape[1], dtype=dtype, device=edge_index.device))
