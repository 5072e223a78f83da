"""Node classification: accuracy and the area under the ROC curve, and which of them selects the epoch."""

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch_geometric.data import Data

from workbench.tasks import NodeClassification, with_split_nodes
from workbench.tasks.node_classification import area_under_roc


def graph(y: torch.Tensor) -> Data:
    """Nodes that all validate but for the first, which trains, and the last, which tests."""
    place = torch.ones(len(y), dtype=torch.long)
    place[0], place[-1] = 0, 2
    return Data(y=y, train_mask=place == 0, val_mask=place == 1, test_mask=place == 2, num_nodes=len(y))


@pytest.mark.parametrize("levels", [2, 3, 10, 10**9])  # from nearly everything tied to nothing
@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("size", [50, 3000])
def test_the_area_is_that_of_scikit_learn(levels, share, size):
    generator = torch.Generator().manual_seed(size + levels)
    labels = torch.rand(size, generator=generator).lt(share).long()
    labels[:2] = torch.tensor([0, 1])
    scores = torch.randint(-levels, levels, (size,), generator=generator).float() + labels
    expected = roc_auc_score(labels.numpy(), scores.double().numpy())
    assert area_under_roc(scores, labels).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("scores", "labels", "area"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0),
        ([5, 5, 5, 5], [0, 1, 0, 1], 0.5),
        ([1, 2, 2, 3], [0, 1, 0, 1], 3.5 / 4),
        ([-math.inf, 0, math.inf], [0, 1, 1], 1),
    ],
)
def test_equal_scores_count_half(scores, labels, area):
    assert area_under_roc(torch.tensor(scores, dtype=torch.float), torch.tensor(labels)).item() == area


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_without_both_classes_there_is_no_area(labels):
    assert area_under_roc(torch.rand(3), torch.tensor(labels)).isnan()


def test_a_score_that_is_no_number_gives_no_area():
    assert area_under_roc(torch.tensor([0.1, torch.nan, 0.3]), torch.tensor([0, 1, 1])).isnan()


def test_a_hundred_thousand_nodes_of_a_class_are_counted_exactly():
    """More pairs (10¹⁰) than a float32 can count: every node of class 1 wins but one, which loses against all."""
    half = 100_000
    scores = torch.cat([torch.arange(half), torch.arange(half, 2 * half - 1), torch.tensor([-1])]).float()
    labels = torch.cat([torch.zeros(half), torch.ones(half)]).long()
    assert area_under_roc(scores, labels).item() == pytest.approx(1 - 1 / half, abs=1e-7)


def test_a_node_is_ranked_by_the_odds_of_class_1():
    """Both logits count, and large ones, whose probabilities are the same in float32, are still told apart."""
    logits = torch.tensor([[0, 0], [0.0, 40.0], [5.0, 60.0], [-30.0, 0.0], [0, 0]])
    found = NodeClassification("auc").evaluate(logits, graph(torch.tensor([0, 0, 1, 0, 0])), "val")
    assert found["auc"] == 1


@pytest.mark.parametrize(
    ("metric", "names"), [("accuracy", ["accuracy", "loss"]), ("auc", ["auc", "accuracy", "loss"])]
)
def test_the_metric_selects_and_the_others_stand_beside_it(metric, names):
    task = NodeClassification(metric)
    y = torch.tensor([0, 0, 1, 1, 0, 1])
    logits = torch.tensor([[0, 0], [2.0, 0], [1.0, 0], [0, 1.0], [0, 3.0], [0, 0]])
    found = task.evaluate(logits, graph(y), "val")
    assert list(found) == list(task.metrics) == names
    assert task.selection_metric == metric
    assert found["accuracy"] == 0.5
    terms = [math.log1p(math.exp(gap)) for gap in (-2, 1, -1, 3)]
    assert found["loss"] == pytest.approx(sum(terms) / 4, rel=1e-6)
    if metric == "auc":  # scores −2 −1 1 3 of classes 0 1 1 0: two of four pairs are in order
        assert found["auc"] == 0.5


def test_nothing_in_the_area_depends_on_what_the_tensors_hold():
    """Values of a meta tensor are not known: whatever asked for one would fail, as it would in a CUDA graph."""
    scores, labels = torch.empty(7, device="meta"), torch.empty(7, dtype=torch.long, device="meta")
    assert area_under_roc(scores, labels).shape == ()


def test_the_measure_is_of_the_prepared_nodes():
    task, y = NodeClassification("auc"), torch.tensor([0, 1, 0, 1, 1, 0])
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(task.measure(logits, graph(y), "val"), task.measure(logits, with_split_nodes(graph(y)), "val"))
