"""Graph-less neural networks (Zhang et al., ICLR 2022, arXiv 2110.08727)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor

from workbench.errors import UsageError
from workbench.kernels.soft_labels import soft_label_divergence
from workbench.methods.base import (
    Method,
    Objective,
    Paper,
    Terms,
    Widths,
    check_same_classes,
    chosen_nodes,
    has_independent_labels,
    take,
)
from workbench.methods.kd import log_probabilities
from workbench.methods.rows import check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


def glnn_loss(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    r"""Match the class distribution of the teacher, without a temperature.

    .. math:: \frac1n \sum_i \mathrm{KL}\big(\mathrm{softmax}(z^t_i) \,\|\, \mathrm{softmax}(z^s_i)\big)

    Shapes: both logits (n, C). Returns a scalar (nats per node).
    Reduction: summed over classes, averaged over nodes. Raises UsageError for logits that do not fit together.
    """
    check_same_nodes(student_logits, teacher_logits, "glnn_loss", same_width=True)
    total = soft_label_divergence(student_logits, log_probabilities(teacher_logits.detach()))
    return (total / student_logits.shape[0]).to(student_logits.dtype)


@methods.register
class GLNN(Method):
    """GNN to MLP: a student without edges learns the teacher's class probabilities on all nodes.

    Meant for the student ``mlp``; any student may be used (decided here).
    """

    title: ClassVar[str] = "GLNN"
    paper: ClassVar[Paper | None] = Paper(
        title="Graph-less Neural Networks: Teaching Old MLPs New Tricks via Distillation",
        authors="Zhang, Liu, Sun, Shah",
        year=2022,
        venue="ICLR",
        url="https://arxiv.org/abs/2110.08727",
    )
    formula: ClassVar[str] = (
        r"\lambda\, \mathrm{CE}(z_s, y) + (1-\lambda)\, \frac1N \sum_i \mathrm{KL}(p^t_i \,\|\, p^s_i)"
    )
    decisions: ClassVar[tuple[str, ...]] = ("Any student may be used, although the method is meant for an MLP.",)
    needs: ClassVar[frozenset[str]] = frozenset({"logits"})
    sets_task: ClassVar[bool] = True

    name: Literal["glnn"] = "glnn"
    lam: float = Option(
        0.0,
        help="Weight λ of the labels; the teacher keeps 1 − λ. The published experiments use 0.",
        ge=0,
        le=1,
        search=Search(0, 1),
    )

    def build(self, teacher: Widths, student: Widths) -> Objective:
        check_same_classes("glnn", teacher, student)
        return GLNNObjective(self)


class GLNNObjective(Objective):
    def __init__(self, config: GLNN) -> None:
        super().__init__()
        self.config = config

    def targets(self, teacher: Output, batch: Data) -> Tensor:
        if has_independent_labels(batch):
            raise UsageError(
                "glnn matches one distribution over classes, and here labels are independent of each other: use kd"
            )
        return log_probabilities(take(teacher.logits, chosen_nodes(batch, "all")))  # (N, C)

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        logits = take(student.logits, chosen_nodes(batch, "all"))
        check_same_nodes(logits, targets, "glnn", same_width=True)
        return {"glnn": soft_label_divergence(logits, targets) / targets.shape[0]}

    def weights(self) -> dict[str, float]:
        return {"task": self.config.lam, "glnn": 1 - self.config.lam}
