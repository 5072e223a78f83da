"""The graph around a node: who is in it, which edges, and where everyone stands."""

import networkx as nx
import numpy as np
import pytest

from workbench.analysis.ego_graph import ego_graph
from workbench.errors import UsageError


def edges_of(graph):
    return np.array(list(graph.edges)).reshape(-1, 2).T


@pytest.fixture
def club():
    """The karate club as a directed graph, both ways along every tie."""
    return nx.karate_club_graph().to_directed()


@pytest.mark.parametrize("node", [0, 11, 33])
def test_one_hop_is_the_node_and_whoever_sends_to_it(club, node):
    ego = ego_graph(edges_of(club), 34, node)
    assert ego.nodes.tolist() == [node, *sorted(club.predecessors(node))]
    assert ego.hop.tolist() == [0] + [1] * club.in_degree(node)
    assert (ego.centre, ego.left_out) == (node, 0)


def test_direction_matters():
    ego = ego_graph([[1, 0], [0, 2]], 3, 0)  # 1 → 0 → 2
    assert ego.nodes.tolist() == [0, 1]


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_edges_are_all_those_among_its_nodes(hops, seed):
    graph = nx.gnp_random_graph(40, 0.08, seed=seed, directed=True)
    edge_index = edges_of(graph)
    ego = ego_graph(edge_index, 40, 0, hops)
    back = nx.single_source_shortest_path_length(graph.reverse(), 0, cutoff=hops)
    assert set(ego.nodes.tolist()) == set(back)
    assert dict(zip(ego.nodes.tolist(), ego.hop.tolist(), strict=True)) == back
    assert set(zip(*ego.nodes[ego.edge_index].tolist(), strict=True)) == set(graph.subgraph(back).edges)
    assert np.array_equal(edge_index[:, ego.edges], ego.nodes[ego.edge_index])


def test_loops_and_edges_that_are_there_twice_stay():
    ego = ego_graph([[0, 1, 1, 1], [0, 0, 0, 1]], 2, 0)
    assert ego.nodes.tolist() == [0, 1]
    assert ego.edges.tolist() == [0, 1, 2, 3]


def test_of_too_many_neighbours_those_with_most_edges_stay():
    star = [(j, 0) for j in range(1, 9)]
    more = [(5, 7), (7, 5), (5, 2), (7, 2)]  # into the neighbours: 5 and 7 have two more than the others
    ego = ego_graph(np.array(star + more).T, 9, 0, at_most=3)
    assert ego.nodes.tolist() == [0, 1, 5, 7]  # 1 is the first of the equal ones
    assert ego.left_out == 5


def test_the_nearer_hop_comes_first_where_there_is_no_room_for_both():
    chain = [(j, 0) for j in (1, 2, 3)] + [(4, 1), (5, 1), (5, 2)]
    ego = ego_graph(np.array(chain).T, 6, 0, hops=2, at_most=4)
    assert ego.nodes.tolist() == [0, 1, 2, 3, 5]
    assert ego.left_out == 1
    assert ego_graph(np.array(chain).T, 6, 0, hops=2, at_most=2).nodes.tolist() == [0, 1, 2]


def test_an_isolated_node_stands_alone():
    ego = ego_graph(np.zeros((2, 0), dtype=int), 3, 1)
    assert (ego.nodes.tolist(), ego.edges.tolist(), ego.position.tolist()) == ([1], [], [[0.0, 0.0]])


@pytest.mark.parametrize("node", [0, 33])
@pytest.mark.parametrize("hops", [1, 2])
def test_every_hop_has_its_ring_and_nobody_stands_on_another(club, node, hops):
    ego = ego_graph(edges_of(club), 34, node, hops)
    assert np.allclose(np.hypot(*ego.position.T), ego.hop, atol=1e-6)
    apart = np.linalg.norm(ego.position[:, None] - ego.position[None], axis=2)
    assert apart[~np.eye(len(apart), dtype=bool)].min() > np.pi / len(ego.nodes)  # half of an even step on a ring
    assert ego.position.dtype == np.float32


def test_linked_neighbours_stand_side_by_side():
    groups = [(1, 4, 7, 10), (2, 5, 8, 11), (3, 6, 9, 12)]  # cliques whose numbers alternate
    edges = [(j, 0) for j in range(1, 13)] + [(a, b) for group in groups for a in group for b in group if a != b]
    ego = ego_graph(np.array(edges).T, 13, 0)
    angle = np.arctan2(*ego.position.T)
    around = [int((ego.nodes[number] - 1) % 3) for number in np.argsort(angle) if number]
    assert sum(a != b for a, b in zip(around, around[1:] + around[:1], strict=True)) == 3  # three runs of one group


def test_the_second_hop_stands_outside_one_that_it_is_linked_to():
    edges = [(j, 0) for j in range(1, 6)] + [(10 + j, j) for j in range(1, 6)] + [(20 + j, j) for j in range(1, 6)]
    ego = ego_graph(np.array(edges).T, 30, 0, hops=2)
    place = dict(zip(ego.nodes.tolist(), ego.position, strict=True))
    for j in range(1, 6):
        for child in (10 + j, 20 + j):
            nearest = max(range(1, 6), key=lambda other, child=child: float(place[child] @ place[other]))
            assert nearest == j


def test_the_same_graph_has_the_same_picture(club):
    rng = np.random.default_rng(0)
    first = edges_of(club)
    again = first[:, rng.permutation(first.shape[1])]
    one, other = ego_graph(first, 34, 33, 2), ego_graph(again, 34, 33, 2)
    assert np.array_equal(one.nodes, other.nodes)
    assert np.array_equal(one.position, other.position)


@pytest.mark.parametrize(
    ("edges", "arguments", "message"),
    [
        ([[0], [1]], {"node": 3}, "there is no node 3"),
        ([[0], [1]], {"node": -1}, "there is no node -1"),
        ([[0], [9]], {"node": 0}, "outside 0 to 2"),
        ([[0], [1]], {"node": 0, "hops": 3}, "1 or 2 hops"),
        ([[0], [1]], {"node": 0, "at_most": 0}, "at least one neighbour"),
        ([0, 1], {"node": 0}, r"shape \(2, E\)"),
        ([[0, 1], [1, 2], [0, 2]], {"node": 0}, r"shape \(2, E\)"),
        ([[0.0], [1.0]], {"node": 0}, "whole numbers"),
    ],
)
def test_what_cannot_be_drawn_is_said(edges, arguments, message):
    with pytest.raises(UsageError, match=message):
        ego_graph(edges, 3, **arguments)
