"""How alike two embeddings of the same nodes are: over the whole graph, along its edges, and node by node."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.projection import as_features
from workbench.errors import UsageError

BLOCK = 256  # rows of the similarity matrix that exist at one time
EDGES_AT_ONCE = 65_536
NO_SPREAD = 1e-12  # of the mean square: a smaller variance is rounding
ROUNDING = 1e-13  # of a cosine

Rows = NDArray[np.float64]


def linear_cka(first: ArrayLike, second: ArrayLike) -> float:
    r"""Linear centred kernel alignment (Kornblith et al., ICML 2019, arXiv 1905.00414), eq. 4 in feature space.

    .. math:: \frac{\| Y^\top X \|_F^2}{\| X^\top X \|_F \; \| Y^\top Y \|_F}

    with centred columns. Shapes: (N, a) and (N, b); widths may differ. Returns a number in [0, 1]: 1 for
    embeddings that agree up to rotation and scale; 0 also where all nodes of one coincide.
    Cost O(N a b), no N × N matrix; float64 throughout.
    """
    x, y = _same_nodes(first, second)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    size = float(np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    if size == 0:
        return 0.0
    return min(float(np.linalg.norm(y.T @ x) ** 2 / size), 1.0)


def neighbour_overlap(first: ArrayLike, second: ArrayLike, k: int = 10) -> NDArray[np.float32]:
    """Per node, the share of its k nearest neighbours that are the same in both embeddings.

    Nearness is the cosine of the features, so the scale of an embedding does not matter. Shapes: (N, a)
    and (N, b) -> (N,) in [0, 1]; chance level is k / (N − 1). k is lowered to N − 1 in small graphs.
    Equally near neighbours are taken in the order of their index. Cost O(N²): seconds from 20,000 nodes on.
    """
    x, y = (unit_rows(features).astype(np.float32) for features in _same_nodes(first, second))
    k = min(k, len(x) - 1)
    if k < 1:
        raise UsageError("neighbours need at least two nodes")
    overlap = np.empty(len(x), dtype=np.float32)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, min(start + BLOCK, len(x)))
        near_x, near_y = _nearest(x, rows, k), _nearest(y, rows, k)  # (b, k)
        overlap[rows] = (near_x[:, :, None] == near_y[:, None, :]).any(axis=2).mean(axis=1)
    return overlap


def global_structural_correlation(first: ArrayLike, second: ArrayLike) -> float:
    r"""Pearson's r between the cosine distances of all pairs of nodes in two embeddings (Joshi et al., TNNLS 2022).

    .. math:: r\big( (1 - \cos(x_i, x_j))_{i<j},\; (1 - \cos(y_i, y_j))_{i<j} \big)

    the statistic of a Mantel test. Shapes: (N, a) and (N, b); widths may differ. Returns a number in [-1, 1]: 1 for
    embeddings that agree up to rotation and the scale of every node. NaN where there is no correlation: fewer than
    three nodes, or all distances of one embedding equal (up to rounding). A row of zeros has no direction: its
    cosine with every other one counts as 0.

    With unit rows x_i = m + u_i and their mean m, x_i·x_j - m·m = a_i + a_j + u_i·u_j where a_i = m·u_i. As Σ u = 0,

    .. math:: \sum_{ij} c_{ij} d_{ij} = 2 N \sum_i a_i b_i + \| U^\top V \|_F^2

    over ordered pairs, from which the diagonal is taken away. So no N × N matrix and no block of one is needed: cost
    O(N a b), float64, and centring first keeps digits where all nodes point in nearly the same direction.
    """
    x, y = (unit_rows(features) for features in _same_nodes(first, second))
    nodes = len(x)
    if nodes < 3:
        return float("nan")
    (u, a), (v, b) = _centred(x), _centred(y)
    on_u, on_v = 2 * a + (u * u).sum(axis=1), 2 * b + (v * v).sum(axis=1)  # (N,) the diagonals
    pairs = nodes * (nodes - 1)

    def moment(u: Rows, a: Rows, on_u: Rows, v: Rows, b: Rows, on_v: Rows) -> float:
        return float(2 * nodes * (a @ b) + np.linalg.norm(u.T @ v) ** 2 - on_u @ on_v) / pairs

    means = -on_u.sum() / pairs, -on_v.sum() / pairs
    squares = moment(u, a, on_u, u, a, on_u), moment(v, b, on_v, v, b, on_v)
    return _pearson(means, squares, moment(u, a, on_u, v, b, on_v))


def local_structural_correlation(first: ArrayLike, second: ArrayLike, edge_index: ArrayLike) -> float:
    """Pearson's r between the cosine distances along edges in two embeddings (Joshi et al., TNNLS 2022).

    As :func:`global_structural_correlation`, over edges instead of all pairs: how near linked nodes are to each other.
    Shapes: (N, a), (N, b) and edge_index (2, E). Self-loops are left out; an edge that is listed in both directions
    counts twice, which changes nothing where all are. NaN for fewer than three edges, or where all distances of one
    embedding are equal. Cost O(E (a + b)), float64, a block of edges at a time.
    """
    x, y = (unit_rows(features) for features in _same_nodes(first, second))
    edges = np.asarray(edge_index)
    if edges.ndim != 2 or len(edges) != 2 or (edges.size and not 0 <= edges.min() <= edges.max() < len(x)):
        raise UsageError(f"expected edges (2, E) between {len(x)} nodes, and got something of shape {edges.shape}")
    edges = edges[:, edges[0] != edges[1]]
    if edges.shape[1] < 3:
        return float("nan")
    near_x, near_y = (_cosines(rows, edges) for rows in (x, y))  # (E,)
    near_x, near_y = near_x - near_x[0], near_y - near_y[0]  # nearly equal cosines keep their digits
    squares = float(np.mean(near_x**2)), float(np.mean(near_y**2))
    return _pearson((float(near_x.mean()), float(near_y.mean())), squares, float(np.mean(near_x * near_y)))


def edges_among(edge_index: ArrayLike, nodes: ArrayLike, count: int) -> NDArray[np.int64]:
    """Edges with both ends among ``nodes``, which are numbered anew by their position there.

    Shapes: edge_index (2, E) of a graph with ``count`` nodes, nodes (m,) -> (2, e) with entries below m.
    """
    edges, nodes = np.asarray(edge_index), np.asarray(nodes)
    position = np.full(count, -1, dtype=np.int64)
    position[nodes] = np.arange(len(nodes))
    ends = position[edges]
    return ends[:, (ends >= 0).all(axis=0)]


def unit_rows(features: ArrayLike) -> Rows:
    """Rows of length one (N, d), float64; rows of zeros stay zero."""
    x = as_features(features)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1.0)


def _centred(rows: Rows) -> tuple[Rows, Rows]:
    """Rows without their mean (N, d), and what they have in common with it (N,)."""
    mean = rows.mean(axis=0)
    centred = rows - mean
    return centred, centred @ mean


def _cosines(rows: Rows, edges: NDArray[np.integer]) -> Rows:
    """Cosines (E,) of the two ends of every edge."""
    starts = range(0, edges.shape[1], EDGES_AT_ONCE)
    blocks = (edges[:, start : start + EDGES_AT_ONCE] for start in starts)
    return np.concatenate([np.einsum("ed,ed->e", rows[source], rows[target]) for source, target in blocks])


def _pearson(means: tuple[float, float], squares: tuple[float, float], product: float) -> float:
    """r from means, mean squares and mean product; the sign of 1 - cosine is that of the cosine twice over.

    NaN where the differences of one side are no larger than what rounding makes of none.
    """
    variances = [square - mean**2 for square, mean in zip(squares, means, strict=True)]
    if any(variance <= NO_SPREAD * square + ROUNDING**2 for variance, square in zip(variances, squares, strict=True)):
        return float("nan")
    r = (product - means[0] * means[1]) / float(np.sqrt(variances[0]) * np.sqrt(variances[1]))
    return min(max(r, -1.0), 1.0)


def _nearest(features: NDArray[np.float32], rows: slice, k: int) -> NDArray[np.intp]:
    """Indices (b, k) of the k most similar other nodes of a block of nodes."""
    similarity = features[rows] @ features.T  # (b, N)
    here = np.arange(rows.start, rows.stop)
    similarity[here - rows.start, here] = -np.inf  # no node is its own neighbour
    chosen = np.argpartition(similarity, -k, axis=1)[:, -k:]  # (b, k) whichever come first among equals
    border = np.take_along_axis(similarity, chosen, axis=1).min(axis=1, keepdims=True)  # (b, 1) the k-th largest
    for row in np.nonzero((similarity >= border).sum(axis=1) > k)[0]:  # equals at the border
        surely = np.nonzero(similarity[row] > border[row])[0]
        tied = np.nonzero(similarity[row] == border[row])[0]
        chosen[row] = np.concatenate([surely, tied[: k - len(surely)]])
    return chosen


def _same_nodes(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = as_features(first), as_features(second)
    if len(x) != len(y):
        raise UsageError(f"{len(x)} and {len(y)} nodes cannot be compared: both embeddings must be of the same nodes")
    return x, y
