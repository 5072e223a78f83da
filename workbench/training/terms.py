"""The terms of a loss: one backward pass each, so that every gradient is known; their records and their warnings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

QUIET_EPOCHS = 10  # a term at zero for so long from the start is not doing anything

Gradients = list[Tensor | None]


def backward(
    terms: dict[str, Tensor], weights: dict[str, float], module: nn.Module, student: nn.Module, lens: bool = False
) -> tuple[Tensor, Tensor]:
    """Fill ``p.grad`` of every parameter of ``module`` with the gradient of the weighted sum.

    Returns, still on the device, one row per term (terms, 3), and whether a step may be taken (): whether all
    values, and the gradients of all terms that weigh something, are finite. A row holds the unweighted value, the
    gradient norm over the student's parameters, and with ``lens`` the cosine between that gradient and the one
    of ``task``, which ``terms`` names first; what was not asked for is NaN. So is the norm of a term whose gradient
    on another parameter of ``module`` is not finite: clipping would carry that to the student.

    A term of weight zero costs no backward pass and its norm is NaN; with ``lens`` it costs one, and still does
    not enter ``p.grad``. A term that does not depend on any parameter has the norm zero, and no cosine.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    of_student = {id(p) for p in student.parameters()}
    for p in parameters:
        p.grad = None
    lens = lens and len(terms) > 1
    active = [name for name, term in terms.items() if (lens or weights[name]) and term.requires_grad]
    unknown = torch.full((), math.nan, device=next(iter(terms.values())).device)
    task: tuple[Gradients, Tensor] | None = None
    rows: list[Tensor] = []  # value, norm and cosine of each term, one after another
    checks: list[Tensor] = []
    for name, term in terms.items():
        weight, value, cosine = weights[name], term.detach().float(), unknown
        norm = torch.zeros_like(unknown) if weight else unknown
        if name in active:
            gradients = torch.autograd.grad(term, parameters, retain_graph=name != active[-1], allow_unused=True)
            pull = [g if id(p) in of_student else None for p, g in zip(parameters, gradients, strict=True)]
            norm = _norm(pull, unknown)
            if lens and name == "task":
                task = pull, norm
            elif lens and task:
                cosine = _dot(pull, task[0], unknown) / norm / task[1]
            if weight:
                _add(parameters, gradients, weight)
                others = [g for p, g in zip(parameters, gradients, strict=True) if id(p) not in of_student]
                norm = _unless_broken(norm, others)
        rows += [value, norm, cosine]
        checks += [value, norm] if weight else [value]
    return torch.stack(rows).view(-1, 3), torch.stack(checks).isfinite().all()


def _add(parameters: list[nn.Parameter], gradients: Sequence[Tensor | None], weight: float) -> None:
    for p, g in zip(parameters, gradients, strict=True):
        if g is not None:
            p.grad = weight * g if p.grad is None else p.grad.add_(g, alpha=weight)


def _unless_broken(norm: Tensor, others: Sequence[Tensor | None]) -> Tensor:
    """``norm`` as it is; NaN where a gradient of ``others`` is not finite."""
    return norm + 0 * _norm(others, norm) if any(g is not None for g in others) else norm


def _norm(gradients: Sequence[Tensor | None], like: Tensor) -> Tensor:
    squares = [g.pow(2).sum() for g in gradients if g is not None]
    return torch.stack(squares).sum().sqrt().to(like.dtype) if squares else torch.zeros_like(like)


def _dot(left: Gradients, right: Gradients, like: Tensor) -> Tensor:
    products = [(a * b).sum() for a, b in zip(left, right, strict=True) if a is not None and b is not None]
    return torch.stack(products).sum().to(like.dtype) if products else torch.zeros_like(like)


def term_records(rows: dict[str, Sequence[float]], weights: dict[str, float], lens: bool) -> dict[str, dict[str, Any]]:
    """What is recorded of every term: ``value``, ``weight``, ``share``, ``gradient`` and, with ``lens``, ``cosine``.

    ``rows`` holds the numbers of :func:`backward` by name. ``share`` is |weight · value| as a part of the sum
    over all terms; ``cosine`` is that with the task's gradient, so ``task`` has none. What is not finite (a
    cosine where one of both gradients is zero) is None.
    """
    sizes = {name: abs(weights[name] * value) for name, (value, _, _) in rows.items()}
    total = sum(sizes.values())
    records: dict[str, dict[str, Any]] = {}
    for name, (value, norm, cosine) in rows.items():
        records[name] = {
            "value": finite(value),
            "weight": weights[name],
            "share": finite(sizes[name] / total) if total else None,
            "gradient": finite(norm),
        }
        if lens and name != "task":
            known = finite(cosine)
            records[name]["cosine"] = None if known is None else max(-1.0, min(1.0, known))
    return records


def finite(value: float) -> float | None:
    """``value`` as JSON can hold it: what is not finite is None."""
    return value if math.isfinite(value) else None


@dataclass
class TermWatch:
    """Notices a term that stays at zero, or is not finite, and says so once."""

    zero_epochs: dict[str, int] = field(default_factory=dict)
    bad_epochs: int = 0
    told: set[tuple[str, str]] = field(default_factory=set)

    def look(self, epoch: int, terms: dict[str, dict[str, Any]]) -> list[str]:
        """Warnings that are new in this epoch. ``terms``: name -> value, weight, gradient."""
        found = []
        sound = True
        for name, term in terms.items():
            value, weight, gradient = term["value"], term["weight"], term["gradient"]
            if value is None or (weight and gradient is None):
                sound = False
                found += self._once(
                    name,
                    "finite",
                    f"term {name!r} was not finite in epoch {epoch}: lower its weight or the learning rate",
                )
                continue
            quiet = bool(weight) and (value == 0 or gradient == 0)
            self.zero_epochs[name] = self.zero_epochs.get(name, 0) + 1 if quiet else 0
            if self.zero_epochs[name] >= QUIET_EPOCHS:
                what = "value" if value == 0 else "gradient on the student"
                found += self._once(
                    name,
                    "zero",
                    f"term {name!r} had a {what} of zero for {QUIET_EPOCHS} epochs: it is not teaching anything",
                )
        self.bad_epochs = 0 if sound else self.bad_epochs + 1
        return found

    def _once(self, name: str, kind: str, message: str) -> list[str]:
        if (name, kind) in self.told:
            return []
        self.told.add((name, kind))
        return [message]
