"""Figures of small graphs by hand, and one message for everything that keeps a graph from being learned."""

import pytest
import torch
from torch_geometric.data import Data

from workbench.datasets import check, fingerprint, measure
from workbench.errors import UsageError


@pytest.fixture
def graph():
    """0 – 1 – 2 in both directions, a loop at 3, an isolated 4, an unlabelled 5 tied to 0."""
    mask = torch.zeros(7, dtype=torch.bool)
    train, val, test = mask.clone(), mask.clone(), mask.clone()
    train[[0, 2]], val[1], test[[3, 4]] = True, True, True
    return Data(
        x=torch.arange(14.0).view(7, 2),
        edge_index=torch.tensor([[0, 1, 1, 2, 3, 5, 6], [1, 0, 2, 1, 3, 0, 6]]),
        y=torch.tensor([0, 0, 1, 1, 0, -1, 1]),
        train_mask=train,
        val_mask=val,
        test_mask=test,
    )


def refused(graph, *parts):
    with pytest.raises(UsageError) as caught:
        check(graph, "the data you passed")
    text = str(caught.value)
    assert text.startswith("the data you passed")
    for part in parts:
        assert part in text
    return text


def test_figures_are_those_counted_by_hand(graph):
    check(graph, "graph")
    assert measure(graph) == {
        "nodes": 7,
        "edges": 7,
        "features": 2,
        "classes": 2,
        "homophily": 4 / 6,  # 0–1 twice, two loops; 1–2 differs twice; 5 has no label
        "train": 2,
        "val": 1,
        "test": 2,
        "isolated_nodes": 3,  # 3 and 6 have only themselves, 4 nobody
    }


def test_the_fingerprint_depends_on_every_part(graph):
    first = fingerprint(graph)
    assert first == fingerprint(graph.clone())
    assert len(first) == 12
    changes = [first]
    for name in ("x", "edge_index", "y", "train_mask", "val_mask", "test_mask"):
        changed = graph.clone()
        flat = changed[name].view(-1)
        flat[0] = ~flat[0] if flat.dtype == torch.bool else flat[0] + 1
        changes.append(fingerprint(changed))
    reshaped = graph.clone()
    reshaped.x = graph.x.view(2, 7)
    changes.append(fingerprint(reshaped))
    assert len(set(changes)) == len(changes)


def test_a_graph_without_edges_is_refused(graph):
    graph.edge_index = graph.edge_index[:, :0]
    refused(graph, "no edges")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_feature_that_is_not_finite_is_named(graph, value):
    graph.x[4, 1] = value
    refused(graph, "1 value", "node 4, feature 1")


@pytest.mark.parametrize("edge", [7, -1])
def test_an_edge_to_nowhere_is_refused(graph, edge):
    graph.edge_index[1, 2] = edge
    refused(graph, str(edge), "expected 0 to 6")


def test_a_label_below_minus_one_is_refused(graph):
    graph.y[4] = -3
    refused(graph, "y goes down to -3")


def test_an_unlabelled_node_may_not_be_in_the_split(graph):
    graph.y[3] = -1
    refused(graph, "1 node of the split has no label (node 3")


def test_a_class_without_a_training_node_is_refused(graph):
    graph.y[6] = 3
    refused(graph, "no training node has labels 2, 3")


def test_an_absurd_label_does_not_ask_for_memory(graph):
    graph.y[6] = 2**62
    refused(graph, "without gaps")


def test_one_class_is_not_enough(graph):
    graph.y[graph.y == 1] = 0
    refused(graph, "expected at least two")


@pytest.mark.parametrize(
    ("name", "title"), [("train_mask", "training"), ("val_mask", "validation"), ("test_mask", "test")]
)
def test_an_empty_split_is_refused(graph, name, title):
    graph[name] = torch.zeros(7, dtype=torch.bool)
    refused(graph, f"the {title} split is empty")


def test_overlapping_splits_are_refused(graph):
    graph.test_mask[0] = True
    refused(graph, "the training and test splits share 1 node (node 0")


@pytest.mark.parametrize("name", ["y", "train_mask", "val_mask", "test_mask"])
def test_a_part_of_another_length_is_refused(graph, name):
    graph[name] = graph[name][:5]
    refused(graph, f"{name} has 5 entries for the 7 nodes")


@pytest.mark.parametrize("name", ["x", "edge_index", "y", "train_mask", "val_mask", "test_mask"])
def test_a_missing_part_is_refused(graph, name):
    del graph[name]
    refused(graph, f"{name} is missing")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", torch.zeros(7, 2, dtype=torch.float64)),
        ("x", torch.zeros(7)),
        ("x", torch.zeros(7, 2).to_sparse()),
        ("edge_index", torch.zeros(7, 2, dtype=torch.int64)),
        ("edge_index", torch.zeros(2, 7)),
        ("y", torch.zeros(7)),
        ("y", torch.zeros(7, 1, dtype=torch.int64)),
        ("y", [0, 1]),
        ("train_mask", torch.zeros(7, dtype=torch.int64)),
        ("val_mask", torch.zeros(7, 10, dtype=torch.bool)),
    ],
)
def test_a_part_of_another_type_or_shape_is_refused(graph, name, value):
    graph[name] = value
    refused(graph, f"{name} is ", "expected a dense tensor")


@pytest.mark.parametrize("x", [torch.zeros(7, 0), torch.zeros(0, 2)])
def test_a_graph_without_features_or_nodes_is_refused(graph, x):
    graph.x = x
    refused(graph, "expected")


def test_everything_wrong_is_said_at_once(graph):
    graph.x[0, 0] = float("nan")
    graph.edge_index[0, 0] = 99
    graph.test_mask[:] = False
    assert refused(graph, "NaN", "99", "test split is empty").count("\n  - ") == 3
