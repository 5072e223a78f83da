"""Global structure preserving loss (Joshi et al., TNNLS 2022, arXiv 2111.04964)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import torch
from torch import Tensor

from workbench.errors import UsageError
from workbench.methods.base import (
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
from workbench.methods.blocks import sum_over_row_blocks
from workbench.methods.rows import accurate, check_same_nodes, check_some_nodes, unit_rows
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output

PairKernel = Literal["cosine", "poly", "l2", "rbf"]


def gsp_loss(student: Tensor, teacher: Tensor, kernel: PairKernel = "cosine", max_samples: int | None = None) -> Tensor:
    r"""Match the similarity of every pair of nodes.

    .. math:: \frac{1}{n^2} \sum_{i,j} (K^s_{ij} - K^t_{ij})^2

    Kernels: ``cosine`` :math:`\hat f_i^\top \hat f_j`, ``poly`` :math:`(\hat f_i^\top \hat f_j)^2`,
    ``l2`` :math:`\|f_i - f_j\|`, ``rbf`` :math:`e^{-\|f_i - f_j\|^2 / 2}`.

    Shapes: student (n, d_s), teacher (n, d_t); widths may differ. Returns a scalar.
    Reduction: the mean over all n² pairs, a node with itself included. Exact when ``max_samples`` is
    None; otherwise over at most so many nodes, drawn anew at each call, as the authors' code does.
    """
    check_same_nodes(student, teacher, "gsp_loss")
    index = sampled_nodes(student.shape[0], max_samples, student.device)
    student, teacher = take(student, index), take(teacher, index)
    if kernel == "cosine":
        return cosine_gap(unit_rows(student), unit_rows(teacher))
    return kernel_gap(student, teacher, kernel)


def cosine_gap(student: Tensor, teacher: Tensor, teacher_energy: Tensor | None = None) -> Tensor:
    r"""Mean over pairs of :math:`(SS^\top - TT^\top)_{ij}^2` for rows of length one, in O(n d²).

    ``teacher_energy`` is :math:`\|T^\top T\|_F^2`, where it is known already.

    For equal widths with D = S − T and P = S + T it is ½(⟨DᵀD, PᵀP⟩ + ⟨DᵀP, PᵀD⟩), exact when the
    student is near its teacher; otherwise ‖SᵀS‖² − 2‖SᵀT‖² + ‖TᵀT‖², which cancels there and is
    therefore taken in float64 also.
    """
    s, t = accurate(student), accurate(teacher)
    if s.shape[1] == t.shape[1]:
        difference, total = s - t, s + t  # (n, d)
        cross = total.T @ difference  # (d, d)
        gap = ((difference.T @ difference) * (total.T @ total) + cross * cross.T).sum() / 2
    else:
        gap = energy(s, s) - 2 * energy(s, t) + (energy(t, t) if teacher_energy is None else teacher_energy)
    return (gap / s.shape[0] ** 2).clamp_min(0).to(student.dtype)


def energy(left: Tensor, right: Tensor) -> Tensor:
    """‖leftᵀ right‖² of (n, d_l) and (n, d_r), which is the inner product of their Gram matrices."""
    return (accurate(left).T @ accurate(right)).square().sum()


def kernel_gap(student: Tensor, teacher: Tensor, kernel: PairKernel) -> Tensor:
    """Mean over pairs of the squared difference of another kernel, in row blocks: O(n · block) memory."""
    rows = student.shape[0]

    def block(start: int, stop: int, s: Tensor, t: Tensor) -> Tensor:
        return (kernel_rows(s, start, stop, kernel) - kernel_rows(t, start, stop, kernel)).square().sum()

    total = sum_over_row_blocks(block, rows, _prepared(student, kernel), _prepared(teacher, kernel))
    return (total / rows**2).to(student.dtype)


def _prepared(features: Tensor, kernel: PairKernel) -> Tensor:
    features = accurate(features)
    # Distances do not see the mean, and expanding the square loses fewer digits without it.
    return unit_rows(features) if kernel == "poly" else features - features.detach().mean(0)


def kernel_rows(features: Tensor, start: int, stop: int, kernel: PairKernel) -> Tensor:
    """Rows ``start:stop`` of the kernel matrix of prepared features (n, d): (stop − start, n)."""
    products = features[start:stop] @ features.T
    if kernel == "poly":
        return products.square()
    lengths = features.square().sum(1)  # (n,)
    both = lengths[start:stop, None] + lengths
    squared = both - 2 * products
    match kernel:
        case "rbf":
            return (squared / -2).exp()
        case "l2":
            # Points that coincide, up to what the expansion can tell, are at distance 0 with gradient 0.
            coincident = squared <= 64 * torch.finfo(squared.dtype).eps * both
            return squared.masked_fill(coincident, 1).sqrt().masked_fill(coincident, 0)
    raise UsageError(f"unknown kernel {kernel!r}: kernels are {', '.join(get_args(PairKernel))}")


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
        if self.config.kernel != "cosine":
            return {"features": features}
        features = unit_rows(features)
        return {"features": features, "energy": energy(features, features)}

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        config = self.config
        features, teacher = chosen_hidden(student, batch, config.nodes), targets["features"]
        index = sampled_nodes(features.shape[0], config.max_samples, features.device)
        features, teacher = take(features, index), take(teacher, index)
        if config.kernel == "cosine":
            return {"gsp": cosine_gap(unit_rows(features), teacher, targets["energy"] if index is None else None)}
        return {"gsp": kernel_gap(features, teacher, config.kernel)}

    def weights(self) -> dict[str, float]:
        return {"gsp": self.config.weight}
