"""The losses as one writes them down from the papers: every matrix in full, the teacher's side in every step.

They are what ours are measured against. In float64, with the similarities taken a part of the edges or rows at a time
(:data:`Parts`), they are also what ours have to agree with. Shapes: student (n, d_s), teacher (n, d_t), logits (n, C),
edge_index (2, E); every loss is a scalar.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

# Applies a function to an index (m,) of edges or rows: at once, or in parts that are computed again for the gradient.
Parts = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]


def at_once(function: Callable[[Tensor], Tensor], index: Tensor) -> Tensor:
    return function(index)


def in_parts(rows: int) -> Parts:
    def apply(function: Callable[[Tensor], Tensor], index: Tensor) -> Tensor:
        return torch.cat([checkpoint(function, part, use_reentrant=False) for part in torch.split(index, rows)])

    return apply


def kd(student_logits: Tensor, teacher_logits: Tensor, temperature: float = 4.0) -> Tensor:
    teacher = F.softmax(teacher_logits / temperature, dim=1)
    student = F.log_softmax(student_logits / temperature, dim=1)
    return temperature**2 * (teacher * (teacher.log() - student)).sum(dim=1).mean()


def fitnet(student: Tensor, teacher: Tensor) -> Tensor:
    """Both projected to the same width."""
    return (F.normalize(student, dim=1) - F.normalize(teacher, dim=1)).pow(2).mean()


def attention_transfer(student: Tensor, teacher: Tensor) -> Tensor:
    maps = [F.normalize(features.pow(2).sum(dim=1), dim=0) for features in (student, teacher)]  # (n,) each
    return (maps[0] - maps[1]).pow(2).mean()


def lsp(student: Tensor, teacher: Tensor, edge_index: Tensor, kernel: str, parts: Parts = at_once) -> Tensor:
    """KL(student ‖ teacher) of the distributions over in-neighbours, mean over all nodes."""
    num_nodes = student.shape[0]
    logs = []
    for features in (student, teacher):
        similarity = _edge_similarity(features, edge_index, kernel, parts)
        logs.append(_edge_log_softmax(similarity, edge_index[1], num_nodes))
    return (logs[0].exp() * (logs[0] - logs[1])).sum() / num_nodes


def _edge_similarity(features: Tensor, edge_index: Tensor, kernel: str, parts: Parts) -> Tensor:
    if kernel == "cosine":
        features = F.normalize(features, dim=1)

    def similarity(edges: Tensor) -> Tensor:
        ends = features[edge_index[0, edges]], features[edge_index[1, edges]]  # (m, d) each
        if kernel == "rbf":
            return torch.exp(-(ends[0] - ends[1]).pow(2).sum(dim=1) / 2)
        if kernel == "l2":
            return (ends[0] - ends[1]).pow(2).sum(dim=1)
        product = (ends[0] * ends[1]).sum(dim=1)
        return product**2 if kernel == "poly" else product

    return parts(similarity, torch.arange(edge_index.shape[1]))


def _edge_log_softmax(values: Tensor, center: Tensor, num_nodes: int) -> Tensor:
    top = torch.full((num_nodes,), -torch.inf, dtype=values.dtype).scatter_reduce(0, center, values.detach(), "amax")
    values = values - top[center]
    total = torch.zeros(num_nodes, dtype=values.dtype).scatter_add(0, center, values.exp())
    return values - total[center].log()


def gsp(student: Tensor, teacher: Tensor, kernel: str, parts: Parts = at_once) -> Tensor:
    """Mean over all pairs of the squared difference of similarities."""
    if kernel in ("cosine", "poly"):
        student, teacher = F.normalize(student, dim=1), F.normalize(teacher, dim=1)

    def gap(rows: Tensor) -> Tensor:
        return (_pair_similarity(student, rows, kernel) - _pair_similarity(teacher, rows, kernel)).pow(2).mean(dim=1)

    return parts(gap, torch.arange(student.shape[0])).mean()


def _pair_similarity(features: Tensor, rows: Tensor, kernel: str) -> Tensor:
    """Rows of the (n, n) matrix of similarities."""
    if kernel in ("cosine", "poly"):
        products = features[rows] @ features.T
        return products if kernel == "cosine" else products**2
    squared = (features[rows, None] - features[None]).pow(2).sum(dim=2)  # from (m, n, d)
    if kernel == "rbf":
        return torch.exp(-squared / 2)
    coincident = squared == 0  # a root has no slope there
    return squared.masked_fill(coincident, 1).sqrt().masked_fill(coincident, 0)


def gcrd(student: Tensor, teacher: Tensor, temperature: float = 0.075) -> Tensor:
    """Both projected to the same width; node i of the teacher is the positive of node i of the student."""
    similarity = F.normalize(student, dim=1) @ F.normalize(teacher, dim=1).T / temperature  # (n, n)
    return F.cross_entropy(similarity, torch.arange(similarity.shape[0]))
