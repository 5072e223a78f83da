"""The terms of a loss: one backward pass each, so that every gradient norm is known; and their warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

QUIET_EPOCHS = 10  # a term at zero for so long from the start is not doing anything


def backward(
    terms: dict[str, Tensor], weights: dict[str, float], module: nn.Module, student: nn.Module
) -> list[Tensor]:
    """Fill ``p.grad`` of every parameter of ``module`` with the gradient of the weighted sum.

    Returns, per term, its unweighted value and gradient norm over the student's parameters as one
    (2,) tensor, still on the device. A term of weight zero costs no backward pass: its norm is NaN. A term
    that does not depend on any parameter has the norm zero.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    of_student = {id(p) for p in student.parameters()}
    for p in parameters:
        p.grad = None
    active = [name for name, term in terms.items() if weights[name] != 0 and term.requires_grad]
    records = []
    for name, term in terms.items():
        norm = torch.full((), 0.0 if weights[name] else math.nan, device=term.device)
        if name in active:
            grads = torch.autograd.grad(term, parameters, retain_graph=name != active[-1], allow_unused=True)
            found = [(p, g) for p, g in zip(parameters, grads, strict=True) if g is not None]
            norm = _norm([g for p, g in found if id(p) in of_student], norm)
            for p, g in found:
                p.grad = weights[name] * g if p.grad is None else p.grad.add_(g, alpha=weights[name])
        records.append(torch.stack([term.detach().float(), norm]))
    return records


def _norm(gradients: list[Tensor], like: Tensor) -> Tensor:
    if not gradients:
        return torch.zeros_like(like)
    return torch.stack([g.pow(2).sum() for g in gradients]).sum().sqrt().to(like.dtype)


@dataclass
class TermWatch:
    """Notices a term that stays at zero, or is not finite, and says so once."""

    zero_epochs: dict[str, int] = field(default_factory=dict)
    bad_epochs: int = 0
    told: set[tuple[str, str]] = field(default_factory=set)

    def look(self, epoch: int, terms: dict[str, dict[str, float | None]]) -> list[str]:
        """Warnings that are new in this epoch. ``terms``: name -> value, weight, gradient."""
        found = []
        finite = True
        for name, term in terms.items():
            value, weight, gradient = term["value"], term["weight"], term["gradient"]
            if value is None or (weight and gradient is None):
                finite = False
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
        self.bad_epochs = 0 if finite else self.bad_epochs + 1
        return found

    def _once(self, name: str, kind: str, message: str) -> list[str]:
        if (name, kind) in self.told:
            return []
        self.told.add((name, kind))
        return [message]
