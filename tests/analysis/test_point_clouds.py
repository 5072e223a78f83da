"""Distances in features, and the pairs that a graph links."""

import numpy as np
import pytest

from workbench.analysis.point_clouds import feature_distances, undirected


def test_distances_are_shares_of_the_largest():
    features = np.array([[0, 0], [3, 4], [0, 10], [0, 0]], dtype=np.float16)
    assert feature_distances(features, 0) == pytest.approx([0, 0.5, 1, 0])
    assert feature_distances(features, 2)[2] == 0
    assert not feature_distances(np.ones((5, 3)), 1).any()


def test_a_pair_counts_once_in_whatever_direction():
    edges = np.array([[0, 1, 2, 2, 3], [1, 0, 2, 1, 0]])
    assert undirected(edges).T.tolist() == [[0, 1], [0, 3], [1, 2]]
    assert undirected(np.empty((2, 0), dtype=np.int64)).shape == (2, 0)
