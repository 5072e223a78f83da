"""CKA and neighbour overlap: invariances, bounds, and independent formulas."""

import numpy as np
import pytest

from workbench.analysis.similarity import linear_cka, neighbour_overlap
from workbench.errors import UsageError


def cloud(nodes=50, width=6, seed=0):
    return np.random.default_rng(seed).normal(size=(nodes, width))


def rotation(width, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def test_cka_is_the_centred_kernel_alignment_of_the_gram_matrices():
    x, y = cloud(), cloud(width=3, seed=5)
    centre = np.eye(50) - 1 / 50
    k, m = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    assert linear_cka(x, y) == pytest.approx(np.sum(k * m) / np.sqrt(np.sum(k * k) * np.sum(m * m)))


def test_cka_does_not_see_rotation_scale_and_place():
    x = cloud()
    assert linear_cka(x, 5.0 * x @ rotation(6) - 2.0) == pytest.approx(1.0)


def test_cka_of_orthogonal_features_is_zero():
    assert linear_cka([[1.0], [-1.0], [1.0], [-1.0]], [[1.0], [1.0], [-1.0], [-1.0]]) == 0.0


def test_cka_of_an_embedding_without_differences_is_zero():
    assert linear_cka(cloud(), np.ones((50, 2))) == 0.0


def overlap_by_hand(x, y, k):
    """One node at a time, with sorted lists."""

    def near(features, i):
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        order = np.argsort(-(unit @ unit[i]), kind="stable")
        return set(order[order != i][:k].tolist())

    return [len(near(x, i) & near(y, i)) / k for i in range(len(x))]


def test_overlap_counts_common_neighbours():
    x, y = cloud(300), cloud(300, 4, seed=2)
    assert neighbour_overlap(x, y, k=7) == pytest.approx(overlap_by_hand(x, y, 7))


def test_overlap_of_a_turned_and_scaled_copy_is_one():
    x = cloud()
    assert neighbour_overlap(x, 3.0 * x @ rotation(6)).tolist() == [1.0] * 50


def test_overlap_of_unrelated_embeddings_is_near_chance():
    overlap = neighbour_overlap(cloud(1000), cloud(1000, seed=9), k=10)
    assert overlap.mean() == pytest.approx(10 / 999, abs=0.01)


def test_equal_neighbours_are_taken_in_the_order_of_their_index():
    same = np.ones((6, 2))
    assert neighbour_overlap(same, same, k=2).tolist() == [1.0] * 6


def test_k_is_lowered_in_a_small_graph():
    assert neighbour_overlap(cloud(4), cloud(4, seed=1), k=10).tolist() == [1.0] * 4


def test_one_node_has_no_neighbours():
    with pytest.raises(UsageError, match="two nodes"):
        neighbour_overlap(cloud(1), cloud(1))


def test_embeddings_of_different_nodes_are_refused():
    with pytest.raises(UsageError, match="same nodes"):
        linear_cka(cloud(5), cloud(6))
