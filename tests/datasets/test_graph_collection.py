"""Many graphs in a few tensors: mini-batches, splits, and what is refused."""

import copy
from collections import Counter

import numpy as np
import pytest
import torch
from small_graphs import EDGE_ATTR, EDGES, LABELS, SIZES, X, graphs
from torch_geometric.data import Batch, Data

from workbench.datasets import GraphCollection, check, fingerprint, measure
from workbench.datasets.channels import Channels, edge_channels
from workbench.errors import UsageError


def separate(number: int) -> Data:
    """One of the graphs by itself."""
    first = sum(SIZES[:number])
    before = sum(map(len, EDGES[:number]))
    edges = torch.tensor(EDGES[number], dtype=torch.long).view(-1, 2).T
    return Data(
        x=torch.from_numpy(X[first : first + SIZES[number]]),
        edge_index=edges,
        edge_attr=torch.from_numpy(EDGE_ATTR[before : before + len(EDGES[number])]),
        y=torch.tensor([LABELS[number]]),
    )


@pytest.mark.parametrize("chosen", [[0], [1], [2, 0], [1, 1, 2], [0, 1, 2, 3]])
def test_a_mini_batch_is_that_of_pyg(chosen):
    found = graphs().mini_batch(torch.tensor(chosen))
    expected = Batch.from_data_list([separate(number) for number in chosen])
    for name in ("x", "edge_index", "edge_attr", "y", "batch"):
        assert torch.equal(found[name], expected[name]), name


def test_labels_of_nodes_come_with_their_nodes():
    labels = torch.arange(10) % 2
    found = graphs(level="node", y=labels)
    assert found.mini_batch(torch.tensor([2, 0])).y.tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert found.labels_of(torch.tensor([2])).tolist() == labels[4:8].tolist()
    assert found.rows_of(torch.tensor([2])).tolist() == [4, 5, 6, 7]


def test_arrays_in_any_order_of_edges_give_the_same_graphs():
    first = np.cumsum([0, *SIZES[:-1]])
    through = [(a + begin, b + begin) for begin, pairs in zip(first, EDGES, strict=True) for a, b in pairs]
    order = [4, 1, 5, 0, 3, 2]
    found = GraphCollection.of_arrays(
        X,
        np.array(through)[order].T,
        np.repeat(np.arange(4), SIZES),
        np.array(LABELS),
        np.array([1, 1, 2, 3]),
        edge_attr=EDGE_ATTR[order],
    )
    check(found, "these")
    for number in range(4):
        mine, expected = found.mini_batch(torch.tensor([number])), separate(number)
        edges = zip(*mine.edge_index.tolist(), mine.edge_attr[:, 0].tolist(), strict=True)
        wanted = zip(*expected.edge_index.tolist(), expected.edge_attr[:, 0].tolist(), strict=True)
        assert Counter(edges) == Counter(wanted)
        assert torch.equal(mine.x, expected.x)


def test_what_is_counted():
    assert measure(graphs()) == {
        "graphs": 4, "nodes": 10, "edges": 6, "features": 2, "classes": 2, "train": 2, "val": 1, "test": 1,
    }  # fmt: skip


def test_categories_are_as_wide_as_there_are_categories():
    found = graphs(x=torch.zeros(10, 3, dtype=torch.long), node_categories=7)
    assert (found.num_features, found.num_features.edges) == (7, 1)
    assert edge_channels(found.num_features) == 1
    assert edge_channels(7) == 0


def test_a_width_knows_its_edges_wherever_it_goes():
    copied = copy.deepcopy(Channels(5, 3))
    assert (copied, copied.edges) == (5, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"y": torch.tensor([1, 0, 1, 0])},
        {"split": torch.tensor([1, 1, 3, 2], dtype=torch.int8)},
        {"edge_attr": None},
        {"x": torch.zeros(10, 2)},
        {"edge_slices": torch.tensor([0, 2, 3, 5, 6])},
    ],
)
def test_every_part_is_in_the_fingerprint(changes):
    assert fingerprint(graphs()) == fingerprint(graphs())
    assert fingerprint(graphs(**changes)) != fingerprint(graphs())


SEVERAL = torch.tensor([[0.0, 1.0], [1.0, torch.nan], [1.0, 0.0], [0.0, 0.0]])


def test_independent_labels_may_be_missing():
    check(graphs(y=SEVERAL), "these")
    assert graphs(y=SEVERAL).num_classes == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": torch.zeros(10, 2, dtype=torch.float64)}, r"x is \(10, 2\) of float64: expected \(N, F\) of float32"),
        ({"x": X}, "x is a ndarray"),
        ({"x": torch.full((10, 2), torch.nan)}, "x holds values that are NaN"),
        ({"x": torch.full((10, 2), 7), "node_categories": 7}, "categories from 7 to 7: expected 0 to 6"),
        ({"node_slices": torch.tensor([0, 3, 3, 8, 10])}, "every graph has a node at least"),
        ({"node_slices": torch.tensor([0, 3, 10])}, "node_slices has to go in 5 entries"),
        ({"edge_slices": torch.tensor([0, 3, 3, 5, 7])}, "from 0 to 6"),
        ({"edge_slices": torch.tensor([0, 0, 3, 5, 6])}, "names nodes that its graph does not have"),
        ({"edge_attr": torch.zeros(4, 1)}, "edge_attr has 4 rows"),
        ({"y": torch.tensor([0, 1])}, "y has 2 rows: expected 4, one per graph"),
        ({"level": "node"}, "y has 4 rows: expected 10, one per node"),
        ({"level": "edge"}, "level is 'edge'"),
        ({"y": torch.tensor([0, 0, 1, 0])}, "has the label 1"),
        ({"y": torch.tensor([0, -1, 1, 0])}, "y goes down to -1"),
        ({"y": torch.zeros(4, dtype=torch.long)}, "expected at least two"),
        ({"y": SEVERAL * 2}, "more than 0, 1 and NaN"),
        ({"split": torch.tensor([1, 1, 1, 3], dtype=torch.int8)}, "the split 'val' is empty"),
        ({"split": torch.tensor([1, 1, 2, 4], dtype=torch.int8)}, "split goes from 1 to 4"),
    ],
)
def test_what_cannot_be_learned_from_is_said(changes, message):
    with pytest.raises(UsageError, match=message):
        check(graphs(**changes), "these")


def test_sound_graphs_pass():
    check(graphs(), "these")
