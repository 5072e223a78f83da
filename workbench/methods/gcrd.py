"""Graph contrastive representation distillation (Joshi et al., TNNLS 2022, arXiv 2111.04964)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.kernels.contrast import contrast
from workbench.kernels.rows import unit_rows
from workbench.methods.arguments import check_positive
from workbench.methods.base import (
    CLASSIFICATION,
    DECIDED_ALL_NODES,
    Method,
    Nodes,
    Objective,
    Paper,
    Terms,
    Widths,
    chosen_nodes,
    last_hidden,
    last_hidden_widths,
    nodes_option,
    sampled_nodes,
    take,
)
from workbench.methods.gsp import GSP
from workbench.methods.projectors import GraphProjector, Projector, check_batch_norm, graph_projectors
from workbench.methods.rows import check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


def gcrd_loss(student: Tensor, teacher: Tensor, temperature: float = 0.075) -> Tensor:
    r"""Tell, for each node of the student, its own teacher features from those of all other nodes.

    .. math:: -\frac1n \sum_i \log \frac{e^{s_{ii}}}{\sum_j e^{s_{ij}}}, \qquad
        s_{ij} = \langle \hat g^s_i, \hat g^t_j \rangle / \tau

    Shapes: student and teacher (n, d), after projection to one width. Returns a scalar (nats per node);
    both sides get a gradient, as both projection heads are trained.
    Reduction: averaged over nodes. One direction, student queries against teacher keys; the positive
    pair stands in the denominator.
    Raises UsageError for other nodes or widths, or a temperature not above zero.
    """
    check_same_nodes(student, teacher, "gcrd_loss", same_width=True)
    check_positive("temperature", temperature)
    total = contrast(unit_rows(student), unit_rows(teacher), temperature)
    return (total / student.shape[0]).to(student.dtype)


@methods.register
class GCRD(Method):
    """Contrastive: each node's features predict its teacher features among those of all nodes.

    Both sides have their own projection head and both heads are trained.
    Decided here: projection width 128; weight 0.1 alone and 0.01 in sums; all nodes by default; the
    ``gcn`` heads pass messages over the whole graph before the nodes are chosen.
    """

    title: ClassVar[str] = "G-CRD"
    paper: ClassVar[Paper | None] = GSP.paper
    formula: ClassVar[str] = (
        r"\mathrm{CE}(z_s, y) - \beta\, \frac1n \sum_i \log \frac{e^{\langle g^s_i, g^t_i \rangle / \tau}}"
        r"{\sum_j e^{\langle g^s_i, g^t_j \rangle / \tau}}"
    )
    decisions: ClassVar[tuple[str, ...]] = (
        DECIDED_ALL_NODES,
        "The weight is 0.1 alone and 0.01 in sums unless it is given, as the paper uses on arxiv; projection width 128 "
        "is a starting point (256 on arxiv).",
        "With head='gcn' messages pass over the whole graph, also where the loss is taken on training nodes.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"hidden"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION

    name: Literal["gcrd"] = "gcrd"
    weight: float = Option(
        0.1,
        help="Weight β beside the task loss; in a sum it is 0.01 unless you set it.",
        ge=0,
        le=1e6,
        search=Search(1e-3, 1, log=True),
    )
    temperature: float = Option(
        0.075, help="Sharpness of the choice among nodes.", gt=0, le=100, search=Search(choices=(0.05, 0.075, 0.1))
    )
    projection: int = Option(128, help="Width to which both sides are projected.", ge=1, le=4096)
    head: Literal["mlp", "gcn"] = Option(
        "mlp", help="Projection head: a linear layer or a graph convolution, then BatchNorm and ReLU."
    )
    max_samples: int | None = Option(
        16384,
        help="Compare at most so many nodes: a larger graph is sampled anew each step, a smaller one is taken whole. "
        "Empty takes all; time grows with the square of this number.",
        ge=2,
        le=10_000_000,
        advanced=True,
    )
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        return GCRDObjective(self, *last_hidden_widths("gcrd", teacher, student))

    def in_sum(self) -> GCRD:
        return self if "weight" in self.model_fields_set else self.replace(weight=0.01)


class GCRDObjective(Objective):
    def __init__(self, config: GCRD, teacher_width: int, student_width: int) -> None:
        super().__init__()
        self.config = config
        head = graph_projectors() if config.head == "gcn" else Projector
        self.teacher_head = head(teacher_width, config.projection)
        self.student_head = head(student_width, config.projection)

    def targets(self, teacher: Output, batch: Data) -> Tensor:
        # The teacher's head is trained, so only what goes into it can be kept.
        features = self._head_input(teacher, batch)
        check_batch_norm(features, "gcrd")
        if self.config.head == "gcn":
            check_batch_norm(take(features, chosen_nodes(batch, self.config.nodes)), "gcrd")
        return features

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        queries = self._project(self.student_head, self._head_input(student, batch), batch)  # (n, projection)
        keys = self._project(self.teacher_head, targets, batch)
        index = sampled_nodes(queries.shape[0], self.config.max_samples, queries.device)
        return {"gcrd": gcrd_loss(take(queries, index), take(keys, index), self.config.temperature)}

    def weights(self) -> dict[str, float]:
        return {"gcrd": self.config.weight}

    def _head_input(self, output: Output, batch: Data) -> Tensor:
        """The chosen nodes (n, d); a graph convolution needs them all (N, d)."""
        return take(last_hidden(output), None if self.config.head == "gcn" else chosen_nodes(batch, self.config.nodes))

    def _project(self, head: Projector | GraphProjector, features: Tensor, batch: Data) -> Tensor:
        if isinstance(head, Projector):
            return head(features)
        if batch.edge_index is None:
            raise UsageError(
                "gcrd with head='gcn' passes messages over the graph of the data, which has none: use 'mlp'"
            )
        return take(head(features, batch.edge_index), chosen_nodes(batch, self.config.nodes))
