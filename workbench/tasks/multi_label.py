"""Independent labels, each of which holds or not, some of them missing: of graphs, or of the nodes of many graphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.tasks.base import Metrics
from workbench.tasks.node_classification import area_under_roc

if TYPE_CHECKING:
    from torch_geometric.data import Data

Score = Literal["auc", "micro_f1"]


class MultiLabel:
    """Binary cross-entropy over the labels that are known; ``score`` selects the epoch.

    ``auc`` is the mean area under the ROC curve over the labels, as OGB judges molecules; ``micro_f1`` predicts a label
    where its logit is above zero, as PPI is judged. Metrics are taken of all rows of a split together.
    """

    def __init__(self, score: Score) -> None:
        self.selection_metric: str = score
        self.metrics: tuple[str, ...] = (score, "loss")

    def loss(self, logits: Tensor, batch: Data) -> Tensor:
        """Mean binary cross-entropy (nats) of logits (n, L) against the known ones of the labels y (n, L)."""
        return label_loss(logits, batch.y)

    def measure(self, logits: Tensor, y: Tensor) -> Tensor:
        """:attr:`metrics` (2,) of logits (M, L) of rows with labels y (M, L), still on the device."""
        logits = logits.float()
        score = mean_auc(logits, y) if self.selection_metric == "auc" else micro_f1(logits, y)
        return torch.stack([score.float(), label_loss(logits, y)])

    def named(self, values: Iterable[float]) -> Metrics:
        """What :meth:`measure` gave, as numbers by name."""
        return dict(zip(self.metrics, values, strict=True))

    def evaluate(self, logits: Tensor, y: Tensor) -> Metrics:
        """The score in 0..1 and the cross-entropy (nats) of logits (M, L) of rows with labels y (M, L)."""
        return self.named(self.measure(logits, y).tolist())


def label_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Mean binary cross-entropy (nats) of logits (n, L) over the labels y (n, L) that are not NaN; zero without any."""
    known = ~y.isnan()
    each = F.binary_cross_entropy_with_logits(logits, y.nan_to_num(), reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1)


def mean_auc(logits: Tensor, y: Tensor) -> Tensor:
    """Mean area under the ROC curve over the labels that have a positive and a negative, as OGB's evaluator takes it.

    Shapes: logits and y (M, L), y 0 or 1, NaN where a label is missing. A scalar; NaN where no label has both.
    """
    known = ~y.isnan()
    areas = [area_under_roc(logits[rows, label], y[rows, label].long()) for label, rows in enumerate(known.unbind(1))]
    return torch.stack(areas).nanmean()


def micro_f1(logits: Tensor, y: Tensor) -> Tensor:
    r"""F1 over all known labels together, :math:`2 TP / (2 TP + FP + FN)`, a label being predicted above zero.

    Shapes: logits and y (M, L). A scalar; 0 where nothing is predicted and nothing true.
    """
    known = ~y.isnan()
    predicted, true = (logits > 0) & known, (y == 1) & known
    both = (predicted & true).sum()
    return 2 * both / (predicted.sum() + true.sum()).clamp_min(1)
