"""CKA, structural correlations and neighbour overlap: invariances, bounds, and independent formulas."""

import numpy as np
import pytest
from scipy.spatial.distance import cosine, pdist
from scipy.stats import pearsonr

from workbench.analysis.similarity import (
    edges_among,
    global_structural_correlation,
    linear_cka,
    local_structural_correlation,
    neighbour_overlap,
)
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


def mantel(x, y):
    """Pearson's r of the two condensed distance matrices, as scipy writes it."""
    return pearsonr(pdist(x, "cosine"), pdist(y, "cosine")).statistic


def along(x, y, edges):
    """The same over a list of edges, one at a time."""
    near_x, near_y = ([cosine(of[i], of[j]) for i, j in edges] for of in (x, y))
    return pearsonr(near_x, near_y).statistic


EDGES = np.random.default_rng(3).integers(50, size=(2, 400))
EDGES = EDGES[:, EDGES[0] != EDGES[1]]


def both(x, y):
    return global_structural_correlation(x, y), local_structural_correlation(x, y, EDGES)


@pytest.mark.parametrize("offset", [0.0, 1.0, 30.0])
def test_structural_correlations_are_those_of_all_pairs_and_of_the_edges(offset):
    x = cloud() + offset
    y = x[:, :3] + 0.5 * cloud(width=3, seed=5)
    assert global_structural_correlation(x, y) == pytest.approx(mantel(x, y), abs=1e-8)
    assert local_structural_correlation(x, y, EDGES) == pytest.approx(along(x, y, EDGES.T), abs=1e-8)


@pytest.mark.parametrize("nodes", [3, 4, 7])
def test_a_handful_of_nodes_is_enough_for_a_mantel_test(nodes):
    x, y = cloud(nodes, 4), cloud(nodes, 3, seed=8)
    assert global_structural_correlation(x, y) == pytest.approx(mantel(x, y))


def test_equal_features_correlate_completely():
    assert both(cloud(), cloud()) == pytest.approx((1.0, 1.0))


def test_structural_correlations_do_not_see_rotation_and_the_scale_of_a_node():
    x, y = cloud(), cloud(width=4, seed=5)
    scale = np.random.default_rng(1).uniform(0.1, 10, size=(50, 1))
    assert both(scale * x @ rotation(6), y) == pytest.approx(both(x, y))
    assert both(scale * x @ rotation(6), x) == pytest.approx((1.0, 1.0))


def test_structural_correlations_of_unrelated_embeddings_are_near_zero():
    assert global_structural_correlation(cloud(1000), cloud(1000, seed=9)) == pytest.approx(0, abs=0.02)


def test_what_is_near_on_one_side_and_far_on_the_other_correlates_negatively():
    angle = np.radians([0, 10, 100])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    y = x[[0, 2, 1]]
    assert global_structural_correlation(x, y) == pytest.approx(mantel(x, y))
    assert mantel(x, y) < 0


def test_half_precision_is_read_and_reckoned_with_in_full():
    x, y = cloud().astype(np.float16), cloud(width=3, seed=2).astype(np.float16)
    assert global_structural_correlation(x, y) == pytest.approx(mantel(x.astype(float), y.astype(float)))


def test_a_row_of_zeros_counts_as_at_right_angles_to_every_other():
    x, y = cloud(20), cloud(20, seed=4)
    x[[3, 8]] = 0.0
    unit = x / np.where(np.linalg.norm(x, axis=1, keepdims=True) > 0, np.linalg.norm(x, axis=1, keepdims=True), 1)
    upper = np.triu_indices(20, 1)
    expected = pearsonr(1 - (unit @ unit.T)[upper], pdist(y, "cosine")).statistic
    assert global_structural_correlation(x, y) == pytest.approx(expected)
    by_edge = local_structural_correlation(x, y, np.stack(upper))
    assert by_edge == pytest.approx(expected)


@pytest.mark.parametrize("flat", [np.ones((50, 2)), np.zeros((50, 2)), np.full((50, 3), [0.1, 0.7, -2.3])])
def test_an_embedding_without_differences_has_no_correlation(flat):
    assert np.isnan(both(cloud(), flat)).all()
    assert np.isnan(both(flat, cloud())).all()


def test_nodes_that_are_all_equally_far_apart_have_no_correlation():
    assert np.isnan(global_structural_correlation(np.eye(6), cloud(6)))
    triangle = np.array([[1, 0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]])
    assert np.isnan(global_structural_correlation(triangle, cloud(3)))


def test_two_nodes_or_two_edges_are_too_few():
    assert np.isnan(global_structural_correlation(cloud(2), cloud(2, seed=1)))
    assert np.isnan(local_structural_correlation(cloud(), cloud(seed=1), EDGES[:, :2]))
    assert np.isnan(local_structural_correlation(cloud(), cloud(seed=1), np.empty((2, 0), dtype=int)))


def test_self_loops_say_nothing_and_both_directions_no_more_than_one():
    x, y = cloud(), cloud(width=4, seed=5)
    loops = np.stack([np.arange(50)] * 2)
    expected = local_structural_correlation(x, y, EDGES)
    assert local_structural_correlation(x, y, np.concatenate([EDGES, loops], axis=1)) == pytest.approx(expected)
    assert local_structural_correlation(x, y, np.concatenate([EDGES, EDGES[::-1]], axis=1)) == pytest.approx(expected)


def test_many_edges_go_through_in_blocks():
    x, y = cloud(300), cloud(300, seed=7)
    edges = np.stack(np.triu_indices(300, 1))
    edges = np.concatenate([edges, edges[::-1]], axis=1)  # 89,700
    assert local_structural_correlation(x, y, edges) == pytest.approx(mantel(x, y))


@pytest.mark.parametrize("edges", [[[0], [50]], [[-1], [3]], [[0, 1, 2]], [0, 1]])
def test_edges_of_another_graph_are_refused(edges):
    with pytest.raises(UsageError, match="between 50 nodes"):
        local_structural_correlation(cloud(), cloud(), edges)


def test_edges_among_nodes_are_numbered_by_their_place():
    edges = np.array([[0, 1, 2, 4, 4], [1, 2, 4, 2, 3]])
    assert edges_among(edges, [4, 2, 0], 5).tolist() == [[1, 0], [0, 1]]
