"""Label smoothing (Szegedy et al., CVPR 2016, arXiv 1512.00567, section 7): softer labels without a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.methods.base import (
    CLASSIFICATION,
    Method,
    Objective,
    Paper,
    Terms,
    Widths,
    chosen_nodes,
    has_independent_labels,
    has_split,
    take,
)
from workbench.methods.kd import log_probabilities
from workbench.methods.rows import check_some_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


def label_smoothing_loss(student_logits: Tensor) -> Tensor:
    r"""Match the uniform distribution over the classes.

    .. math:: \frac1n \sum_i -\frac1C \sum_c \log \mathrm{softmax}(z^s_i)_c

    Shapes: logits (n, C). Returns a scalar (nats per node), at least log C.
    Reduction: averaged over classes, which is the cross-entropy against 1/C each, and over nodes.
    Raises UsageError for no node at all.
    """
    if student_logits.dim() != 2:
        raise UsageError(
            f"label_smoothing_loss takes a matrix with one row per node; got shape {tuple(student_logits.shape)}"
        )
    check_some_nodes(student_logits, "label_smoothing_loss")
    return -log_probabilities(student_logits).mean()


@methods.register
class LabelSmoothing(Method):
    """A control: the student learns from smoothed labels, and nothing from the teacher."""

    title: ClassVar[str] = "Label smoothing"
    paper: ClassVar[Paper | None] = Paper(
        title="Rethinking the Inception Architecture for Computer Vision",
        authors="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
        year=2016,
        venue="CVPR",
        url="https://arxiv.org/abs/1512.00567",
    )
    formula: ClassVar[str] = (
        r"(1-\epsilon)\,\mathrm{CE}(z_s, y) - \epsilon\, \frac1n \sum_i \frac1C \sum_c \log p^s_{ic}"
    )
    decisions: ClassVar[tuple[str, ...]] = (
        "Taken on the labelled training nodes only: it smooths labels, and other nodes have none.",
        "Independent labels are each smoothed towards one half.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"logits"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION
    sets_task: ClassVar[bool] = True
    control: ClassVar[bool] = True

    name: Literal["label-smoothing"] = "label-smoothing"
    epsilon: float = Option(
        0.1, help="Share of every label that is spread over all classes.", ge=0, le=1, search=Search(0.01, 0.5)
    )

    def build(self, teacher: Widths, student: Widths) -> Objective:
        return LabelSmoothingObjective(self)


class LabelSmoothingObjective(Objective):
    def __init__(self, config: LabelSmoothing) -> None:
        super().__init__()
        self.config = config

    def targets(self, teacher: Output, batch: Data) -> tuple[()]:
        return ()

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        labelled = chosen_nodes(batch, "train") if has_split(batch) else None  # all graphs of a training mini-batch
        logits = take(student.logits, labelled)
        if has_independent_labels(batch):
            return {"label-smoothing": F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 0.5))}
        return {"label-smoothing": label_smoothing_loss(logits)}

    def weights(self) -> dict[str, float]:
        return {"task": 1 - self.config.epsilon, "label-smoothing": self.config.epsilon}
