"""FitNet: hints from a hidden layer (Romero et al., ICLR 2015, arXiv 1412.6550)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor

from workbench.datasets.base import Task
from workbench.kernels.hints import unit_row_distance
from workbench.methods.base import (
    CLASSIFICATION,
    DECIDED_ALL_NODES,
    Method,
    Nodes,
    Objective,
    Paper,
    Terms,
    Widths,
    chosen_hidden,
    last_hidden_widths,
    nodes_option,
)
from workbench.methods.projectors import Projector, check_batch_norm
from workbench.methods.rows import check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


def fitnet_loss(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Match projected features, node by node.

    .. math:: \frac{1}{n d} \sum_i \| \hat f^s_i - \hat f^t_i \|^2, \qquad \hat f = f / \|f\|

    Shapes: student and teacher (n, d), after projection to one width. Returns a scalar.
    Reduction: the mean over nodes and dimensions of rows of length one. Raises UsageError for other nodes or widths.
    """
    check_same_nodes(student, teacher, "fitnet_loss", same_width=True)
    return (unit_row_distance(student, teacher) / student.numel()).to(student.dtype)


@methods.register
class FitNet(Method):
    """Hints: after a trained projection, the student's hidden features match the teacher's.

    Both sides have their own projector, Linear → BatchNorm → ReLU to a common width, and both are trained.
    Decided here: projection width 128, weight 100, and all nodes by default.
    """

    title: ClassVar[str] = "FitNet"
    paper: ClassVar[Paper | None] = Paper(
        title="FitNets: Hints for Thin Deep Nets",
        authors="Romero, Ballas, Ebrahimi Kahou, Chassang, Gatta, Bengio",
        year=2015,
        venue="ICLR",
        url="https://arxiv.org/abs/1412.6550",
    )
    formula: ClassVar[str] = (
        r"\mathrm{CE}(z_s, y) + \beta\, \frac{1}{nd} \sum_i \| \hat g_s(f^s_i) - \hat g_t(f^t_i) \|^2"
    )
    decisions: ClassVar[tuple[str, ...]] = (
        DECIDED_ALL_NODES,
        "Projection width 128 and weight 100 are starting points where the papers give none for a dataset.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"hidden"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION

    name: Literal["fitnet"] = "fitnet"
    weight: float = Option(
        100.0, help="Weight of the hint beside the task loss.", ge=0, le=1e6, search=Search(1, 1000, log=True)
    )
    projection: int = Option(128, help="Width to which both sides are projected.", ge=1, le=4096)
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        return FitNetObjective(self, *last_hidden_widths("fitnet", teacher, student))


class FitNetObjective(Objective):
    def __init__(self, config: FitNet, teacher_width: int, student_width: int) -> None:
        super().__init__()
        self.config = config
        self.teacher_head = Projector(teacher_width, config.projection)
        self.student_head = Projector(student_width, config.projection)

    def targets(self, teacher: Output, batch: Data) -> Tensor:
        # The teacher's head is trained, so only what goes into it can be kept.
        return check_batch_norm(chosen_hidden(teacher, batch, self.config.nodes), "fitnet")  # (n, d_t)

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        features = chosen_hidden(student, batch, self.config.nodes)  # (n, d_s)
        return {"fitnet": fitnet_loss(self.student_head(features), self.teacher_head(targets))}

    def weights(self) -> dict[str, float]:
        return {"fitnet": self.config.weight}
