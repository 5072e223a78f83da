"""Places of nodes over time that do not jump."""

import numpy as np
import pytest

from workbench.analysis.evolution import most_linked
from workbench.analysis.snapshot_layout import evolving_layout
from workbench.errors import UsageError

ROUNDING = 1e-6


def drawn_at_random(seed=0, nodes=80, snapshots=6, links=150):
    """Links that have nothing to do with those of the snapshot before, among more and more nodes: the worst case."""
    rng = np.random.default_rng(seed)
    birth = np.sort(rng.integers(0, snapshots, nodes))
    birth[:10] = 0
    return [
        np.unique(np.sort(rng.integers(0, (birth <= t).sum(), (2, links)), axis=0), axis=1) for t in range(snapshots)
    ], birth


def ring(nodes, first=0):
    return np.array([[first + i, first + (i + 1) % nodes] for i in range(nodes)]).T


@pytest.mark.parametrize("max_move", [0.05, 0.01])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_node_that_was_there_moves_farther_than_the_bound(max_move, seed):
    links, birth = drawn_at_random(seed)
    places = evolving_layout(links, birth, max_move=max_move)
    moved = np.linalg.norm(np.diff(places.astype(float), axis=0), axis=2)
    assert np.nanmax(moved) <= max_move + ROUNDING
    assert np.nanmax(moved) > max_move / 2  # links drawn anew would take the nodes farther


def test_without_a_bound_and_an_anchor_nodes_do_jump():
    links, birth = drawn_at_random()
    places = evolving_layout(links, birth, anchor=0.0, max_move=10.0)
    assert np.nanmax(np.linalg.norm(np.diff(places, axis=0), axis=2)) > 0.2


def test_the_picture_fills_the_unit_square_and_nodes_have_no_place_before_their_birth():
    links, birth = drawn_at_random()
    places = evolving_layout(links, birth)
    assert (places.shape, places.dtype) == ((6, 80, 2), np.float32)
    assert (np.isfinite(places[..., 0]) == (birth <= np.arange(6)[:, None])).all()
    low, high = np.nanmin(places, axis=(0, 1)), np.nanmax(places, axis=(0, 1))
    assert (high - low).max() == pytest.approx(1, abs=1e-5)
    assert (low >= -1e-5).all()
    assert (high <= 1 + 1e-5).all()


def test_the_same_links_give_the_same_picture():
    links, birth = drawn_at_random()
    assert np.array_equal(evolving_layout(links, birth), evolving_layout(links, birth), equal_nan=True)


def test_a_stronger_anchor_keeps_nodes_nearer_to_their_place():
    links, birth = drawn_at_random()
    way = [np.nanmean(np.linalg.norm(np.diff(evolving_layout(links, birth, anchor=a), axis=0), axis=2)) for a in (0, 5)]
    assert way[1] < way[0]


def test_linked_nodes_lie_closer_together_than_others():
    two = np.concatenate([ring(12), ring(12, first=12), [[0], [12]]], axis=1)
    places = evolving_layout([two] * 3, np.zeros(24, dtype=int))[-1]
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    same = np.arange(24)[:, None] // 12 == np.arange(24) // 12
    assert distance[same].mean() < 0.6 * distance[~same].mean()


def test_a_graph_that_stays_hardly_moves():
    links, _ = drawn_at_random(snapshots=1)
    places = evolving_layout([links[0]] * 4, np.zeros(80, dtype=int))
    moved = np.linalg.norm(np.diff(places, axis=0), axis=2)
    assert moved.mean() < 0.01


def test_a_new_node_starts_at_its_neighbours():
    before, birth = ring(20), np.append(np.zeros(20, dtype=int), 1)
    after = np.append(before, [[3], [20]], axis=1)
    places = evolving_layout([before, after], birth)
    distance = np.linalg.norm(places[1, :20] - places[1, 20], axis=1)
    assert distance.argmin() in (2, 3, 4)


def test_without_iterations_a_new_node_is_at_the_mean_of_its_neighbours():
    links = [ring(20), np.append(ring(20), [[3, 8], [20, 20]], axis=1)]
    places = evolving_layout(links, np.append(np.zeros(20, dtype=int), 1), iterations=0)[1]
    assert places[20] == pytest.approx((places[3] + places[8]) / 2, abs=0.05)


def test_parts_without_any_link_between_them_stay_in_one_picture():
    two = np.append(ring(12), ring(12, first=12), axis=1)
    places = evolving_layout([two], np.zeros(24, dtype=int))[0]
    size = [np.ptp(places[part], axis=0).max() for part in (slice(12), slice(12, 24))]
    assert min(size) > 0.25  # of the picture's side


def test_a_link_pulls_the_more_the_nearer_it_is_in_time():
    def apart(when):
        links = [np.append(ring(20), [[0], [10]], axis=1) if t == when else ring(20) for t in range(6)]
        places = evolving_layout(links, np.zeros(20, dtype=int))[0]
        return np.linalg.norm(places[0] - places[10])

    assert apart(0) < apart(2) < apart(5)


def test_a_part_without_any_way_to_the_rest_gets_a_place_of_its_own():
    old = np.stack(np.triu_indices(10, 1))
    new = 10 + np.stack(np.triu_indices(6, 1))
    places = evolving_layout([old, np.append(old, new, axis=1)], np.repeat([0, 1], [10, 6]))[1]
    within = np.linalg.norm(places[10:] - places[10:].mean(axis=0), axis=1).max()
    assert np.linalg.norm(places[10:].mean(axis=0) - places[:10], axis=1).min() > within


def test_of_a_large_graph_the_nodes_with_most_links_are_laid_out():
    star = np.array([[0] * 9 + [1], [*range(1, 10), 2]])
    places = evolving_layout([star, star], np.zeros(10, dtype=int), most_nodes=3)
    assert np.flatnonzero(np.isfinite(places[0, :, 0])).tolist() == [0, 1, 2]
    assert most_linked([star], 10, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("links", "birth"),
    [
        ([np.zeros((2, 0), dtype=int)] * 2, np.zeros(3, dtype=int)),
        ([np.array([[0], [0]])], np.zeros(1, dtype=int)),
        ([np.array([[0], [1]]), np.zeros((2, 0), dtype=int)], np.zeros(2, dtype=int)),
        ([np.array([[0], [1]])] * 2, np.array([0, 0, 1, 2])),  # two without a link, one of them never born
        ([np.zeros((2, 0), dtype=int), np.array([[0], [1]])], np.array([1, 1])),
    ],
    ids=["no link", "one node", "links that end", "nodes without links", "nobody at first"],
)
def test_awkward_graphs_have_places(links, birth):
    places = evolving_layout(links, birth)
    there = birth <= np.arange(len(links))[:, None]
    assert (np.isfinite(places).all(axis=2) == there).all()


def test_links_of_unknown_nodes_are_refused():
    with pytest.raises(UsageError, match=r"outside 0\.\.2"):
        evolving_layout([np.array([[0], [3]])], np.zeros(3, dtype=int))
