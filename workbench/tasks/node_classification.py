"""Node classification with one label per node: loss, accuracy, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.tasks.base import Metrics
from workbench.tasks.splits import Split, split_nodes

if TYPE_CHECKING:
    from torch_geometric.data import Data


class NodeClassification:
    """Cross-entropy on the labelled training nodes; accuracy selects the epoch."""

    metrics = ("accuracy", "loss")
    selection_metric = "accuracy"

    def loss(self, logits: Tensor, batch: Data) -> Tensor:
        """Mean cross-entropy (nats) of logits (N, C) on the training nodes."""
        nodes = split_nodes(batch, "train")
        return F.cross_entropy(logits[nodes], batch.y[nodes])

    def measure(self, logits: Tensor, batch: Data, split: Split) -> Tensor:
        """:attr:`metrics` (2,) of logits (N, C) on one split, still on the device."""
        nodes = split_nodes(batch, split)
        chosen, labels = logits[nodes].float(), batch.y[nodes]  # (n, C), (n,)
        return torch.stack([(chosen.argmax(1) == labels).float().mean(), F.cross_entropy(chosen, labels)])

    def named(self, values: Iterable[float]) -> Metrics:
        """What :meth:`measure` gave, as numbers by name."""
        return dict(zip(self.metrics, values, strict=True))

    def evaluate(self, logits: Tensor, batch: Data, split: Split) -> Metrics:
        """Accuracy in 0..1 and cross-entropy (nats) of logits (N, C) on one split."""
        return self.named(self.measure(logits, batch, split).tolist())
