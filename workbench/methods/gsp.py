"""Global structure preserving loss (Joshi et al., TNNLS 2022, arXiv 2111.04964)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor

from workbench.datasets.base import Task
from workbench.kernels.pairs import PairKernel, cosine_gap, gram_energy, kernel_gap
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
    sampled_nodes,
    take,
)
from workbench.methods.rows import check_same_nodes, check_some_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


def gsp_loss(student: Tensor, teacher: Tensor, kernel: PairKernel = "cosine", max_samples: int | None = None) -> Tensor:
    r"""Match the similarity of every pair of nodes.

    .. math:: \frac{1}{n^2} \sum_{i,j} (K^s_{ij} - K^t_{ij})^2

    Kernels: ``cosine`` :math:`\hat f_i^\top \hat f_j`, ``poly`` :math:`(\hat f_i^\top \hat f_j)^2`,
    ``l2`` :math:`\|f_i - f_j\|`, ``rbf`` :math:`e^{-\|f_i - f_j\|^2 / 2}`.

    Shapes: student (n, d_s), teacher (n, d_t); widths may differ. Returns a scalar; the teacher is
    a constant and gets no gradient.
    Reduction: the mean over all n² pairs, a node with itself included. Exact when ``max_samples`` is
    None; otherwise over at most so many nodes, drawn anew at each call, as the authors' code does.
    Raises UsageError for other nodes in student and teacher and for another kernel.
    """
    check_same_nodes(student, teacher, "gsp_loss")
    index = sampled_nodes(student.shape[0], max_samples, student.device)
    return mean_gap(take(student, index), take(teacher, index), kernel)


def mean_gap(student: Tensor, teacher: Tensor, kernel: PairKernel, teacher_energy: Tensor | None = None) -> Tensor:
    """The loss over all pairs of the given nodes; ``teacher_energy`` is the cosine kernel's cached part of it."""
    check_choice("kernel", kernel, PairKernel)
    cosine = kernel == "cosine"
    total = cosine_gap(student, teacher, teacher_energy) if cosine else kernel_gap(student, teacher, kernel)
    return (total / student.shape[0] ** 2).to(student.dtype)


@methods.register
class GSP(Method):
    """Global structure: all pairs of nodes are as similar as they are in the teacher.

    Decided here: exact over all chosen nodes, without sampling; weight 100; all nodes by default.
    """

    title: ClassVar[str] = "GSP"
    paper: ClassVar[Paper | None] = Paper(
        title="On Representation Knowledge Distillation for Graph Neural Networks",
        authors="Joshi, Liu, Xun, Lin, Foo",
        year=2022,
        venue="IEEE Transactions on Neural Networks and Learning Systems",
        url="https://arxiv.org/abs/2111.04964",
    )
    formula: ClassVar[str] = r"\mathrm{CE}(z_s, y) + \beta\, \frac{1}{n^2} \sum_{i,j} (K^s_{ij} - K^t_{ij})^2"
    decisions: ClassVar[tuple[str, ...]] = (
        DECIDED_ALL_NODES,
        "The loss is exact over all pairs; the authors draw 2048 to 8192 nodes to save memory, as max_samples does.",
        "Weight 100 is a starting point where the paper gives none for a dataset.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"hidden"})
    tasks: ClassVar[frozenset[Task]] = CLASSIFICATION

    name: Literal["gsp"] = "gsp"
    weight: float = Option(100.0, help="Weight beside the task loss.", ge=0, le=1e6, search=Search(1, 1000, log=True))
    kernel: PairKernel = Option(
        "cosine", help="Similarity of two nodes.", search=Search(choices=("cosine", "poly", "l2", "rbf"))
    )
    max_samples: int | None = Option(
        None,
        help="Compare at most so many nodes, drawn anew each step; empty compares all. Kernels other than cosine take "
        "time that grows with the square of this number.",
        ge=1,
        le=10_000_000,
    )
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        last_hidden_widths("gsp", teacher, student)
        return GSPObjective(self)


class GSPObjective(Objective):
    def __init__(self, config: GSP) -> None:
        super().__init__()
        self.config = config

    def targets(self, teacher: Output, batch: Data) -> dict[str, Tensor]:
        features = chosen_hidden(teacher, batch, self.config.nodes)  # (n, d_t)
        check_some_nodes(features, "gsp")
        return {"features": features, **({"energy": gram_energy(features)} if self.config.kernel == "cosine" else {})}

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        config = self.config
        features, teacher = chosen_hidden(student, batch, config.nodes), targets["features"]
        check_same_nodes(features, teacher, "gsp")
        index = sampled_nodes(features.shape[0], config.max_samples, features.device)
        energy = targets.get("energy") if index is None else None  # that of all chosen nodes
        return {"gsp": mean_gap(take(features, index), take(teacher, index), config.kernel, energy)}

    def weights(self) -> dict[str, float]:
        return {"gsp": self.config.weight}
