from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from workbench.training.terms import TermWatch, backward, term_records


def test_the_accumulated_gradient_is_that_of_the_weighted_sum() -> None:
    torch.manual_seed(0)
    student, head = nn.Linear(4, 3).double(), nn.Linear(3, 2).double()
    module = nn.ModuleList([student, head])
    x = torch.randn(5, 4, dtype=torch.float64)
    weights = {"task": 0.3, "other": 7.0, "off": 0.0}

    def terms() -> dict[str, torch.Tensor]:
        hidden = student(x)
        return {"task": hidden.pow(2).mean(), "other": head(hidden).exp().mean(), "off": hidden.sum()}

    rows, finite = backward(terms(), weights, module, student)
    found = [p.grad.clone() for p in module.parameters() if p.grad is not None]
    total = sum(weights[name] * term for name, term in terms().items())
    expected = torch.autograd.grad(total, list(module.parameters()))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)
    only = torch.autograd.grad(terms()["other"], list(student.parameters()))
    assert rows[1, 1].item() == pytest.approx(sum(g.pow(2).sum().item() for g in only) ** 0.5)
    assert rows[2, 1].isnan(), "a term without weight costs no backward pass"
    assert rows[:, 2].isnan().all(), "no direction was asked for"
    assert finite


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


@pytest.fixture
def learner() -> tuple[nn.Module, nn.Linear]:
    """A module in float64, and the student in it; what is not the student is a projector."""
    torch.manual_seed(0)
    student, projector = nn.Linear(3, 2).double(), nn.Linear(2, 2).double()
    return nn.ModuleList([student, projector]), student


def terms_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """Terms in every direction: beside the task, along it, against it, across it, and none."""
    student, projector = module
    x = torch.arange(12, dtype=torch.float64).view(4, 3).cos()
    hidden = student(x)
    task = hidden.pow(2).mean()
    return {
        "task": task,
        "beside": projector(hidden).exp().mean(),
        "along": 5 * task,
        "against": 1 - 0.1 * task,
        "bias-only": student.bias.sum(),
        "constant": torch.zeros((), dtype=torch.float64),
        "flat": (hidden * 0).sum(),
    }


def expected_cosine(module: nn.Module, student: nn.Module, name: str) -> float:
    """Of the whole gradient as one vector, in NumPy; a parameter that a term does not reach has a zero there."""

    def vector(term: str) -> np.ndarray:
        parameters = list(student.parameters())
        grads = torch.autograd.grad(terms_of(module)[term], parameters, allow_unused=True)
        parts = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, grads, strict=True)]
        return np.concatenate([part.numpy().ravel() for part in parts])

    a, b = vector("task"), vector(name)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@pytest.mark.parametrize("name", ["beside", "along", "against", "bias-only"])
@pytest.mark.parametrize("weight_of_task", [0.0, 0.3])
def test_the_lens_gives_the_cosine_with_the_gradient_of_the_task(
    learner: tuple[nn.Module, nn.Linear], name: str, weight_of_task: float
) -> None:
    module, student = learner
    terms = terms_of(module)
    weights = dict.fromkeys(terms, 1.0) | {"task": weight_of_task}
    rows, _ = backward(terms, weights, module, student, lens=True)
    found = rows[list(terms).index(name), 2].item()
    assert found == pytest.approx(expected_cosine(module, student, name), abs=1e-6)
    if name in ("along", "against"):
        assert found == pytest.approx({"along": 1, "against": -1}[name], abs=1e-6)


def test_the_lens_changes_no_gradient(learner: tuple[nn.Module, nn.Linear]) -> None:
    module, student = learner
    found = []
    for lens in (False, True):
        terms = terms_of(module)
        backward(terms, dict.fromkeys(terms, 0.5) | {"task": 0.0, "beside": 0.0}, module, student, lens)
        found.append([p.grad for p in module.parameters()])
    for plain, seen in zip(*found, strict=True):
        assert (plain is None and seen is None) or torch.equal(plain, seen)
    assert found[0][2] is None, "the projector belongs to a term of weight zero"


def test_a_term_without_a_gradient_has_no_direction(learner: tuple[nn.Module, nn.Linear]) -> None:
    module, student = learner
    terms = terms_of(module)
    weights = dict.fromkeys(terms, 1.0)
    rows, _ = backward(terms, weights, module, student, lens=True)
    records = term_records(dict(zip(terms, rows.tolist(), strict=True)), weights, lens=True)
    assert "cosine" not in records["task"]
    assert [records[name]["cosine"] for name in ("constant", "flat")] == [None, None]
    assert [records[name]["gradient"] for name in ("constant", "flat")] == [0, 0]


@pytest.mark.parametrize(
    ("broken", "weight", "finite"), [("value", 0.0, False), ("norm", 0.0, True), ("norm", 1.0, False)]
)
def test_a_step_is_refused_for_any_value_and_any_weighted_gradient_that_is_not_finite(
    broken: str, weight: float, finite: bool
) -> None:
    student = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(student.weight)
    root = student.weight.sum().sqrt()  # 0, with an infinite slope
    other = root + math.inf if broken == "value" else root
    terms = {"task": student.weight.sum(), "other": other}
    _, found = backward(terms, {"task": 1.0, "other": weight}, student, student, lens=True)
    assert bool(found) is finite


def test_a_step_is_refused_for_a_gradient_on_a_head_that_is_not_finite_and_the_term_says_so() -> None:
    student, head = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.zeros_(head.weight)
    broken = head.weight.sum().sqrt()  # 0, with an infinite slope; the student's gradient is finite
    terms = {"task": student.weight.sum(), "other": student.weight.sum() + broken}
    rows, finite = backward(terms, {"task": 1.0, "other": 1.0}, nn.ModuleList([student, head]), student)
    assert not finite
    assert rows[0, 1] == 1
    assert rows[1, 1].isnan()


def test_shares_are_parts_of_the_sum_of_all_sizes() -> None:
    rows = {"task": (2.0, 1.0, math.nan), "kd": (-4.0, 1.0, math.nan), "off": (9.0, math.nan, math.nan)}
    records = term_records(rows, {"task": 1.0, "kd": 1.5, "off": 0.0}, lens=False)
    assert [record["share"] for record in records.values()] == [0.25, 0.75, 0.0]
    assert not any("cosine" in record for record in records.values())


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_a_share_of_nothing_or_of_what_is_not_finite_is_unknown(value: float) -> None:
    records = term_records({"task": (value, 1.0, math.nan)}, {"task": 1.0}, lens=False)
    assert records["task"]["share"] is None


def test_a_cosine_is_kept_within_its_bounds_against_rounding() -> None:
    rows = {"task": (1.0, 1.0, math.nan), "kd": (1.0, 1.0, 1.0000001), "lsp": (1.0, 1.0, -1.0000001)}
    records = term_records(rows, dict.fromkeys(rows, 1.0), lens=True)
    assert (records["kd"]["cosine"], records["lsp"]["cosine"]) == (1.0, -1.0)
