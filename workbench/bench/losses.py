"""Forward and backward pass of every loss, ours beside the textbook's.

Ours is what a run does in an epoch: whatever depends on the frozen teacher alone is computed once, before.
FitNet and G-CRD compare projected features whose projectors are trained on both sides, so for them nothing
can be computed before, and both variants get features that are projected already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from workbench.bench import textbook
from workbench.bench.measure import Step, compare
from workbench.models.base import Output

CLASSES = 10


@dataclass(frozen=True)
class Inputs:
    """A student's and a teacher's outputs on a random graph; the student's take gradients."""

    student: Tensor  # (n, d_s)
    teacher: Tensor  # (n, d_t)
    student_projected: Tensor  # (n, d_s), takes gradients
    teacher_projected: Tensor  # (n, d_s), takes gradients
    student_logits: Tensor  # (n, C)
    teacher_logits: Tensor  # (n, C)
    edge_index: Tensor  # (2, E)

    @classmethod
    def random(cls, nodes: int, edges: int, widths: tuple[int, ...]) -> Inputs:
        generator = torch.Generator().manual_seed(0)

        def features(width: int, trained: bool) -> Tensor:
            # Of norm about one, so that the RBF kernel of two nodes is neither 0 nor 1.
            found = torch.randn(nodes, width, generator=generator) / width**0.5
            return found.requires_grad_(trained)

        student, teacher = widths
        return cls(
            student=features(student, True),
            teacher=features(teacher, False),
            student_projected=features(student, True),
            teacher_projected=features(student, True),
            student_logits=features(CLASSES, True),
            teacher_logits=features(CLASSES, False),
            edge_index=torch.randint(nodes, (2, edges), generator=generator),
        )

    @property
    def trained(self) -> list[Tensor]:
        return [tensor for tensor in vars(self).values() if tensor.requires_grad]


def method_loss(name: str, **options: Any) -> Callable[[Inputs], Step]:
    """One term of a method's objective, its targets computed in advance."""

    def prepare(inputs: Inputs) -> Step:
        from workbench.methods.base import Widths
        from workbench.registry import methods

        nodes = inputs.student.shape[0]
        # What an objective reads of a graph; a PyG Data costs seconds of import in every measuring process.
        mask = torch.ones(nodes, dtype=torch.bool)
        batch: Any = SimpleNamespace(x=inputs.student, edge_index=inputs.edge_index, num_nodes=nodes, train_mask=mask)
        student = Output(inputs.student_logits, [inputs.student])
        teacher = Output(inputs.teacher_logits, [inputs.teacher])
        objective = methods[name](**options).build(Widths.of(teacher), Widths.of(student))
        targets = objective.targets(teacher, batch)
        return lambda: next(iter(objective(student, targets, batch).values()))

    return prepare


def _our_fitnet(inputs: Inputs) -> Step:
    from workbench.methods import fitnet_loss

    return lambda: fitnet_loss(inputs.student_projected, inputs.teacher_projected)


def _our_gcrd(inputs: Inputs) -> Step:
    from workbench.methods import gcrd_loss

    return lambda: gcrd_loss(inputs.student_projected, inputs.teacher_projected)


CASES: dict[str, dict[str, Callable[[Inputs], Step]]] = {
    "kd": {
        "ours": method_loss("kd"),
        "textbook": lambda i: lambda: textbook.kd(i.student_logits, i.teacher_logits),
    },
    "fitnet": {
        "ours": _our_fitnet,
        "textbook": lambda i: lambda: textbook.fitnet(i.student_projected, i.teacher_projected),
    },
    "at": {
        "ours": method_loss("at"),
        "textbook": lambda i: lambda: textbook.attention_transfer(i.student, i.teacher),
    },
    "lsp rbf": {
        "ours": method_loss("lsp", kernel="rbf"),
        "textbook": lambda i: lambda: textbook.lsp_rbf(i.student, i.teacher, i.edge_index),
    },
    "gsp cosine": {
        "ours": method_loss("gsp", kernel="cosine"),
        "textbook": lambda i: lambda: textbook.gsp_cosine(i.student, i.teacher),
    },
    "gsp rbf": {
        "ours": method_loss("gsp", kernel="rbf"),
        "textbook": lambda i: lambda: textbook.gsp_rbf(i.student, i.teacher),
    },
    "gcrd": {
        "ours": _our_gcrd,
        "textbook": lambda i: lambda: textbook.gcrd(i.student_projected, i.teacher_projected),
    },
}


def make(variant: str, case: str, nodes: int, edges: int, widths: tuple[int, ...]) -> tuple[Inputs, Any]:
    """The inputs of one case, and what prepares its step: the loss and its gradients."""

    def prepare(inputs: Inputs) -> Step:
        loss = CASES[case][variant](inputs)

        def step() -> float:
            for tensor in inputs.trained:
                tensor.grad = None
            value = loss()
            value.backward()
            return float(value.detach())

        return step

    return Inputs.random(nodes, edges, widths), prepare


def bench(nodes: int, edges: int, widths: tuple[int, ...], repeats: int) -> dict[str, Any]:
    """Every case at these sizes; ``widths`` are the student's and the teacher's."""
    results = []
    for case in CASES:
        sizes = (case, nodes, edges, widths)
        entry = compare(case, make, sizes, repeats)
        entry["relative_difference"] = _relative_difference(entry, sizes)
        results.append(entry)
    return {
        "benchmark": "losses",
        "nodes": nodes,
        "edges": edges,
        "widths": list(widths),
        "repeats": repeats,
        "threads": torch.get_num_threads(),
        "results": results,
    }


def _relative_difference(entry: dict[str, Any], sizes: tuple[Any, ...]) -> float | None:
    """How far ours is from the textbook's value; None where one of them does not fit."""
    if entry["speedup"] is None:
        return None
    values = []
    for variant in ("ours", "textbook"):
        inputs, prepare = make(variant, *sizes)
        values.append(prepare(inputs)())
    return abs(values[0] - values[1]) / max(abs(values[1]), 1e-30)
