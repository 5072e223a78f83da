"""The losses as one writes them down from the papers: every matrix in full, the teacher's side in every step.

They are what ours are measured against, and what ours have to agree with. Shapes: student (n, d_s),
teacher (n, d_t), logits (n, C), edge_index (2, E); every loss is a scalar.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


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


def lsp_rbf(student: Tensor, teacher: Tensor, edge_index: Tensor, sigma: float = 1.0) -> Tensor:
    """KL(student ‖ teacher) of the distributions over in-neighbours, mean over all nodes."""
    num_nodes = student.shape[0]
    logs = [_edge_log_softmax(_edge_rbf(features, edge_index, sigma), edge_index[1], num_nodes)
            for features in (student, teacher)]  # fmt: skip
    return (logs[0].exp() * (logs[0] - logs[1])).sum() / num_nodes


def _edge_rbf(features: Tensor, edge_index: Tensor, sigma: float) -> Tensor:
    difference = features[edge_index[0]] - features[edge_index[1]]  # (E, d)
    return torch.exp(-difference.pow(2).sum(dim=1) / (2 * sigma**2))


def _edge_log_softmax(values: Tensor, center: Tensor, num_nodes: int) -> Tensor:
    # The values lie in (0, 1], so the exponential needs no shift.
    total = torch.zeros(num_nodes).index_add(0, center, values.exp())
    return values - total[center].log()


def gsp_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    s, t = F.normalize(student, dim=1), F.normalize(teacher, dim=1)
    return (s @ s.T - t @ t.T).pow(2).mean()  # (n, n)


def gsp_rbf(student: Tensor, teacher: Tensor) -> Tensor:
    return (_pair_rbf(student) - _pair_rbf(teacher)).pow(2).mean()


def _pair_rbf(features: Tensor) -> Tensor:
    difference = features[:, None] - features[None]  # (n, n, d)
    return torch.exp(-difference.pow(2).sum(dim=2) / 2)


def gcrd(student: Tensor, teacher: Tensor, temperature: float = 0.075) -> Tensor:
    """Both projected to the same width; node i of the teacher is the positive of node i of the student."""
    similarity = F.normalize(student, dim=1) @ F.normalize(teacher, dim=1).T / temperature  # (n, n)
    return F.cross_entropy(similarity, torch.arange(similarity.shape[0]))
