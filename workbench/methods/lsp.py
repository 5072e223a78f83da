"""Local structure preserving loss (Yang et al., CVPR 2020, arXiv 2003.10477)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.kernels.csr import EdgePattern, union_edges
from workbench.kernels.edges import EdgeKernel, neighbour_divergence, neighbour_log_distribution
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
    chosen_edges,
    last_hidden,
    last_hidden_widths,
    nodes_option,
    nodes_with_neighbours,
    take,
)
from workbench.methods.rows import check_as_many_nodes, check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output

Direction = Literal["student_teacher", "teacher_student"]
Convention = Literal["paper", "code"]


def lsp_loss(
    student: Tensor,
    teacher: Tensor,
    edge_index: Tensor,
    kernel: EdgeKernel = "rbf",
    sigma: float = 1.0,
    direction: Direction = "student_teacher",
    num_nodes: int | None = None,
    convention: Convention = "paper",
) -> Tensor:
    r"""Match, per node, how similar it is to each in-neighbour.

    .. math:: \frac1N \sum_i \mathrm{KL}(LS^s_i \,\|\, LS^t_i), \qquad
        LS_{ij} = \frac{e^{\mathrm{SIM}(z_i, z_j)}}{\sum_{j \in N(i)} e^{\mathrm{SIM}(z_i, z_j)}}

    Shapes: student (N, d_s), teacher (N, d_t), edge_index (2, E) with edges (j → i); widths may
    differ. Returns a scalar (nats per node); the teacher is a constant and gets no gradient.
    Kernels: ``rbf`` :math:`e^{-\|z_i - z_j\|^2 / 2\sigma^2}`, ``l2`` :math:`+\|z_i - z_j\|^2`, ``poly``
    :math:`(z_i^\top z_j)^2`, ``linear`` :math:`z_i^\top z_j` (the paper); ``laplace``
    :math:`e^{-\|z_i - z_j\|_1 / 100}` (the authors' code); ``cosine``, ``cosine_squared`` and ``l2_norm``
    :math:`\|z_i - z_j\|` (the G-CRD code).
    Reduction: summed over a node's in-edges, averaged over all ``num_nodes`` (all N rows when None),
    isolated nodes included; ``convention="code"`` averages over edges, as the G-CRD code does. The
    authors' code and the G-CRD code use KL(teacher ‖ student): ``direction="teacher_student"``.
    Of two graphs, as models that build their own have them, give :func:`~workbench.methods.union_edges`.
    Raises UsageError for an unknown kernel, other nodes in student and teacher, or an edge to no node.
    """
    check_same_nodes(student, teacher, "lsp_loss")
    for what, value, choices in (("kernel", kernel, EdgeKernel), ("direction", direction, Direction),
                                 ("convention", convention, Convention)):  # fmt: skip
        check_choice(what, value, choices)
    check_positive("sigma", sigma)
    pattern = EdgePattern.of(edge_index, student.shape[0])
    log_teacher = neighbour_log_distribution(teacher, pattern, kernel, sigma)  # (E,)
    total = neighbour_divergence(student, log_teacher, pattern, kernel, sigma, direction == "student_teacher")
    count = pattern.num_edges if convention == "code" else num_nodes or student.shape[0]
    return (total / max(count, 1)).to(student.dtype)


@methods.register
class LSP(Method):
    """Local structure: every node is as similar to its neighbours as it is in the teacher.

    Only similarities are compared, so widths may differ and nothing is projected. Of models that build their own
    graphs, neighbours in either of the two are neighbours (section 3.5 of the paper).
    Decided here: all nodes by default; on training nodes, the edges among them.
    """

    title: ClassVar[str] = "LSP"
    paper: ClassVar[Paper | None] = Paper(
        title="Distilling Knowledge From Graph Convolutional Networks",
        authors="Yang, Qiu, Song, Tao, Wang",
        year=2020,
        venue="CVPR",
        url="https://arxiv.org/abs/2003.10477",
    )
    formula: ClassVar[str] = r"\mathrm{CE}(z_s, y) + \lambda\, \frac1N \sum_i \mathrm{KL}(LS^s_i \,\|\, LS^t_i)"
    decisions: ClassVar[tuple[str, ...]] = (
        DECIDED_ALL_NODES,
        "The compared layer is the last hidden one of both models, after normalisation, activation and dropout; the "
        "authors' code pairs two layers before activation.",
        "Of a graph with several types of nodes it is taken on the labelled type: nodes with an edge between them are "
        "neighbours, and where there is no such edge those that share a node of the type that joins the fewest.",
        "Where both models build their own graphs, these are the graphs of that layer in both. A point that is its own "
        "nearest neighbour there (DGCNN) is one of its neighbours here too.",
        "In mini-batches of sampled neighbourhoods, the edges drawn into the nodes of the mini-batch are taken, "
        "and the loss is averaged over these nodes: a distribution is over the drawn neighbours alone.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"hidden", "edges"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION

    name: Literal["lsp"] = "lsp"
    weight: float = Option(100.0, help="Weight λ beside the task loss.", ge=0, le=1e6, search=Search(1, 1000, log=True))
    kernel: EdgeKernel = Option(
        "rbf",
        help="Similarity of two neighbours: rbf, l2, poly and linear as in the paper; laplace as in the authors' code; "
        "cosine, cosine_squared and l2_norm as in the G-CRD code.",
        search=Search(choices=("rbf", "l2", "poly", "linear")),
    )
    sigma: float = Option(1.0, help="Width of the rbf kernel.", gt=0, le=1e4, search=Search(0.1, 10, log=True))
    direction: Direction = Option(
        "student_teacher",
        help="Order of the divergence: KL(student ‖ teacher) as in the paper, or the reverse as in the public codes.",
        advanced=True,
    )
    convention: Convention = Option(
        "paper", help="'paper' averages over nodes; 'code' over edges, as the G-CRD code does.", advanced=True
    )
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        last_hidden_widths("lsp", teacher, student)
        return LSPObjective(self)


class LSPObjective(Objective):
    def __init__(self, config: LSP) -> None:
        super().__init__()
        self.config = config

    def targets(self, teacher: Output, batch: Data) -> dict[str, Any]:
        features = last_hidden(teacher)
        if teacher.edges is not None:  # the student's graph, and so the union with it, is another one in every step
            return {"features": features, "edges": teacher.edges[-1]}
        return self._neighbourhoods(features, batch.edge_index, batch)

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        config = self.config
        if "edges" in targets:
            targets = self._neighbourhoods(targets["features"], _union(student, targets), batch)
        pattern = targets["pattern"]
        features = take(last_hidden(student), nodes_with_neighbours(batch, config.nodes)[0])
        check_as_many_nodes(features.shape[0], pattern.num_nodes, "lsp")
        student_first = config.direction == "student_teacher"
        total = neighbour_divergence(
            features, targets["log_teacher"], pattern, config.kernel, config.sigma, student_first
        )
        count = pattern.num_edges if config.convention == "code" else targets["count"]
        return {"lsp": (total / max(count, 1)).to(features.dtype)}

    def weights(self) -> dict[str, float]:
        return {"lsp": self.config.weight}

    def _neighbourhoods(self, teacher: Tensor, edge_index: Tensor | None, batch: Data) -> dict[str, Any]:
        """The edges among the chosen nodes as a pattern, and the teacher's distributions over them."""
        if edge_index is None:
            raise UsageError(
                "lsp compares neighbours, and neither the data nor the teacher has a graph: use a teacher and a "
                "student that build their own (dgcnn), or a method without 'edges' in its needs"
            )
        index, count = nodes_with_neighbours(batch, self.config.nodes)
        edges = chosen_edges(edge_index, index, teacher.shape[0])  # (2, E)
        if edges.shape[1] == 0 and count is None:  # a mini-batch may have none
            raise UsageError(
                "lsp compares neighbours and the graph has no edges: use a method without 'edges' in its needs"
                if index is None
                else "lsp compares neighbours and no two training nodes are neighbours: use nodes='all'"
            )
        config, features = self.config, take(teacher, index)
        pattern = EdgePattern.of(edges, features.shape[0])
        log_teacher = neighbour_log_distribution(features, pattern, config.kernel, config.sigma)
        return {
            "pattern": pattern,
            "log_teacher": log_teacher,
            "count": features.shape[0] if count is None else count,
        }


def _union(student: Output, targets: dict[str, Any]) -> Tensor:
    """The edges (2, E) that stand in the last graph of the teacher or in that of the student, each once."""
    if student.edges is None:
        raise UsageError(
            "the teacher builds its own graphs and the student does not: lsp takes two models that do (dgcnn), or none"
        )
    check_as_many_nodes(last_hidden(student).shape[0], targets["features"].shape[0], "lsp")
    return union_edges(targets["edges"], student.edges[-1])
