"""How far the points of a cloud are apart in a model's features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def feature_distances(features: NDArray[np.floating], point: int) -> NDArray[np.float64]:
    """Euclidean distance (n,) of every row of features (n, d) from row ``point``, as a share (0..1) of the largest.

    All zeros where every row is the same.
    """
    features = features.astype(np.float64)
    distance = np.sqrt(((features - features[point]) ** 2).sum(axis=1))
    return distance / (distance.max() or 1.0)


def undirected(edge_index: NDArray[np.integer]) -> NDArray[np.integer]:
    """Every linked pair of different points once, the smaller number first: edges (2, E) -> (2, pairs)."""
    low, high = np.minimum(*edge_index), np.maximum(*edge_index)
    return np.unique(np.stack([low, high])[:, low != high], axis=1)
