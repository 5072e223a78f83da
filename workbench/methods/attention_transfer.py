"""Attention transfer (Zagoruyko and Komodakis, ICLR 2017, arXiv 1612.03928), on nodes instead of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from workbench.datasets.base import Task
from workbench.kernels.precision import at_least_single
from workbench.kernels.rows import unit_rows
from workbench.methods.arguments import check_choice
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
from workbench.methods.rows import check_as_many_nodes, check_same_nodes, check_some_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


Power = Literal[1, 2]


def attention_transfer_loss(student: Tensor, teacher: Tensor, p: int = 2) -> Tensor:
    r"""Match how strongly each node is activated, relative to the other nodes.

    .. math:: \frac1n \sum_i (\hat a^s_i - \hat a^t_i)^2, \qquad
        a_i = \sum_c |f_{ic}|^p, \quad \hat a = a / \|a\|_2

    Shapes: student (n, d_s), teacher (n, d_t); widths may differ. Returns a scalar.
    Reduction: the mean over nodes; the map has length one across the n nodes, so the value shrinks as
    1/n twice over. The LSP paper's attention transfer uses ``p=1``.
    Raises UsageError for different nodes and for another ``p``.
    """
    check_same_nodes(student, teacher, "attention_transfer_loss")
    check_choice("p", p, Power)
    return F.mse_loss(activation_map(student, p), activation_map(teacher.detach(), p)).to(student.dtype)


def activation_map(features: Tensor, p: int = 2) -> Tensor:
    """Activation of every node, of length one across nodes: (n, d) -> (n,). All zeros stay zeros."""
    features = at_least_single(features)
    activation = (features.square() if p == 2 else features.abs().pow(p)).sum(1)  # (n,)
    return unit_rows(activation.view(1, -1)).view(-1)


@methods.register
class AttentionTransfer(Method):
    """Attention transfer: nodes that excite the teacher's hidden layer excite the student's.

    Decided here: weight 100, and all nodes by default.
    """

    title: ClassVar[str] = "AT"
    paper: ClassVar[Paper | None] = Paper(
        title="Paying More Attention to Attention: Improving the Performance of Convolutional Neural Networks "
        "via Attention Transfer",
        authors="Zagoruyko, Komodakis",
        year=2017,
        venue="ICLR",
        url="https://arxiv.org/abs/1612.03928",
    )
    formula: ClassVar[str] = (
        r"\mathrm{CE}(z_s, y) + \beta\, \frac1n \sum_i (\hat a^s_i - \hat a^t_i)^2, \quad a_i = \sum_c |f_{ic}|^p"
    )
    decisions: ClassVar[tuple[str, ...]] = (
        DECIDED_ALL_NODES,
        "Weight 100 is a starting point where the papers give none for a dataset.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"hidden"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION

    name: Literal["at"] = "at"
    weight: float = Option(
        100.0,
        help="Weight beside the task loss; the loss itself is small, as the map has length one over all nodes.",
        ge=0,
        le=1e9,
        search=Search(1, 1e5, log=True),
    )
    p: Power = Option(2, help="Power of the activations: 2 as in the G-CRD code, 1 as in the LSP paper.", advanced=True)
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        last_hidden_widths("at", teacher, student)
        return AttentionTransferObjective(self)


class AttentionTransferObjective(Objective):
    def __init__(self, config: AttentionTransfer) -> None:
        super().__init__()
        self.config = config

    def targets(self, teacher: Output, batch: Data) -> Tensor:
        features = chosen_hidden(teacher, batch, self.config.nodes)
        check_some_nodes(features, "at")
        return activation_map(features, self.config.p)  # (n,)

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        features = chosen_hidden(student, batch, self.config.nodes)
        check_as_many_nodes(features.shape[0], targets.shape[0], "at")
        return {"at": F.mse_loss(activation_map(features, self.config.p), targets)}

    def weights(self) -> dict[str, float]:
        return {"at": self.config.weight}
