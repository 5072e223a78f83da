"""The nodes of a split are found once, and are the same nodes."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Data

from workbench.methods.base import PREPARED, chosen_nodes, prepared_nodes
from workbench.tasks import NodeClassification, split_nodes, with_split_nodes


def test_a_prepared_graph_gives_the_same_loss_and_metrics(small_graph: Data) -> None:
    task, prepared = NodeClassification(), with_split_nodes(small_graph)
    logits = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    assert task.loss(logits, prepared) == task.loss(logits, small_graph)
    for split in ("train", "val", "test"):
        assert task.evaluate(logits, prepared, split) == task.evaluate(logits, small_graph, split)


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_nodes_of_a_split_are_those_of_its_mask(small_graph: Data, split: str) -> None:
    first = {"train": 0, "val": 20}[split]
    assert split_nodes(with_split_nodes(small_graph), split).tolist() == list(range(first, first + 20))


def test_a_prepared_graph_is_not_asked_for_its_masks_again(small_graph: Data) -> None:
    prepared = with_split_nodes(small_graph)
    for split in ("train", "val"):
        del prepared[f"{split}_mask"]
    NodeClassification().evaluate(torch.zeros(60, 3), prepared, "val")
    found = chosen_nodes(prepared, "train")
    assert found is not None
    assert found.tolist() == list(range(20))
    assert "train_mask" in small_graph, "the graph itself stays as it was"


def test_the_test_nodes_are_not_prepared(small_graph: Data) -> None:
    assert set(prepared_nodes(with_split_nodes(small_graph))) == {"train", "val"}


@pytest.mark.parametrize("name", ["split_nodes", PREPARED])
def test_what_a_graph_carries_of_its_own_is_not_taken_for_its_splits(small_graph: Data, name: str) -> None:
    small_graph[name] = {"train": torch.tensor([59]), "val": torch.tensor([59])}
    assert split_nodes(small_graph, "train").tolist() == list(range(20))
    found = chosen_nodes(small_graph, "train")
    assert found is not None
    assert found.tolist() == list(range(20))
