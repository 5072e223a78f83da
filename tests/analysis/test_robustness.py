"""Disturbed graphs: how many edges go and come, which ones, how large the noise is, and what a curve amounts to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.analysis import robustness
from workbench.analysis.robustness import add_edges, noisy_features, remove_edges, summarise_curve
from workbench.errors import UsageError

NODES = 60


def graph(pairs=100, nodes=NODES, loops=(), seed=0):
    """An undirected graph with exactly so many pairs, both directions listed, in a random order; and self-loops."""
    rng = np.random.default_rng(seed)
    every = np.stack(np.triu_indices(nodes, k=1))
    chosen = every[:, rng.choice(every.shape[1], pairs, replace=False)]
    loop = np.array([loops, loops], dtype=np.int64).reshape(2, -1)
    edges = np.concatenate([chosen, chosen[::-1], loop], axis=1)
    return edges[:, rng.permutation(edges.shape[1])]


def pairs_of(edges):
    return {frozenset(pair) for pair in edges.T.tolist() if pair[0] != pair[1]}


def listed(edges):
    return sorted(map(tuple, edges.T.tolist()))


@pytest.mark.parametrize(
    ("share", "gone"), [(0, 0), (0.1, 10), (0.25, 25), (0.333, 33), (0.335, 34), (0.004, 0), (0.005, 1), (1, 100)]
)
def test_so_many_undirected_edges_are_removed_in_both_directions(share, gone):
    edges = graph()
    left = remove_edges(edges, share, seed=3)
    assert left.shape == (2, 200 - 2 * gone)
    assert pairs_of(left) < pairs_of(edges) or gone == 0
    assert listed(left) == listed(left[::-1])


def test_self_loops_stay_and_the_order_of_the_rest_too():
    edges = graph(loops=(4, 7))
    left = remove_edges(edges, 1.0, seed=0)
    assert sorted(left[0].tolist()) == [4, 7]
    half = remove_edges(edges, 0.5, seed=0)
    kept = [column for column in edges.T.tolist() if column in half.T.tolist()]
    assert half.T.tolist() == kept


def test_every_copy_of_an_edge_goes_with_it():
    edges = np.array([[0, 1, 0, 0, 2], [1, 0, 1, 2, 0]])  # 0-1 three times, 0-2 twice: two pairs
    left = remove_edges(edges, 0.5, seed=1)
    assert pairs_of(left) in ({frozenset((0, 1))}, {frozenset((0, 2))})
    assert left.shape[1] == {1: 3, 2: 2}[max(left[0].max(), left[1].max())]


def test_an_edge_in_one_direction_alone_is_an_edge():
    edges = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    assert remove_edges(edges, 0.5, seed=0).shape == (2, 2)


def test_a_higher_level_of_the_same_seed_removes_and_adds_the_same_and_more():
    edges = graph()
    few, many = (pairs_of(edges) - pairs_of(remove_edges(edges, share, seed=5)) for share in (0.2, 0.6))
    assert few < many
    few, many = (pairs_of(add_edges(edges, NODES, share, seed=5)) - pairs_of(edges) for share in (0.2, 0.6))
    assert few < many


def test_seeds_differ_and_the_same_seed_does_not():
    edges = graph()
    for disturb in (lambda seed: remove_edges(edges, 0.5, seed), lambda seed: add_edges(edges, NODES, 0.5, seed)):
        assert listed(disturb(1)) == listed(disturb(1))
        assert listed(disturb(1)) != listed(disturb(2))


@pytest.fixture(params=[robustness.ENUMERATED, 0], ids=["listed", "drawn"])
def either_way(request, monkeypatch):
    """Absent pairs are listed in small graphs and drawn in large ones."""
    monkeypatch.setattr(robustness, "ENUMERATED", request.param)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(("share", "new"), [(0, 0), (0.1, 10), (0.335, 34), (1, 100), (2.5, 250)])
def test_so_many_new_edges_are_added_each_once_and_in_both_directions(share, new):
    edges = graph(loops=(4, 7))
    more = add_edges(edges, NODES, share, seed=2)
    assert more.shape == (2, 202 + 2 * new)
    assert (more[:, :202] == edges).all()
    added = more[:, 202:]
    assert len(pairs_of(added)) == new
    assert pairs_of(added).isdisjoint(pairs_of(edges))
    assert (added[0] != added[1]).all()
    assert listed(added) == listed(added[::-1])


@pytest.mark.usefixtures("either_way")
def test_all_absent_pairs_can_be_added_and_not_one_more():
    edges = graph(pairs=10, nodes=6)  # 15 pairs
    assert len(pairs_of(add_edges(edges, 6, 0.5, seed=0))) == 15
    with pytest.raises(UsageError, match="only 5 of the 15"):
        add_edges(edges, 6, 0.6, seed=0)


@pytest.mark.usefixtures("either_way")
def test_new_edges_are_uniform_over_the_absent_pairs():
    edges = np.array([[0, 1], [1, 0]])  # of five nodes: 9 absent pairs, one of which is added
    counts = {}
    for seed in range(900):
        (new,) = pairs_of(add_edges(edges, 5, 1.0, seed)) - pairs_of(edges)
        counts[new] = counts.get(new, 0) + 1
    assert len(counts) == 9
    chi2 = sum((count - 100) ** 2 / 100 for count in counts.values())
    assert chi2 < 26.1  # the 0.999 quantile with 8 degrees of freedom


def test_removed_edges_are_uniform():
    edges = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    counts = np.zeros(4)
    for seed in range(800):
        left = pairs_of(remove_edges(edges, 0.25, seed))
        counts += [frozenset(pair) not in left for pair in edges.T.tolist()]
    assert counts.sum() == 800
    assert ((counts - 200) ** 2 / 200).sum() < 16.3  # the 0.999 quantile with 3 degrees of freedom


@given(st.integers(0, 40), st.floats(0, 1), st.integers(0, 2**31 - 1))
def test_whatever_the_graph_edges_are_conserved(pairs, share, seed):
    edges = graph(pairs, nodes=12, loops=(0,))
    left = remove_edges(edges, share, seed)
    assert left.shape[1] == 1 + 2 * (pairs - int(np.floor(share * pairs + 0.5)))
    assert set(listed(left)) <= set(listed(edges))


def test_noise_has_the_spread_of_its_column_times_the_level():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(20_000, 3)) * [1, 10, 0] + [5, 0, 2]).astype(np.float32)
    noise = noisy_features(x, 0.5, seed=1).astype(np.float64) - x
    assert noise.std(axis=0)[:2] == pytest.approx([0.5, 5.0], rel=0.02)
    assert (noise[:, 2] == 0).all()  # a constant column stays
    assert np.abs(noise.mean(axis=0)[:2]) == pytest.approx([0, 0], abs=0.1)
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.03


def test_at_level_one_the_noise_is_as_large_as_what_tells_nodes_apart():
    x = (np.random.default_rng(3).random((3000, 200)) < 0.02).astype(np.float64)  # bags of words
    noise = noisy_features(x, 1.0, seed=0) - x
    signal = ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert (noise**2).sum(axis=1).mean() == pytest.approx(signal, rel=0.02)
    assert np.count_nonzero(noisy_features(x, 0.1, seed=0)) == x.size  # no zero is left


def test_levels_of_a_seed_are_the_same_noise_and_level_zero_is_none():
    x = np.random.default_rng(1).random((50, 4)).astype(np.float32)
    small, large = (noisy_features(x, level, seed=9) - x for level in (0.1, 0.4))
    assert large == pytest.approx(4 * small, abs=1e-5)
    assert (noisy_features(x, 0, seed=9) == x).all()
    assert noisy_features(x, 0, seed=9) is not x
    assert (noisy_features(x, 0.1, seed=8) != noisy_features(x, 0.1, seed=9)).all()


def test_the_input_is_left_as_it_is():
    edges, x = graph(), np.ones((NODES, 2), dtype=np.float32)
    before = edges.copy()
    remove_edges(edges, 0.5, 0), add_edges(edges, NODES, 0.5, 0), noisy_features(x, 1.0, 0)
    assert (edges == before).all()
    assert (x == 1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: remove_edges(graph(), 1.5, 0), "between 0 and 1"),
        (lambda: remove_edges(graph(), float("nan"), 0), "between 0 and 1"),
        (lambda: remove_edges(np.zeros((3, 4)), 0.5, 0), r"edges \(2, E\)"),
        (lambda: remove_edges(np.zeros((2, 4)), 0.5, 0), "whole numbers"),
        (lambda: add_edges(graph(), NODES, -0.1, 0), "from 0 on"),
        (lambda: add_edges(graph(), NODES, float("inf"), 0), "from 0 on"),
        (lambda: add_edges(graph(), 5, 0.1, 0), "not between the nodes"),
        (lambda: noisy_features(np.ones((3, 2)), -1, 0), "from 0 on"),
        (lambda: noisy_features(np.ones(3), 1, 0), r"features \(N, F\)"),
        (lambda: summarise_curve([0, 0.1], [1.0]), "one accuracy per level"),
        (lambda: summarise_curve([0.1, 0], [1.0, 0.5]), "levels that rise"),
    ],
)
def test_wrong_input_is_refused_in_words(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_no_edges_are_no_edges():
    none = np.zeros((2, 0), dtype=np.int64)
    assert remove_edges(none, 0.5, 0).shape == (2, 0)
    assert add_edges(none, 5, 1.0, 0).shape == (2, 0)


def test_a_curve_is_its_area_over_its_width_and_its_drops():
    found = summarise_curve([0, 0.1, 0.5], [0.8, 0.7, 0.3])
    assert found.area == pytest.approx((0.1 * 0.75 + 0.4 * 0.5) / 0.5)
    assert found.drops == pytest.approx((0.0, 0.1, 0.5))
    assert summarise_curve([0, 2], [0.5, 0.5]).area == pytest.approx(0.5)
    assert summarise_curve([0], [0.4]).area == 0.4
    assert summarise_curve([0, 1], [0.4, 0.5]).drops == pytest.approx((0, -0.1))
