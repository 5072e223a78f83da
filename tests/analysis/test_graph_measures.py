"""Homophily of a node, and its distance to the nearest training node."""

import networkx as nx
import numpy as np
import pytest

from workbench.analysis.graph_measures import UNREACHABLE, hops_to, local_homophily
from workbench.errors import UsageError


def random_graph(seed, nodes=60, edges=90):
    return np.random.default_rng(seed).integers(nodes, size=(2, edges))


def homophily_in_a_loop(edges, labels):
    shares = np.full(len(labels), np.nan)
    for node, label in enumerate(labels):
        votes = [labels[j] == label for j, i in edges.T if i == node != j and labels[j] >= 0 <= label]
        if votes:
            shares[node] = sum(votes) / len(votes)
    return shares


@pytest.mark.parametrize("seed", range(5))
def test_homophily_is_the_share_of_in_neighbours_with_the_own_label(seed):
    edges, labels = random_graph(seed), np.random.default_rng(seed + 100).integers(-1, 3, size=60)
    np.testing.assert_array_equal(local_homophily(edges, labels), homophily_in_a_loop(edges, labels))


def test_only_who_sends_to_a_node_is_its_neighbour():
    found = local_homophily([[0, 1], [2, 2]], [5, 4, 5])
    np.testing.assert_array_equal(found, [np.nan, np.nan, 0.5])


def test_a_node_is_not_its_own_neighbour():
    assert np.isnan(local_homophily([[0], [0]], [1])).all()


def test_unknown_labels_are_left_out():
    found = local_homophily([[1, 2, 0], [0, 0, 1]], [3, -1, 3])
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan])


@pytest.mark.parametrize("seed", range(5))
def test_hops_are_the_shortest_path_of_the_undirected_graph(seed):
    edges, goals = random_graph(seed), np.random.default_rng(seed).random(60) < 0.1
    graph = nx.Graph(edges.T.tolist())
    graph.add_nodes_from(range(60))
    near = nx.multi_source_dijkstra_path_length(graph, set(np.flatnonzero(goals).tolist()))
    assert hops_to(edges, goals).tolist() == [near.get(node, UNREACHABLE) for node in range(60)]


def test_a_long_path_is_walked_to_its_end():
    path = np.stack([np.arange(499), np.arange(1, 500)])
    goals = np.arange(500) == 499
    assert hops_to(path, goals).tolist() == list(range(499, -1, -1))


def test_without_a_goal_or_an_edge_nobody_arrives():
    assert hops_to([[0, 1], [1, 2]], [False] * 3).tolist() == [UNREACHABLE] * 3
    assert hops_to(np.zeros((2, 0), dtype=int), [True, False]).tolist() == [0, UNREACHABLE]


@pytest.mark.parametrize("edges", [[[0], [3]], [[-1], [0]], [[0, 1]], [[0.5], [1.0]]])
def test_edges_that_are_none_are_refused(edges):
    with pytest.raises(UsageError, match="edges"):
        hops_to(edges, [True, False, False])
    with pytest.raises(UsageError, match="edges"):
        local_homophily(edges, [0, 1, 0])
