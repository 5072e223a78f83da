"""Node classification with one label per node: loss, accuracy or area under the ROC curve, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.tasks.base import Metrics
from workbench.tasks.splits import Split, split_nodes

if TYPE_CHECKING:
    from torch_geometric.data import Data

Judge = Literal["accuracy", "auc"]


class NodeClassification:
    """Cross-entropy on the labelled training nodes; ``metric`` selects the epoch. ``auc`` is for two classes."""

    def __init__(self, metric: Judge = "accuracy") -> None:
        self.selection_metric: str = metric
        self.metrics: tuple[str, ...] = ("accuracy", "loss") if metric == "accuracy" else ("auc", "accuracy", "loss")

    def loss(self, logits: Tensor, batch: Data) -> Tensor:
        """Mean cross-entropy (nats) of logits (N, C) on the training nodes."""
        nodes = split_nodes(batch, "train")
        return F.cross_entropy(logits[nodes], batch.y[nodes])

    def measure(self, logits: Tensor, batch: Data, split: Split) -> Tensor:
        """:attr:`metrics` (2,) or (3,) of logits (N, C) on one split, still on the device."""
        nodes = split_nodes(batch, split)
        chosen, labels = logits[nodes].float(), batch.y[nodes]  # (n, C), (n,)
        found = [(chosen.argmax(1) == labels).float().mean(), F.cross_entropy(chosen, labels)]
        if self.selection_metric == "auc":
            found.insert(0, area_under_roc(chosen[:, 1] - chosen[:, 0], labels))
        return torch.stack(found)

    def named(self, values: Iterable[float]) -> Metrics:
        """What :meth:`measure` gave, as numbers by name."""
        return dict(zip(self.metrics, values, strict=True))

    def evaluate(self, logits: Tensor, batch: Data, split: Split) -> Metrics:
        """Accuracy and AUC in 0..1 and cross-entropy (nats) of logits (N, C) on one split."""
        return self.named(self.measure(logits, batch, split).tolist())


def area_under_roc(scores: Tensor, labels: Tensor) -> Tensor:
    r"""How often a node of class 1 has a higher score than one of class 0, equal scores counting half:

    .. math:: \mathrm{AUC} = \frac{\sum_{y_i = 1} r_i - P (P + 1) / 2}{P N}

    with the ranks :math:`r_i` of the scores, which equal ones share (Hanley and McNeil, Radiology 143, 1982).
    Counted in whole numbers, so exact but for the last division. No shape depends on the data and nothing waits for
    the device.

    Shapes: scores (n,), labels (n,) of 0 and 1. Returns a scalar, NaN where a class is missing or a score is NaN.
    """
    ordered = scores.sort().values
    below = torch.searchsorted(ordered, scores)  # (n,) scores below each one
    up_to = torch.searchsorted(ordered, scores, right=True)
    positive = labels.sum()
    negative = labels.numel() - positive
    twice_ranks = (below + up_to + 1) * labels  # r = (below + 1 + up_to) / 2
    wins = twice_ranks.sum() - positive * (positive + 1)
    area = wins / (2 * positive * negative)
    return torch.where(scores.isnan().any(), torch.full_like(area, torch.nan), area)
