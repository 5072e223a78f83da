"""Mini-batches of whole graphs or point clouds: how a model reads them, and what it predicts for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.models.base import Output
from workbench.training.step import autocast

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection
    from workbench.datasets.point_clouds import PointClouds
    from workbench.spec import Training

USUAL_BATCH = 32


def encode_batch(model: nn.Module, batch: Any) -> Output:
    """What a model gives for a mini-batch of whole graphs or clouds, which have no edges.

    A model that ``takes_batch`` is told which graph every node is of, one that ``takes_edge_attr`` what is known of
    every edge; any other model sees one graph with disjoint parts.
    """
    more: dict[str, Any] = {}
    if getattr(model, "takes_batch", False):
        more["batch"] = batch.batch
    if getattr(model, "takes_edge_attr", False):
        more["edge_attr"] = batch.edge_attr if "edge_attr" in batch else None
    output: Output = model.encode(batch.x, batch.edge_index, **more)  # type: ignore[operator]
    return output


def in_batches(chosen: Tensor, training: Training) -> tuple[Tensor, ...]:
    """The chosen graphs (m,) in mini-batches."""
    return torch.split(chosen, training.batch_size or USUAL_BATCH)


def shuffled_batches(chosen: Tensor, training: Training, several: bool = True) -> list[Tensor]:
    """The same in random order; with ``several`` a last one of a single graph, which has nothing to normalise over, is
    left for another epoch."""
    order = torch.randperm(chosen.numel(), device=chosen.device)
    return [batch for batch in in_batches(chosen[order], training) if batch.numel() > 1 or not several]


@torch.no_grad()
def predict(model: nn.Module, data: GraphCollection | PointClouds, chosen: Tensor, training: Training) -> Tensor:
    """Logits of the chosen graphs (m,) as they are, in evaluation mode and in the number format of training.

    A row (C,) for every graph, or for every node of them, in the order in which ``data.labels_of`` has their labels.
    """
    model.eval()
    with autocast(chosen.device, training):
        found = [encode_batch(model, data.mini_batch(batch)).logits for batch in in_batches(chosen, training)]
    return torch.cat(found)
