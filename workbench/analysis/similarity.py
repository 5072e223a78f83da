"""How alike two embeddings of the same nodes are: over the whole graph, and node by node."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.projection import as_features
from workbench.errors import UsageError

BLOCK = 256  # rows of the similarity matrix that exist at one time


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
    x, y = (normalise_rows(features) for features in _same_nodes(first, second))
    k = min(k, len(x) - 1)
    if k < 1:
        raise UsageError("neighbours need at least two nodes")
    overlap = np.empty(len(x), dtype=np.float32)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, min(start + BLOCK, len(x)))
        near_x, near_y = _nearest(x, rows, k), _nearest(y, rows, k)  # (b, k)
        overlap[rows] = (near_x[:, :, None] == near_y[:, None, :]).any(axis=2).mean(axis=1)
    return overlap


def normalise_rows(features: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of length one, in float32; rows of zeros stay zero."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.where(length > 0, length, 1.0)).astype(np.float32)


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
