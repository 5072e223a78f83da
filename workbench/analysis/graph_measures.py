"""What the graph says about every node: how like its neighbours it is, and how far from a training node."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError

UNREACHABLE = -1


def local_homophily(edge_index: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    r"""The share of a node's in-neighbours that have its own true label (Pei et al., ICLR 2020, arXiv 2002.05287).

    .. math:: h_i = \frac{|\{j \in \mathcal N(i) : y_j = y_i\}|}{|\mathcal N(i)|}, \quad
              \mathcal N(i) = \{j \ne i : (j \to i) \in E\}

    Shapes: edge_index (2, E) with edges (j → i), labels (N,) -> (N,) in [0, 1]. A negative label is unknown: such
    neighbours are left out. NaN for a node without neighbours to compare with. An edge that is listed twice counts
    twice. Raises UsageError for an edge to a node that there is not.
    """
    labels = np.asarray(labels)
    source, target = _edges(edge_index, len(labels))
    known = (source != target) & (labels[source] >= 0) & (labels[target] >= 0)
    source, target = source[known], target[known]
    same = np.bincount(target[labels[source] == labels[target]], minlength=len(labels))
    count = np.bincount(target, minlength=len(labels))
    return np.divide(same, count, out=np.full(len(labels), np.nan), where=count > 0)


def hops_to(edge_index: ArrayLike, goals: ArrayLike) -> NDArray[np.int32]:
    """Distance of every node to the nearest goal in hops, the directions of edges left out of account.

    Breadth-first from all goals at once, one frontier at a time: O(N + E). Shapes: edge_index (2, E), goals (N,)
    bool -> (N,); 0 for a goal, :data:`UNREACHABLE` where no path leads to one. Raises UsageError for an edge to a
    node that there is not.
    """
    goals = np.asarray(goals, dtype=bool)
    source, target = _edges(edge_index, len(goals))
    both = np.concatenate([source, target])
    order = np.argsort(both.astype(np.int32))  # sorts three times as fast as int64; the order of equals is no matter
    neighbours = np.concatenate([target, source])[order]  # (2E,), those of node i from start[i] to start[i + 1]
    start = np.concatenate([[0], np.cumsum(np.bincount(both, minlength=len(goals)))])
    hops = np.where(goals, 0, UNREACHABLE).astype(np.int32)
    frontier, distance = np.flatnonzero(goals), 0
    while len(frontier):
        distance += 1
        count = start[frontier + 1] - start[frontier]
        before = np.repeat(np.cumsum(count) - count, count)  # of each neighbour: how many those of earlier nodes are
        found = neighbours[np.repeat(start[frontier], count) + np.arange(len(before)) - before]
        frontier = np.unique(found[hops[found] == UNREACHABLE])
        hops[frontier] = distance
    return hops


def _edges(edge_index: ArrayLike, num_nodes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sources and targets (E,)."""
    edges = np.asarray(edge_index)
    if edges.ndim != 2 or len(edges) != 2 or edges.dtype.kind not in "iu":
        raise UsageError(f"expected edges as whole numbers of shape (2, E), and got {edges.shape} of {edges.dtype}")
    if edges.size and not 0 <= edges.min() <= edges.max() < num_nodes:
        raise UsageError(f"the edges name nodes outside 0 to {num_nodes - 1}")
    source, target = edges.astype(np.int64)
    return source, target
