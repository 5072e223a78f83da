"""How similar a node is to each of its neighbours, as a distribution, and how far two of these are apart.

The quantities of the local structure preserving loss (Yang et al., CVPR 2020, arXiv 2003.10477), node by node.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError, check_choice

Kernel = Literal["rbf", "l2", "poly", "linear", "laplace", "cosine", "cosine_squared", "l2_norm"]
Direction = Literal["student_teacher", "teacher_student"]
Floats = NDArray[np.float64]

BOUNDED = ("rbf", "laplace", "cosine", "cosine_squared")  # similarities between -1 and 1
LAPLACE_WIDTH = 100.0  # in the authors' code
BLOCK = 2**16  # numbers of one block of gathered features: it stays in the processor's cache


def neighbour_log_distribution(
    features: ArrayLike, edge_index: ArrayLike, num_nodes: int, kernel: Kernel = "rbf", sigma: float = 1.0
) -> Floats:
    r"""Log-probability of every edge among the in-edges of its destination.

    .. math:: \log LS_{ij} = \mathrm{SIM}(z_i, z_j) - \log \sum_{k \in N(i)} e^{\mathrm{SIM}(z_i, z_k)}

    Shapes: features (N, d), edge_index (2, E) with edges (j → i) -> (E,) float64. Kernels SIM, with z the features:
    ``rbf`` exp(−‖z_i − z_j‖² / 2σ²), ``l2`` +‖z_i − z_j‖², ``poly`` (z_iᵀz_j)² and ``linear`` z_iᵀz_j (the paper);
    ``laplace`` exp(−‖z_i − z_j‖₁ / 100) (the authors' code); ``cosine``, ``cosine_squared`` and ``l2_norm``
    ‖z_i − z_j‖ (the code of Joshi et al. 2022). An edge that is there twice counts twice. Raises UsageError for an
    unknown kernel, a width σ that is not above 0, and features or edges of other nodes.
    """
    z, edge_index = np.asarray(features), np.asarray(edge_index).reshape(2, -1)
    check_choice("kernel", kernel, get_args(Kernel))
    if not (sigma > 0 and sigma**2 > 0):
        raise UsageError(f"sigma is a width, above 0, not {sigma!r}")
    if z.ndim != 2 or len(z) != num_nodes:
        raise UsageError(f"features of shape {z.shape} are not one row for each of {num_nodes} nodes")
    if edge_index.size and not 0 <= edge_index.min() <= edge_index.max() < num_nodes:
        raise UsageError(f"the edges name nodes outside 0 to {num_nodes - 1}")
    scores, receiver = _similarities(z, edge_index, kernel, sigma), edge_index[1]
    top = np.full(num_nodes, -np.inf)
    np.maximum.at(top, receiver, scores)
    scores -= top[receiver]  # at most 0: the exponential cannot overflow
    total = np.bincount(receiver, np.exp(scores), minlength=num_nodes)
    return scores - np.log(total[receiver])


def neighbour_distribution(
    features: ArrayLike, edge_index: ArrayLike, num_nodes: int, kernel: Kernel = "rbf", sigma: float = 1.0
) -> Floats:
    """The share (E,) of every edge among the in-edges of its destination: those of a node sum to 1."""
    return np.exp(neighbour_log_distribution(features, edge_index, num_nodes, kernel, sigma))


def node_divergence(
    log_student: ArrayLike,
    log_teacher: ArrayLike,
    edge_index: ArrayLike,
    num_nodes: int,
    direction: Direction = "student_teacher",
) -> Floats:
    """KL(student ‖ teacher) of every node's distribution (N,) in nats, as in the paper; 0 for a node without edges.

    Shapes: log_student and log_teacher (E,) from :func:`neighbour_log_distribution`; logarithms, because a share may
    be too small for a number and its divergence is not. The mean over all nodes is the loss. The public codes have
    KL(teacher ‖ student): ``direction="teacher_student"``. Raises UsageError for an unknown direction.
    """
    check_choice("direction", direction, get_args(Direction))
    first, second = np.asarray(log_student), np.asarray(log_teacher)
    if direction == "teacher_student":
        first, second = second, first
    receiver = np.asarray(edge_index).reshape(2, -1)[1]
    found = np.bincount(receiver, np.exp(first) * (first - second), minlength=num_nodes)
    return np.maximum(found, 0.0)  # rounding may leave equal ones just below


def neighbour_shares(log_shares: ArrayLike, edge_index: ArrayLike, node: int) -> tuple[NDArray[np.int64], Floats]:
    """The in-neighbours (k,) of a node, in order, and the share (k,) that each of them has.

    Shapes: log_shares (E,), edge_index (2, E). Of a neighbour with several edges the shares are added.
    """
    senders, receivers = np.asarray(edge_index).reshape(2, -1)
    own = np.flatnonzero(receivers == node)
    found, place = np.unique(senders[own], return_inverse=True)
    added = np.bincount(place, np.exp(np.asarray(log_shares)[own]), minlength=len(found))
    return found.astype(np.int64), added.astype(np.float64)


def worst_matched(divergence: ArrayLike, degree: ArrayLike, at_least: int = 1) -> NDArray[np.int64]:
    """Nodes with ``at_least`` so many in-edges, the largest divergence first: (N,), (N,) -> (n,)."""
    divergence, nodes = np.asarray(divergence), np.flatnonzero(np.asarray(degree) >= at_least)
    return nodes[np.lexsort((nodes, -divergence[nodes]))]


def telling_node(divergence: ArrayLike, degree: ArrayLike, fewest: int = 3, most: int = 20) -> int | None:
    """The worst matched node with ``fewest`` to ``most`` in-edges, which a picture can show; of all nodes with edges
    where none has so many, and None where no node has any."""
    degree, order = np.asarray(degree), worst_matched(divergence, degree)
    fitting = order[(degree[order] >= fewest) & (degree[order] <= most)]
    return next(map(int, (*fitting[:1], *order[:1])), None)


def _similarities(z: NDArray[np.floating], edge_index: NDArray[np.integer], kernel: Kernel, sigma: float) -> Floats:
    """SIM of every edge's ends (E,), block by block: features are never gathered for all edges at once."""
    found = np.empty(edge_index.shape[1])
    # In float32 a similarity of at most 1 is off by 1e-6 at most, where halves are off by 1e-3; others are not bounded.
    width = np.float32 if z.dtype == np.float16 and kernel in BOUNDED else np.float64
    if z.dtype == np.float16:
        z = z.astype(np.float32)  # once for every node, and not for every edge: halves are slow to widen
    height = max(1, BLOCK // max(z.shape[1], 1))
    for start in range(0, len(found), height):
        part = slice(start, start + height)
        sender, receiver = (z[ends].astype(width, copy=False) for ends in edge_index[:, part])
        found[part] = _similarity(receiver, sender, kernel, sigma)
    return found


def _similarity(a: NDArray[np.floating], b: NDArray[np.floating], kernel: Kernel, sigma: float) -> NDArray[np.floating]:
    """SIM of rows (n, d) and (n, d) -> (n,)."""
    if kernel == "laplace":
        return np.exp(-np.abs(a - b).sum(axis=1) / LAPLACE_WIDTH)
    if kernel in ("rbf", "l2", "l2_norm"):
        way = a - b
        squared = np.einsum("ij,ij->i", way, way)
        if kernel == "rbf":
            return np.exp(squared / (-2 * sigma**2))
        return np.sqrt(squared) if kernel == "l2_norm" else squared
    products = np.einsum("ij,ij->i", a, b)
    if kernel in ("cosine", "cosine_squared"):
        lengths = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
        products = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return products**2 if kernel in ("poly", "cosine_squared") else products
