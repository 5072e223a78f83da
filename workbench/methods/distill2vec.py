"""Distribution over candidate links (Antaris and Rafailidis, ASONAM 2020, arXiv 2011.05664)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.kernels.soft_labels import soft_label_divergence
from workbench.methods.arguments import check_choice, check_positive
from workbench.methods.base import Method, Objective, Paper, Terms, Widths
from workbench.methods.kd import log_probabilities
from workbench.methods.rows import check_same_nodes
from workbench.options import Option, Search
from workbench.registry import methods

if TYPE_CHECKING:
    from workbench.models.base import Output

Variant = Literal["candidates", "bernoulli"]


def link_distribution_loss(
    student_scores: Tensor, teacher_scores: Tensor, temperature: float = 1.0, known: Tensor | None = None
) -> Tensor:
    r"""Match, per node, how the teacher spreads its belief over candidate links.

    .. math:: \frac1n \sum_u \mathrm{KL}(q^t_u \,\|\, q^s_u), \qquad
        q_u = \mathrm{softmax}_{v \in C_u}(\langle e_u, e_v \rangle / \tau)

    Shapes: both scores (n, m), row u the inner products of node u with its m candidates. Embedding
    widths may differ: only scores are compared. ``known`` (n, m) leaves out of both distributions the candidates
    that the teacher cannot judge; a row without two known ones counts for nothing. Returns a scalar (nats per node).
    Reduction: summed over candidates, averaged over the nodes that count; no factor τ². Decided here, because the
    paper's widths differ and its public code distils nothing: the divergence is taken between
    distributions over candidates (positives and negatives), teacher first.
    Raises UsageError for scores that do not fit together, or a temperature not above zero.
    """
    _check(student_scores, teacher_scores, temperature, known, "link_distribution_loss")
    count: Tensor | int = student_scores.shape[0]
    if known is not None:
        chooses = known.sum(1, keepdim=True) > 1  # of a single candidate there is nothing to choose
        student_scores, teacher_scores = (
            scores.masked_fill(~known, -math.inf).masked_fill(~chooses, 0)
            for scores in (student_scores, teacher_scores)
        )
        count = chooses.sum().clamp(min=1)
    log_teacher = log_probabilities(teacher_scores.detach(), temperature)
    total = soft_label_divergence(student_scores, log_teacher, temperature)
    return (total / count).to(student_scores.dtype)


def link_probability_loss(
    student_scores: Tensor, teacher_scores: Tensor, temperature: float = 1.0, known: Tensor | None = None
) -> Tensor:
    r"""Match the teacher's probability of each candidate link by itself.

    .. math:: \frac1{nm} \sum_{u,v} \mathrm{KL}\big(\mathrm{Ber}(\sigma(t_{uv} / \tau)) \,\|\,
        \mathrm{Ber}(\sigma(s_{uv} / \tau))\big)

    Shapes and errors as in :func:`link_distribution_loss`. Reduction: averaged over the known pairs (nats per pair).
    """
    _check(student_scores, teacher_scores, temperature, known, "link_probability_loss")
    count: Tensor | int = student_scores.numel()
    if known is not None:
        student_scores, teacher_scores = (s.masked_fill(~known, 0) for s in (student_scores, teacher_scores))
        count = known.sum().clamp(min=1)
    log_teacher = log_probabilities(_with_its_contrary(teacher_scores.detach()), temperature)
    total = soft_label_divergence(_with_its_contrary(student_scores), log_teacher, temperature)
    return (total / count).to(student_scores.dtype)


def _check(student: Tensor, teacher: Tensor, temperature: float, known: Tensor | None, loss: str) -> None:
    """Refuse scores (n, m) and a mask of them that do not fit together; raises UsageError."""
    check_same_nodes(student, teacher, loss, same_width=True)
    check_positive("temperature", temperature)
    if known is not None and (known.shape != student.shape or known.dtype != torch.bool):
        raise UsageError(
            f"{loss} takes known as booleans of shape {tuple(student.shape)}, one for each score; got "
            f"{known.dtype} of shape {tuple(known.shape)}"
        )


def _with_its_contrary(scores: Tensor) -> Tensor:
    """Logits (n · m, 2) of a link and of none, whose softmax is σ(score) and 1 − σ(score)."""
    return torch.stack([scores, torch.zeros_like(scores)], dim=-1).view(-1, 2)


@methods.register
class Distill2Vec(Method):
    """Candidate links: each node's beliefs about whom it links to are as the teacher's.

    Decided here: the divergence is taken between distributions over a node's candidates, as the widths of teacher
    and student differ and the authors' public code contains no distillation; γ = 0.5 and τ = 1 to start with.
    """

    title: ClassVar[str] = "Distill2Vec"
    paper: ClassVar[Paper | None] = Paper(
        title="Distill2Vec: Dynamic Graph Representation Learning with Knowledge Distillation",
        authors="Antaris, Rafailidis",
        year=2020,
        venue="ASONAM",
        url="https://arxiv.org/abs/2011.05664",
    )
    formula: ClassVar[str] = (
        r"(1-\gamma)\, L_S + \gamma\, \frac1n \sum_u \mathrm{KL}(q^t_u \,\|\, q^s_u), \quad "
        r"q_u = \mathrm{softmax}_{v \in C_u}(\langle e_u, e_v \rangle / \tau)"
    )
    decisions: ClassVar[tuple[str, ...]] = (
        "The paper's loss is a Kullback-Leibler divergence balanced against the prediction error by γ, and its public "
        "code contains no distillation. Embedding widths differ, so the divergence is taken between distributions over "
        "a node's candidate links, contexts of its walks and negatives; variant='bernoulli' takes each pair by itself.",
        "Nodes that the frozen teacher has never seen are left out, as centres and as candidates.",
        "At a later step the teacher's embeddings are a forward pass of its frozen weights over its latest snapshots; "
        "the embeddings of places belong to the place in the window, counted from the present.",
        "A student starts each step from its weights of the step before, new nodes freshly drawn; online.restart "
        "starts anew.",
        "The epoch is selected by the AUC on a fifth of the next snapshot's links; another fifth trains the logistic "
        "regression, whose features are divided by their root mean square.",
        "Pairs without a link are drawn uniformly among all pairs that never had one. A node that the teacher does not "
        "know has an embedding of zeros for it; known_auc leaves such pairs out.",
        "Weight decay falls on the table's rows of the nodes in the window; the public code decays all, which with "
        "Adam forgets a node that is not there within a few epochs.",
        "Walks follow link weights; a snapshot's loss is the mean over its contexts plus that over its negatives, and "
        "the window's loss the mean over its snapshots, so that γ weighs two means.",
    )
    needs: ClassVar[frozenset[str]] = frozenset({"logits"})
    sets_task: ClassVar[bool] = True
    tasks: ClassVar[frozenset[Task]] = frozenset({"link prediction"})

    name: Literal["distill2vec"] = "distill2vec"
    gamma: float = Option(
        0.5, help="Share γ of distillation; 1−γ stays for the links themselves.", ge=0, le=1, search=Search(0.1, 0.9)
    )
    temperature: float = Option(
        1.0, help="Softness of the choice among candidates.", gt=0, le=100, search=Search(0.25, 4, log=True)
    )
    variant: Variant = Option(
        "candidates", help="Compare distributions over a node's candidates, or each pair by itself (bernoulli)."
    )

    def build(self, teacher: Widths, student: Widths) -> Objective:
        return Distill2VecObjective(self)


class Distill2VecObjective(Objective):
    """Its targets are the teacher's scores (R, C) of a mini-batch's candidates."""

    def __init__(self, config: Distill2Vec) -> None:
        super().__init__()
        check_choice("variant", config.variant, Variant)
        self.config = config

    def targets(self, teacher: Output, batch: Any) -> Tensor:
        return teacher.logits

    def forward(self, student: Output, targets: Any, batch: Any) -> Terms:
        if student.logits.shape != targets.shape:
            raise UsageError(
                f"distill2vec compares the scores of the same candidates: the student's are of shape "
                f"{tuple(student.logits.shape)}, the teacher's {tuple(targets.shape)}"
            )
        config = self.config
        loss = link_distribution_loss if config.variant == "candidates" else link_probability_loss
        known: torch.Tensor | None = batch.known
        return {"distill2vec": loss(student.logits, targets, config.temperature, known)}

    def weights(self) -> dict[str, float]:
        return {"task": 1 - self.config.gamma, "distill2vec": self.config.gamma}
