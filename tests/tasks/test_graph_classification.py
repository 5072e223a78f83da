"""Graph classification: what the numbers mean."""

import math

import pytest
import torch
from torch_geometric.data import Data

from workbench.tasks import GraphClassification


def test_the_loss_is_the_mean_cross_entropy_of_the_graphs():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    loss = GraphClassification().loss(logits, Data(y=torch.tensor([0, 1])))
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.1)) / 2)


def test_accuracy_counts_graphs_and_mean_class_accuracy_counts_classes():
    task = GraphClassification()
    y = torch.tensor([0, 0, 0, 0, 1, 1, 3])  # no graph of class 2
    predicted = torch.tensor([0, 0, 0, 2, 1, 0, 0])
    logits = torch.nn.functional.one_hot(predicted, 4) * 5.0
    found = task.evaluate(logits, y)
    assert list(found) == list(task.metrics)
    assert found["accuracy"] == pytest.approx(4 / 7)
    assert found["mean_class_accuracy"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    right, wrong = math.log(math.exp(5) + 3) - 5, math.log(math.exp(5) + 3)
    assert found["loss"] == pytest.approx((4 * right + 3 * wrong) / 7, rel=1e-5)


def test_classes_of_one_size_make_both_accuracies_the_same():
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(40) % 4
    found = GraphClassification().evaluate(torch.randn(40, 4, generator=generator), y)
    assert found["accuracy"] == pytest.approx(found["mean_class_accuracy"])


def test_measures_stay_tensors_until_they_are_named():
    task, y = GraphClassification(), torch.tensor([0, 1])
    values = task.measure(torch.eye(2).bfloat16(), y)
    assert values.shape == (3,)
    assert values.dtype == torch.float32
    assert task.named(values.tolist()) == task.evaluate(torch.eye(2), y)
    assert task.selection_metric in task.metrics
