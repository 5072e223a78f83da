"""CKA of all layer pairs, and what layers say about edges."""

import numpy as np
import pytest

from workbench.analysis import layer_pairs
from workbench.analysis.layer_pairs import cka_map, edge_attention, edge_cosine, node_to_show
from workbench.errors import UsageError


def cka_of_grams(x, y):
    """Kornblith et al. (2019), eq. 3 and 4 with N × N Gram matrices: HSIC(K, L) / √(HSIC(K, K) HSIC(L, L))."""
    n = len(x)
    centre = np.eye(n) - np.ones((n, n)) / n
    k, other = (centre @ (z.astype(np.float64) @ z.astype(np.float64).T) @ centre for z in (x, y))
    return np.trace(k @ other) / np.sqrt(np.trace(k @ k) * np.trace(other @ other))


@pytest.fixture
def models():
    rng = np.random.default_rng(0)
    left = [rng.normal(size=(40, width)) + 3 for width in (5, 2, 7)]
    right = [left[0][:, :2] + 0.1 * rng.normal(size=(40, 2)), rng.normal(size=(40, 4))]
    return left, right


def test_every_pair_has_the_cka_of_its_gram_matrices(models):
    left, right = models
    expected = [[cka_of_grams(x, y) for y in right] for x in left]
    np.testing.assert_allclose(cka_map(left, right), expected, rtol=1e-10)


def test_blocks_of_nodes_do_not_change_the_numbers(models, monkeypatch):
    left, right = models
    whole = cka_map(left, right)
    monkeypatch.setattr(layer_pairs, "AT_A_TIME", 50)  # 7 nodes at a time
    np.testing.assert_allclose(cka_map(left, right), whole, rtol=1e-12)


def test_a_turned_scaled_and_shifted_layer_is_the_same_layer():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 4))
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    assert cka_map([x], [3 * x @ turn + 5]).item() == pytest.approx(1, abs=1e-12)


def test_layers_that_share_nothing_have_none():
    side = np.array([1.0, 1, -1, -1])
    other = np.array([1.0, -1, 1, -1])  # orthogonal, and both have mean 0
    assert cka_map([side[:, None]], [other[:, None]]).item() == 0


def test_a_layer_in_which_all_nodes_coincide_is_like_no_other():
    same = np.full((30, 3), 0.1, dtype=np.float16)
    assert cka_map([same], [same, np.arange(30.0)[:, None]]).tolist() == [[0, 0]]


def test_half_precision_is_widened_before_it_is_multiplied():
    large = np.array([[60000.0], [-60000.0], [30000.0]], dtype=np.float16)
    assert cka_map([large], [large]).item() == pytest.approx(1)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_large_layers_are_multiplied_in_single_precision_and_keep_five_digits(monkeypatch, kind):
    monkeypatch.setattr(layer_pairs, "PRECISE", 100)
    monkeypatch.setattr(layer_pairs, "AT_A_TIME", 500)
    rng = np.random.default_rng(2)
    left = [(rng.normal(size=(400, width)) + 20).astype(kind) for width in (5, 3)]
    right = [(left[0][:, :2] + rng.normal(size=(400, 2))).astype(kind), np.full((400, 2), 0.1, dtype=kind)]
    found = cka_map(left, right)
    np.testing.assert_allclose(found[:, 0], [cka_of_grams(x, right[0]) for x in left], rtol=1e-5)
    assert found[:, 1].tolist() == [0, 0]  # all nodes coincide


def test_layers_too_large_for_single_precision_are_not_squared_in_it(monkeypatch):
    monkeypatch.setattr(layer_pairs, "PRECISE", 10)
    x = np.random.default_rng(3).normal(size=(60, 2)) * 1e25
    assert cka_map([x.astype(np.float32)], [x.astype(np.float32)]).item() == pytest.approx(1)


def test_what_cannot_be_compared_is_refused(models):
    left, right = models
    with pytest.raises(UsageError, match="not of the same nodes"):
        cka_map(left, [right[0][:-1]])
    with pytest.raises(UsageError, match="at least one"):
        cka_map(left, [])
    with pytest.raises(UsageError, match="diverged"):
        cka_map(left, [np.full((40, 2), np.nan)])


def test_the_cosine_of_an_edge_is_that_of_its_ends():
    features = np.array([[1.0, 0], [1, 1], [-2, 0], [0, 0]])
    edges = [[0, 0, 0], [1, 2, 3]]
    np.testing.assert_allclose(edge_cosine(features, edges), [1 / np.sqrt(2), -1, 0])


def test_attention_is_found_by_the_ends_of_an_edge():
    attended = np.array([[0, 1, 2, 2], [1, 0, 1, 2]], dtype=np.int32)
    weight = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    found = edge_attention(attended, weight, [[2, 0, 0], [1, 1, 2]], 3)
    np.testing.assert_array_equal(found, [[0.3, 0.7], [0.1, 0.9], [np.nan, np.nan]])


def test_attention_along_no_edge_is_known_of_none():
    found = edge_attention(np.zeros((2, 0), dtype=int), np.zeros((0, 3)), [[2, 0], [1, 1]], 3)
    np.testing.assert_array_equal(found, np.full((2, 3), np.nan))


def test_the_node_shown_first_has_many_neighbours_but_not_too_many():
    assert node_to_show([3, 100, 40, 41]) == 2
    assert node_to_show([300, 100, 200]) == 1
