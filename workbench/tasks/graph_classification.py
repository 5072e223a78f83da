"""Graph classification with one label per graph: loss, accuracy over graphs and over classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.tasks.base import Metrics

if TYPE_CHECKING:
    from torch_geometric.data import Data


class GraphClassification:
    """Cross-entropy on the graphs of a mini-batch; accuracy selects the epoch.

    Metrics are taken of the logits of all graphs of a split, gathered over its mini-batches: those of mini-batches
    cannot be averaged, as a class need not stand in each of them.
    """

    metrics = ("accuracy", "mean_class_accuracy", "loss")
    selection_metric = "accuracy"

    def loss(self, logits: Tensor, batch: Data) -> Tensor:
        """Mean cross-entropy (nats) of logits (B, C) against the labels y (B,) of the graphs of ``batch``."""
        return F.cross_entropy(logits, batch.y)

    def measure(self, logits: Tensor, y: Tensor) -> Tensor:
        """:attr:`metrics` (3,) of logits (M, C) of graphs with labels y (M,), still on the device.

        The mean class accuracy is the mean, over the classes that ``y`` holds, of the share of their graphs that is
        predicted right.
        """
        logits = logits.float()
        right = (logits.argmax(1) == y).float()  # (M,)
        of_class = F.one_hot(y, logits.shape[1]).to(right.dtype)  # (M, C)
        graphs = of_class.sum(0)
        shares = right @ of_class / graphs.clamp_min(1)  # of every class; 0 for one without a graph
        mean_over_classes = shares.sum() / (graphs > 0).sum()
        return torch.stack([right.mean(), mean_over_classes, F.cross_entropy(logits, y)])

    def named(self, values: Iterable[float]) -> Metrics:
        """What :meth:`measure` gave, as numbers by name."""
        return dict(zip(self.metrics, values, strict=True))

    def evaluate(self, logits: Tensor, y: Tensor) -> Metrics:
        """Both accuracies in 0..1 and cross-entropy (nats) of logits (M, C) of graphs with labels y (M,)."""
        return self.named(self.measure(logits, y).tolist())
