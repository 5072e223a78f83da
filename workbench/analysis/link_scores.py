"""Scores of node pairs without any learning: common neighbours, Adamic–Adar, degrees, and the last snapshot's links."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Links = NDArray[np.integer]
Scores = NDArray[np.float64]


def common_neighbours(links: Links, pairs: Links, num_nodes: int) -> Scores:
    """How many neighbours both nodes of each of pairs (2, m) have in the graph of links (2, L) -> (m,)."""
    return _over_common(links, pairs, np.ones(num_nodes), num_nodes)


def adamic_adar(links: Links, pairs: Links, num_nodes: int) -> Scores:
    """Σ over the common neighbours w of 1 / log(degree of w) (Adamic and Adar, 2003) -> (m,).

    A common neighbour of two different nodes has a degree of two at least.
    """
    degree = np.asarray(_adjacency(links, num_nodes).sum(1)).ravel()
    return _over_common(links, pairs, 1 / np.log(np.maximum(degree, 2)), num_nodes)


def preferential_attachment(links: Links, pairs: Links, num_nodes: int) -> Scores:
    """Product of both nodes' numbers of neighbours, for each of pairs (2, m) (Barabási and Albert, 1999) -> (m,)."""
    degree = np.asarray(_adjacency(links, num_nodes).sum(1)).ravel()
    return degree[pairs[0]] * degree[pairs[1]]


def edge_bank(links: Links, pairs: Links, num_nodes: int) -> Scores:
    """1 for a pair that is among the links (2, L), in whichever direction, 0 for any other -> (m,)."""
    known, asked = (ends.min(0).astype(np.int64) * num_nodes + ends.max(0) for ends in (links, pairs))
    return np.isin(asked, known).astype(np.float64)


def _adjacency(links: Links, num_nodes: int) -> Any:
    """Symmetric and binary (N, N); loops are left out."""
    from scipy.sparse import csr_matrix

    a, b = links[:, links[0] != links[1]]
    ones = np.ones(2 * len(a))
    matrix = csr_matrix((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(num_nodes, num_nodes))
    matrix.data[:] = 1  # a link that stands twice was added up
    return matrix


def _over_common(links: Links, pairs: Links, weight: Scores, num_nodes: int) -> Scores:
    matrix = _adjacency(links, num_nodes)
    both = matrix[pairs[0]].multiply(matrix[pairs[1]])  # (m, N)
    return np.asarray(both @ weight).ravel()
