"""Forward and backward pass of the losses, ours beside the textbook's.

Ours is what a run does in an epoch: whatever depends on the frozen teacher alone is computed once, before.
FitNet and G-CRD compare projected features whose projectors are trained on both sides, so for them nothing
can be computed before, and both variants get features that are projected already. How exact ours is, is measured
against the textbook in float64 on the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from workbench.bench import textbook
from workbench.bench.measure import Step, compare
from workbench.errors import UsageError, did_you_mean
from workbench.models.base import Output

Loss = Callable[["Inputs"], Tensor]


@dataclass(frozen=True)
class Sizes:
    """Of one case: nodes, directed edges, and the widths of student and teacher (of logits, for kd)."""

    nodes: int
    edges: int
    widths: tuple[int, int]


@dataclass(frozen=True)
class Inputs:
    """A student's and a teacher's outputs on a random undirected graph; the student's take gradients."""

    student: Tensor  # (n, d_s)
    teacher: Tensor  # (n, d_t), takes gradients where both sides are trained
    edge_index: Tensor  # (2, E)

    @classmethod
    def random(cls, sizes: Sizes, both_trained: bool) -> Inputs:
        generator = torch.Generator().manual_seed(0)
        # Of norm about one, so that the RBF kernel of two nodes is neither 0 nor 1.
        student, teacher = (torch.randn(sizes.nodes, w, generator=generator).div_(w**0.5) for w in sizes.widths)
        half = torch.randint(sizes.nodes, (2, sizes.edges // 2), generator=generator)
        edges = torch.cat([half, half.flip(0)], dim=1)
        return cls(student.requires_grad_(), teacher.requires_grad_(both_trained), edges)

    def double(self) -> Inputs:
        """The same numbers in float64."""
        student, teacher = (f.detach().double().requires_grad_(f.requires_grad) for f in (self.student, self.teacher))
        return Inputs(student, teacher, self.edge_index)

    @property
    def trained(self) -> list[Tensor]:
        return [tensor for tensor in (self.student, self.teacher) if tensor.requires_grad]


@dataclass(frozen=True)
class Case:
    """One loss: how ours and the textbook's are prepared, and how large both matrices of the textbook are."""

    sizes: Sizes
    ours: Callable[[Inputs], Step]
    textbook: Callable[..., Tensor]  # (inputs, parts) -> the loss
    needs: Callable[[Sizes], int] = lambda sizes: 0  # bytes of the largest tensors of the textbook
    both_trained: bool = False
    part: Callable[[Sizes], int] = lambda sizes: sizes.nodes  # edges or rows at a time in float64


def _method(name: str, **options: Any) -> Callable[[Inputs], Step]:
    """One term of a method's objective, its targets computed in advance."""

    def prepare(inputs: Inputs) -> Step:
        from workbench.methods.base import Widths
        from workbench.registry import methods

        nodes = inputs.student.shape[0]
        # What an objective reads of a graph; a PyG Data costs seconds of import in every measuring process.
        mask = torch.ones(nodes, dtype=torch.bool)
        batch: Any = SimpleNamespace(x=inputs.student, edge_index=inputs.edge_index, num_nodes=nodes, train_mask=mask)
        student, teacher = (Output(features, [features]) for features in (inputs.student, inputs.teacher))
        objective = methods[name](**options).build(Widths.of(teacher), Widths.of(student))
        targets = objective.targets(teacher, batch)
        return lambda: next(iter(objective(student, targets, batch).values()))

    return prepare


def _function(name: str) -> Callable[[Inputs], Step]:
    """A pure function of projected features."""

    def prepare(inputs: Inputs) -> Step:
        from workbench import methods

        return lambda: getattr(methods, name)(inputs.student, inputs.teacher)

    return prepare


NODES = Sizes(169_343, 0, (256, 256))  # of ogbn-arxiv
PPI = Sizes(53_880, 1_230_000, (136, 1024))  # the whole of PPI, LSP's student and teacher
PART = 2**25  # numbers of the textbook in float64 that are made at a time
FLOAT = 4  # bytes
MOST_PAIRS = 2**28


def _lsp(kernel: str) -> Case:
    return Case(
        PPI,
        _method("lsp", kernel=kernel),
        lambda i, parts: textbook.lsp(i.student, i.teacher, i.edge_index, kernel, parts),
        needs=lambda sizes: 3 * FLOAT * sizes.edges * max(sizes.widths),
        part=lambda sizes: PART // max(sizes.widths),
    )


def _gsp(kernel: str, sizes: Sizes) -> Case:
    def per_pair(sizes: Sizes) -> int:
        return 1 if kernel in ("cosine", "poly") else max(sizes.widths)  # else a vector for each pair

    return Case(
        sizes,
        _method("gsp", kernel=kernel),
        lambda i, parts: textbook.gsp(i.student, i.teacher, kernel, parts),
        needs=lambda sizes: 3 * FLOAT * sizes.nodes**2 * per_pair(sizes),
        part=lambda sizes: PART // (sizes.nodes * per_pair(sizes)),
    )


CASES: dict[str, Case] = {
    "kd": Case(replace(NODES, widths=(40, 40)), _method("kd"), lambda i, parts: textbook.kd(i.student, i.teacher)),
    "fitnet": Case(
        NODES,
        _function("fitnet_loss"),
        lambda i, parts: textbook.fitnet(i.student, i.teacher),
        both_trained=True,
    ),
    "at": Case(NODES, _method("at"), lambda i, parts: textbook.attention_transfer(i.student, i.teacher)),
    **{f"lsp {kernel}": _lsp(kernel) for kernel in ("rbf", "l2", "poly", "linear", "cosine")},
    "gsp cosine": _gsp("cosine", Sizes(8_192, 0, (256, 750))),
    "gsp cosine (arxiv)": _gsp("cosine", replace(NODES, widths=(128, 128))),
    **{f"gsp {kernel}": _gsp(kernel, Sizes(2_048, 0, (128, 128))) for kernel in ("rbf", "l2", "poly")},
    "gcrd": Case(
        Sizes(16_384, 0, (256, 256)),
        _function("gcrd_loss"),
        lambda i, parts: textbook.gcrd(i.student, i.teacher),
        needs=lambda sizes: 3 * FLOAT * sizes.nodes**2,
        both_trained=True,
    ),
}


def make(variant: str, case: str, sizes: Sizes) -> tuple[Inputs, Any]:
    """The inputs of one case, and what prepares its step: the loss and its gradients."""

    def prepare(inputs: Inputs) -> Step:
        loss = CASES[case].ours(inputs) if variant == "ours" else lambda: CASES[case].textbook(inputs, textbook.at_once)
        return _step(inputs, loss)

    return Inputs.random(sizes, CASES[case].both_trained), prepare


def _step(inputs: Inputs, loss: Callable[[], Tensor]) -> Step:
    def step() -> float:
        for tensor in inputs.trained:
            tensor.grad = None
        value = loss()
        torch.autograd.backward(value)
        return float(value.detach())

    return step


def bench(
    nodes: int | None = None,
    edges: int | None = None,
    widths: tuple[int, ...] | None = None,
    repeats: int = 3,
    only: Iterable[str] = (),
) -> dict[str, Any]:
    """Every case (or those of ``only``) at its own sizes, or at those given; ``widths`` are student and teacher.

    Raises UsageError for a case that there is not.
    """
    results = []
    for case in chosen_cases(only):
        own = CASES[case].sizes
        sizes = Sizes(nodes or own.nodes, edges if edges and own.edges else own.edges, _widths(case, widths))
        results.append(_entry(case, sizes, repeats))
    return {"benchmark": "losses", "repeats": repeats, "threads": torch.get_num_threads(), "results": results}


def chosen_cases(only: Iterable[str]) -> list[str]:
    """The cases that are called so, or that begin so (``lsp``); all of them for none."""
    chosen = []
    for name in only:
        found = [case for case in CASES if case == name or case.split()[0] == name]
        if not found:
            raise UsageError(f"no loss is called {name!r}: {did_you_mean(name, CASES)}there are {', '.join(CASES)}")
        chosen += found
    return chosen or list(CASES)


def _widths(case: str, widths: tuple[int, ...] | None) -> tuple[int, int]:
    if widths is None:
        return CASES[case].sizes.widths
    # Logits, and what is projected, have one width on both sides.
    return (widths[0], widths[0]) if CASES[case].both_trained or case == "kd" else (widths[0], widths[1])


def _entry(case: str, sizes: Sizes, repeats: int) -> dict[str, Any]:
    needs = CASES[case].needs(sizes)
    entry = compare(case, make, (case, sizes), repeats, needs={"textbook": needs})
    entry |= {"nodes": sizes.nodes, "edges": sizes.edges, "widths": list(sizes.widths)}
    return entry | errors(case, sizes)


def errors(case: str, sizes: Sizes) -> dict[str, float | None]:
    """How far our value and our gradient are from those of the textbook in float64, relative to them.

    None for so many pairs of nodes that float64 would take minutes.
    """
    if case.startswith(("gsp", "gcrd")) and sizes.nodes**2 > MOST_PAIRS:
        return {"relative_difference": None, "gradient_difference": None}
    inputs, prepare = make("ours", case, sizes)
    value = prepare(inputs)()
    exact = inputs.double()
    parts = textbook.in_parts(max(1, CASES[case].part(sizes)))
    expected = _step(exact, lambda: CASES[case].textbook(exact, parts))()
    pairs = [(ours.grad, theirs.grad) for ours, theirs in zip(inputs.trained, exact.trained, strict=True)]
    gradient = max(float((a.double() - b).norm() / b.norm()) for a, b in pairs if a is not None and b is not None)
    return {"relative_difference": abs(value - expected) / abs(expected), "gradient_difference": gradient}
