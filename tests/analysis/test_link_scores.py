"""Scores of node pairs without learning, against networkx and by hand."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from workbench.analysis.link_scores import adamic_adar, common_neighbours, edge_bank, preferential_attachment


def drawn(seed: int, nodes: int = 25, links: int = 60) -> tuple[nx.Graph, np.ndarray, np.ndarray]:
    """A random graph, its links with some listed twice, the other way round and as loops, and all pairs of nodes."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, nodes - 2, size=(2, links))  # two nodes are isolated
    ends = ends[:, ends[0] != ends[1]]
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(ends.T.tolist())
    loops = np.array([[0, 3, 5], [0, 3, 5]])
    pairs = np.array([(a, b) for a in range(nodes) for b in range(nodes) if a != b]).T
    return graph, np.concatenate([ends, ends[:, :9], ends[::-1, 5:20], loops], axis=1), pairs


@pytest.mark.parametrize("seed", range(4))
def test_common_neighbours_are_those_of_networkx(seed: int) -> None:
    graph, links, pairs = drawn(seed)
    expected = [len(list(nx.common_neighbors(graph, a, b))) for a, b in pairs.T.tolist()]
    assert max(expected) > 2
    assert common_neighbours(links, pairs, 25).tolist() == expected


@pytest.mark.parametrize("seed", range(4))
def test_products_of_degrees_are_those_of_networkx(seed: int) -> None:
    graph, links, pairs = drawn(seed)
    expected = [score for _, _, score in nx.preferential_attachment(graph, pairs.T.tolist())]
    assert preferential_attachment(links, pairs, 25).tolist() == expected


@pytest.mark.parametrize("seed", range(4))
def test_adamic_adar_is_that_of_networkx(seed: int) -> None:
    graph, links, pairs = drawn(seed)
    expected = [score for _, _, score in nx.adamic_adar_index(graph, pairs.T.tolist())]
    assert max(expected) > 1
    np.testing.assert_allclose(adamic_adar(links, pairs, 25), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_edge_bank_remembers_links_in_either_direction(seed: int) -> None:
    graph, links, pairs = drawn(seed)
    assert edge_bank(links, pairs, 25).tolist() == [float(graph.has_edge(a, b)) for a, b in pairs.T.tolist()]


def test_a_small_graph_by_hand() -> None:
    # 0 – 2 – 1 and 0 – 3 – 1, with 3 also linked to 4: nodes 0 and 1 share 2 (two links) and 3 (three).
    links = np.array([[0, 2, 0, 3, 3], [2, 1, 3, 1, 4]])
    pairs = np.array([[0, 0, 2], [1, 4, 3]])
    assert common_neighbours(links, pairs, 5).tolist() == [2, 1, 2]
    expected = [1 / math.log(2) + 1 / math.log(3), 1 / math.log(3), 2 / math.log(2)]
    assert adamic_adar(links, pairs, 5) == pytest.approx(expected)
    assert edge_bank(links, pairs, 5).tolist() == [0, 0, 0]


@pytest.mark.parametrize("score", [common_neighbours, adamic_adar, preferential_attachment, edge_bank])
def test_without_links_or_without_pairs(score) -> None:
    none, some = np.zeros((2, 0), dtype=np.int64), np.array([[0, 1], [1, 2]])
    assert score(none, some, 3).tolist() == [0.0, 0.0]
    assert score(some, none, 3).shape == (0,)
    assert score(some.astype(np.int32), some.astype(np.int32), 3).dtype == np.float64
