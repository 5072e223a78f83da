"""Knowledge distillation from soft labels (Hinton, Vinyals and Dean 2015, arXiv 1503.02531)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from workbench.datasets.base import Task
from workbench.kernels.soft_labels import soft_label_divergence
from workbench.methods.arguments import check_choice, check_positive
from workbench.methods.base import (
    CLASSIFICATION,
    DECIDED_ALL_NODES,
    Method,
    Nodes,
    Objective,
    Paper,
    Terms,
    Widths,
    check_same_classes,
    chosen_nodes,
    has_independent_labels,
    nodes_option,
    take,
)
from workbench.methods.rows import check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output

Convention = Literal["paper", "code"]


def kd_loss(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float = 4.0, convention: Convention = "paper"
) -> Tensor:
    r"""Match the softened class distribution of the teacher.

    .. math:: T^2 \, \frac1n \sum_i \mathrm{KL}\big(\mathrm{softmax}(z^t_i / T) \,\|\, \mathrm{softmax}(z^s_i / T)\big)

    Shapes: both logits (n, C). Returns a scalar (nats per node, times T²).
    Reduction: summed over classes, averaged over nodes; ``convention="code"`` averages over nodes and
    classes, as the G-CRD code does, which is the paper's value divided by C.
    Raises UsageError for logits that do not fit together, another convention, or a temperature not above zero.
    """
    check_same_nodes(student_logits, teacher_logits, "kd_loss", same_width=True)
    check_choice("convention", convention, Convention)
    check_positive("temperature", temperature)
    log_teacher = log_probabilities(teacher_logits.detach(), temperature)  # (n, C)
    total = soft_label_divergence(student_logits, log_teacher, temperature)
    count = student_logits.shape[0] if convention == "paper" else student_logits.numel()
    return (temperature**2 * total / count).to(student_logits.dtype)


def log_probabilities(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Log-softmax of ``logits`` / T over classes, (n, C)."""
    return F.log_softmax(logits / temperature, dim=1)


def multilabel_kd_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float = 1.0) -> Tensor:
    r"""Match the teacher's label probabilities, each label on its own.

    .. math:: \mathrm{BCE}\big(\sigma(z^s), \sigma(z^t / T)\big)

    Shapes: both logits (n, L). Returns a scalar: the mean over nodes and labels (nats).
    Raises UsageError for logits that do not fit together, or a temperature not above zero.
    """
    check_same_nodes(student_logits, teacher_logits, "multilabel_kd_loss", same_width=True)
    check_positive("temperature", temperature)
    return F.binary_cross_entropy_with_logits(student_logits, (teacher_logits.detach() / temperature).sigmoid())


@methods.register
class KD(Method):
    """Soft labels: the student matches the teacher's softened class probabilities.

    Decided here: the loss is taken on all nodes by default; alpha = 0.9 and T = 4 start every dataset.
    """

    title: ClassVar[str] = "KD"
    paper: ClassVar[Paper | None] = Paper(
        title="Distilling the Knowledge in a Neural Network",
        authors="Hinton, Vinyals, Dean",
        year=2015,
        venue="NeurIPS Deep Learning Workshop",
        url="https://arxiv.org/abs/1503.02531",
    )
    formula: ClassVar[str] = r"(1-\alpha)\,\mathrm{CE}(z_s, y) + \alpha\, T^2\, \mathrm{KL}(p_t^T \,\|\, p_s^T)"
    decisions: ClassVar[tuple[str, ...]] = (
        DECIDED_ALL_NODES,
        "alpha = 0.9 and T = 4 are starting points where the papers give none for a dataset.",
        "Independent labels (PPI, molecules) are matched one by one: binary cross-entropy against the teacher's "
        "probabilities at temperature T, without the factor T², averaged over labels; this is the published form for "
        "PPI, and taken for molecules too.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"logits"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION
    sets_task: ClassVar[bool] = True

    name: Literal["kd"] = "kd"
    alpha: float = Option(
        0.9, help="Weight of the soft labels; the labels keep 1 − alpha.", ge=0, le=1, search=Search(0.5, 0.95)
    )
    temperature: float = Option(4.0, help="Softens both class distributions.", gt=0, le=100, search=Search(1, 8))
    convention: Convention = Option(
        "paper", help="'paper' averages over nodes; 'code' also over classes, as the G-CRD code does.", advanced=True
    )
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        check_same_classes("kd", teacher, student)
        return KDObjective(self)


class KDObjective(Objective):
    def __init__(self, config: KD) -> None:
        super().__init__()
        self.config = config

    def targets(self, teacher: Output, batch: Data) -> Tensor:
        logits = take(teacher.logits, chosen_nodes(batch, self.config.nodes))
        if has_independent_labels(batch):
            return (logits / self.config.temperature).sigmoid()
        return log_probabilities(logits, self.config.temperature)

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        logits = take(student.logits, chosen_nodes(batch, self.config.nodes))  # (n, C)
        check_same_nodes(logits, targets, "kd", same_width=True)
        if has_independent_labels(batch):
            return {"kd": F.binary_cross_entropy_with_logits(logits, targets)}
        temperature, of_nodes = self.config.temperature, self.config.convention == "paper"
        total = soft_label_divergence(logits, targets, temperature)
        return {"kd": temperature**2 * total / (logits.shape[0] if of_nodes else logits.numel())}

    def weights(self) -> dict[str, float]:
        return {"task": 1 - self.config.alpha, "kd": self.config.alpha}
