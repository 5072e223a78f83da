"""Attention-based knowledge distillation over all layer pairs (Ahluwalia et al. 2023, arXiv 2310.15938)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from workbench.errors import UsageError
from workbench.kernels.layer_pairs import layer_distances
from workbench.kernels.precision import at_least_single
from workbench.methods.arguments import check_choice
from workbench.methods.base import (
    DECIDED_ALL_NODES,
    Method,
    Nodes,
    Objective,
    Paper,
    Widths,
    last_hidden_widths,
    nodes_option,
)
from workbench.methods.layers import Normalise
from workbench.methods.rows import check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

Pool = Literal["graph", "node"]


def abkd_attention(teacher_pooled: Sequence[Tensor], student_pooled: Sequence[Tensor]) -> Tensor:
    r"""How much each teacher layer attends to each student layer.

    .. math:: A_{ij} = \mathrm{softmax}_j\big( (t_i W_i) \cdot (s_j W'_j) / \sqrt{d_a} \big)

    Shapes: T_l and S_l vectors (d_a,), mean-pooled over nodes and projected -> (T_l, S_l), rows sum to 1.
    """
    teacher, student = torch.stack(list(teacher_pooled)), torch.stack(list(student_pooled))
    return (teacher @ student.T / math.sqrt(teacher.shape[1])).softmax(dim=1)


def abkd_dissimilarity(
    teacher_projected: Sequence[Tensor], student_projected: Sequence[Tensor], pool: Pool = "node"
) -> Tensor:
    r"""How far apart the projected features of every two layers are.

    .. math:: D_{ij} = \frac1n \sum_v \| T_{iv} - S_{jv} \|^2 \;(\text{node}), \qquad
        D_{ij} = \Big\| \frac1n \sum_v T_{iv} - \frac1n \sum_v S_{jv} \Big\|^2 \;(\text{graph})

    Shapes: T_l and S_l matrices (n, d) in one space -> (T_l, S_l), never negative.
    Raises UsageError for layers of different nodes or widths, for none, and for another ``pool``.
    """
    check_choice("pool", pool, Pool)
    if not teacher_projected or not student_projected:
        raise UsageError("abkd_dissimilarity compares layers: give at least one of the teacher and one of the student")
    for layer in (*teacher_projected, *student_projected):
        check_same_nodes(layer, teacher_projected[0], "abkd_dissimilarity", same_width=True)
    dtype = student_projected[0].dtype
    if pool == "graph":
        teacher = torch.stack([at_least_single(t).mean(0) for t in teacher_projected])  # (T_l, d)
        student = torch.stack([at_least_single(s).mean(0) for s in student_projected])  # (S_l, d)
        return (teacher[:, None] - student).square().sum(2).to(dtype)
    teacher = torch.stack([t.flatten() for t in teacher_projected])  # (T_l, n · d)
    student = torch.stack([s.flatten() for s in student_projected])  # (S_l, n · d)
    return (layer_distances(teacher, student) / student_projected[0].shape[0]).to(dtype)


def abkd_loss(attention: Tensor, dissimilarity: Tensor) -> Tensor:
    r"""Mean over all layer pairs, :math:`\frac{1}{T_l S_l} \sum_{ij} A_{ij} D_{ij}`. Shapes: both (T_l, S_l)."""
    return (attention * dissimilarity).mean()


@methods.register
class ABKD(Method):
    """Attention over layer pairs: the student learns from the teacher's layers that matter, wherever they fit.

    The papers could not be read in full: ``decisions`` says what is decided here.
    """

    title: ClassVar[str] = "ABKD"
    paper: ClassVar[Paper | None] = Paper(
        title="ABKD: Graph Neural Network Compression with Attention-Based Knowledge Distillation",
        authors="Ahluwalia, Das, Behnam, Khare, Li, Tumanov",
        year=2023,
        venue="arXiv",
        url="https://arxiv.org/abs/2310.15938",
    )
    formula: ClassVar[str] = (
        r"\mathrm{CE}(z_s, y) + \frac{\beta}{T_l S_l} \sum_{i,j} A_{ij} D_{ij}, \quad "
        r"A = \mathrm{softmax}_j\!\left(\tfrac{(t_i W_i) \cdot (s_j W'_j)}{\sqrt{d_a}}\right), \quad "
        r"D_{ij} = \| T_i V_i P - S_j V'_j P \|^2"
    )
    decisions: ClassVar[tuple[str, ...]] = (
        "Attention is a scaled dot product of mean-pooled features with one projection per layer, without bias.",
        "Dissimilarity is averaged over nodes (pool='node'); pool='graph' compares means over nodes.",
        "Each node's projected features are scaled to length one (normalise='row'); 'max' divides a layer by its "
        "largest absolute entry, 'l2' by the root mean square length of its rows, 'none' does nothing.",
        "The subspace projection P is shared by teacher and student and has 32 dimensions.",
        "Layers are the hidden ones and the logits; pairs='last' compares the two last hidden layers only.",
        "structure adds, per layer pair, G-CRD's contrast at temperature 0.075 to the dissimilarity, as a reading of "
        "STRIDE (the rewrite of 2025).",
        "share_projection uses one projection for all layers of equal width of a model.",
        "frozen_teacher fixes the teacher's projections V and P to random orthogonal matrices, so that training "
        "cannot map both models to one point.",
        "Weight 1 and d_a = 64 are starting points.",
        DECIDED_ALL_NODES,
    )
    needs: ClassVar[frozenset[str]] = frozenset({"hidden", "logits"})

    name: Literal["abkd"] = "abkd"
    weight: float = Option(1.0, help="Weight β beside the task loss.", ge=0, le=1e6, search=Search(0.01, 100, log=True))
    projection: int = Option(64, help="Width d_a of the projections.", ge=1, le=4096)
    layers: Literal["all", "hidden"] = Option("all", help="Layers that take part: hidden and logits, or hidden only.")
    pairs: Literal["all", "last"] = Option(
        "all", help="All pairs of layers, or only the two last hidden layers (an ablation)."
    )
    attention: Literal["learned", "uniform"] = Option(
        "learned", help="Learned attention over student layers, or the same for all (an ablation)."
    )
    pool: Pool = Option("node", help="Compare features node by node, or their means over the graph.")
    normalise: Normalise = Option(
        "row",
        help="Scale of the projected features: every node to length one (row), the largest entry to one (max), the "
        "mean square length to one (l2), or as they are (none).",
        advanced=True,
    )
    subspace: int | None = Option(
        32, help="Width of the projection that both models share; empty leaves it out.", ge=1, le=4096, advanced=True
    )
    share_projection: bool = Option(
        False, help="One projection for all layers of equal width instead of one per layer.", advanced=True
    )
    frozen_teacher: bool = Option(
        False,
        help="Fix the teacher's projections to random orthogonal ones: a guard against both models collapsing.",
        advanced=True,
    )
    structure: float = Option(
        0.0, help="Weight of the contrastive (G-CRD) dissimilarity of each pair, as in STRIDE.", ge=0, le=1e3
    )
    structure_samples: int = Option(
        1024, help="Nodes drawn each step for the structure term.", ge=2, le=100_000, advanced=True
    )
    nodes: Nodes = nodes_option()

    def build(self, teacher: Widths, student: Widths) -> Objective:
        if self.layers == "hidden" or self.pairs == "last":
            last_hidden_widths("abkd", teacher, student)
        # Not at the top: the objective knows the functions above.
        from workbench.methods.layer_attention import LayerAttention

        return LayerAttention(self, self.take_part(teacher.layers), self.take_part(student.layers))

    def take_part(self, layers: Sequence[Any]) -> tuple[Any, ...]:
        """Of all layers, logits last, those that take part."""
        if self.pairs == "last":
            return (layers[-2],)
        return tuple(layers[:-1] if self.layers == "hidden" else layers)
