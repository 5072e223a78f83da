"""Every pure function, with each of its kernels and conventions, as a loss of a student's and a teacher's features."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench import methods
from workbench.kernels.edges import EdgeKernel
from workbench.kernels.pairs import PairKernel

NODES = 6
EDGES = torch.tensor([[0, 1, 2, 2, 3, 3, 1, 0], [1, 0, 1, 1, 3, 2, 2, 0]])  # duplicates, self-loops, 4 and 5 isolated


@dataclass
class OverEdges:
    """LSP over those edges that are among the given nodes."""

    options: dict[str, Any]
    edges: Tensor = field(default_factory=lambda: EDGES)

    def __call__(self, student: Tensor, teacher: Tensor) -> Tensor:
        edges = self.edges[:, (len(student) > self.edges).all(0)].to(student.device)
        return methods.lsp_loss(student, teacher, edges, **self.options)

    def over(self, edges: Tensor) -> "OverEdges":
        return OverEdges(self.options, edges)


def lsp(**options):
    return OverEdges(options)


def abkd(pool):
    def loss(s, t):
        attention = methods.abkd_attention([t.mean(0), t[0]], [s.mean(0), s[-1], s[0]])
        return methods.abkd_loss(attention, methods.abkd_dissimilarity([t, 2 * t], [s, s.square(), -s], pool))

    return loss


LOSSES = {
    "kd paper": methods.kd_loss,
    "kd code": lambda s, t: methods.kd_loss(s, t, 2.0, "code"),
    "multilabel kd": methods.multilabel_kd_loss,
    "glnn": methods.glnn_loss,
    "link distribution": methods.link_distribution_loss,
    "link probability": methods.link_probability_loss,
    "fitnet": methods.fitnet_loss,
    "at p=2": methods.attention_transfer_loss,
    "at p=1": lambda s, t: methods.attention_transfer_loss(s, t, 1),
    "gcrd": methods.gcrd_loss,
    "abkd node": abkd("node"),
    "abkd graph": abkd("graph"),
    **{f"gsp {kernel}": lambda s, t, kernel=kernel: methods.gsp_loss(s, t, kernel) for kernel in PairKernel.__args__},
    **{f"lsp {kernel}": lsp(kernel=kernel) for kernel in EdgeKernel.__args__},
    "lsp reversed": lsp(direction="teacher_student", convention="code"),
}

# Both sides of these come from heads that are trained; of the others the teacher's side is what a frozen model gives.
BOTH_TRAINED = ("fitnet", "gcrd", "abkd node", "abkd graph")


def features(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
