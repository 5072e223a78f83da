from __future__ import annotations

import pytest
import torch
from torch import nn

from workbench.training.terms import TermWatch, backward


def test_the_accumulated_gradient_is_that_of_the_weighted_sum() -> None:
    torch.manual_seed(0)
    student, head = nn.Linear(4, 3).double(), nn.Linear(3, 2).double()
    module = nn.ModuleList([student, head])
    x = torch.randn(5, 4, dtype=torch.float64)
    weights = {"task": 0.3, "other": 7.0, "off": 0.0}

    def terms() -> dict[str, torch.Tensor]:
        hidden = student(x)
        return {"task": hidden.pow(2).mean(), "other": head(hidden).exp().mean(), "off": hidden.sum()}

    records = backward(terms(), weights, module, student)
    found = [p.grad.clone() for p in module.parameters() if p.grad is not None]
    total = sum(weights[name] * term for name, term in terms().items())
    expected = torch.autograd.grad(total, list(module.parameters()))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)
    only = torch.autograd.grad(terms()["other"], list(student.parameters()))
    assert records[1][1].item() == pytest.approx(sum(g.pow(2).sum().item() for g in only) ** 0.5)
    assert records[2][1].isnan(), "a term without weight costs no backward pass"


def test_a_term_that_comes_back_from_zero_is_not_reported() -> None:
    watch = TermWatch()
    quiet = {"kd": {"value": 0.0, "weight": 1.0, "gradient": 0.0}}
    busy = {"kd": {"value": 1.0, "weight": 1.0, "gradient": 1.0}}
    said = [watch.look(epoch, busy if epoch % 5 == 0 else quiet) for epoch in range(1, 100)]
    assert not any(said)


def test_a_term_whose_weight_is_zero_may_be_zero() -> None:
    watch = TermWatch()
    off = {"task": {"value": 0.0, "weight": 0.0, "gradient": None}}
    assert not any(watch.look(epoch, off) for epoch in range(1, 50))
