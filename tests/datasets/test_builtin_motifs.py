"""The drawn graphs: each holds the motif that its class says, and a seed always gives the same ones."""

import networkx as nx
import pytest
import torch

from workbench.datasets import BuiltinMotifsConfig, fingerprint, load_dataset
from workbench.datasets.builtin_motifs import MOTIFS


def small(**options):
    return load_dataset(BuiltinMotifsConfig(graphs_per_class=10, **options))


def graph(data, number) -> nx.Graph:
    batch = data.mini_batch(torch.tensor([number]))
    found = nx.Graph()
    found.add_nodes_from(range(batch.x.shape[0]))
    found.add_edges_from(batch.edge_index.T.tolist())
    return found


def test_a_graph_seed_always_draws_the_same_graphs():
    assert fingerprint(small()) == fingerprint(small())
    assert fingerprint(small(graph_seed=1)) != fingerprint(small())


def test_classes_are_balanced_in_every_split():
    data = small()
    for split, count in (("train", 6), ("val", 2), ("test", 2)):
        assert torch.bincount(data.y[data.of_split(split)]).tolist() == [count] * len(MOTIFS)


def test_no_two_motifs_are_the_same_graph_and_all_have_six_nodes():
    motifs = [nx.Graph(pairs) for pairs in MOTIFS.values()]
    assert [len(motif) for motif in motifs] == [6] * len(MOTIFS)
    assert all(nx.is_connected(motif) for motif in motifs)
    assert not any(nx.is_isomorphic(a, b) for i, a in enumerate(motifs) for b in motifs[:i])


def test_only_the_motif_of_its_class_is_not_a_tree():
    data = small()
    names = list(MOTIFS)
    for number in range(len(data)):
        whole = graph(data, number)
        assert nx.is_connected(whole)
        motif = nx.Graph(MOTIFS[names[int(data.y[number])]])
        cycles = whole.number_of_edges() - len(whole) + 1
        assert cycles == motif.number_of_edges() - len(motif) + 1
        last = whole.subgraph(range(len(whole) - 6, len(whole)))  # the motif comes after the tree
        assert nx.is_isomorphic(last, motif)


def test_every_edge_stands_in_both_directions():
    data = small(base="preferential")
    pairs = set(map(tuple, data.mini_batch(torch.arange(len(data))).edge_index.T.tolist()))
    assert {(b, a) for a, b in pairs} == pairs
    assert len(pairs) == data.edge_index.shape[1]


def test_what_is_grown_has_two_edges_for_every_new_node():
    data = small(base="preferential")
    whole = graph(data, 0)
    base = whole.subgraph(range(len(whole) - 6))
    assert base.number_of_edges() == 3 + 2 * (len(base) - 3)


@pytest.mark.parametrize("number", [0, 17, 49])
def test_features_are_all_the_same_or_tell_the_degree(number):
    whole = graph(small(), number)
    assert small().x.unique().tolist() == [1.0]
    features = small(features="degree").mini_batch(torch.tensor([number])).x
    assert features.argmax(1).tolist() == [min(degree, 8) for _, degree in whole.degree()]
    assert features.sum(1).unique().tolist() == [1.0]


def test_sizes_are_those_that_are_asked_for():
    sizes = small(smallest=5, largest=7).node_slices.diff()
    assert sizes.unique().tolist() == [11, 12, 13]
