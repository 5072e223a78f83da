"""Steps that are taken or left out, decided on the host or on the device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from workbench.spec import Training
from workbench.training.checkpoint import optimiser_tensors, restore_optimiser
from workbench.training.optimiser import decides_on_the_device, make_optimiser, step_if

RATE = 0.25
KINDS = ["adam", "adamw", "sgd", "rmsprop"]


def one_weight(kind: str, fused: bool) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    module = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(module.weight, 1.0)
    training = Training(optimizer=kind, learning_rate=RATE, weight_decay=0.0)  # type: ignore[arg-type]
    return module.weight, make_optimiser(module, training, fused)


def after(kind: str, slopes: list[float]) -> float:
    """The weight, from 1, after steps along these gradients: the formulas of the optimisers' papers."""
    weight, first, second = 1.0, 0.0, 0.0
    for step, g in enumerate(slopes, start=1):
        if kind == "sgd":
            first = 0.9 * first + g
            weight -= RATE * first
        elif kind == "rmsprop":
            second = 0.99 * second + 0.01 * g * g
            weight -= RATE * g / (second**0.5 + 1e-8)
        else:
            first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
            weight -= RATE * (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)) ** 0.5 + 1e-8)
    return weight


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_a_step_that_is_left_out_leaves_no_trace(kind: str, fused: bool, left_out: int) -> None:
    weight, optimiser = one_weight(kind, fused)
    slopes = [0.5, -2.0, 3.0]
    for index, slope in enumerate(slopes):
        weight.grad = torch.full_like(weight, torch.nan if index == left_out else slope)
        step_if(torch.tensor(index != left_out), optimiser)
    taken = [slope for index, slope in enumerate(slopes) if index != left_out]
    assert weight.item() == pytest.approx(after(kind, taken), rel=1e-6)


class Spared(nn.Module):
    """A module that names a parameter which is not to decay."""

    def __init__(self) -> None:
        super().__init__()
        self.decays, self.stays = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)

    def undecayed(self) -> list[nn.Parameter]:
        return [self.stays, self.frozen]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_module_says_which_of_its_parameters_do_not_decay(kind: str, fused: bool) -> None:
    """Without a slope only decay moves a weight; the module may stand anywhere in the whole, beside others."""
    inner = Spared()
    whole = nn.ModuleDict({"student": nn.Sequential(inner), "head": nn.Linear(1, 1)})
    bias = whole["head"].bias
    nn.init.ones_(bias)
    training = Training(optimizer=kind, learning_rate=RATE, weight_decay=0.1)  # type: ignore[arg-type]
    optimiser = make_optimiser(whole, training, fused)
    assert sorted(len(group["params"]) for group in optimiser.param_groups) == [1, 3]
    for _ in range(2):
        for p in whole.parameters():
            p.grad = torch.zeros_like(p) if p.requires_grad else None
        step_if(torch.tensor(True), optimiser)
    assert torch.equal(inner.stays, torch.ones(3))
    assert torch.equal(inner.frozen, torch.ones(1))
    assert (inner.decays < 1).all()
    assert (bias < 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_where_all_decay_there_is_one_group(kind: str) -> None:
    training = Training(optimizer=kind, weight_decay=0.1)  # type: ignore[arg-type]
    (group,) = make_optimiser(nn.Linear(2, 2), training).param_groups
    assert group["weight_decay"] == 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_of_two_groups_is_put_back_where_it_was(kind: str) -> None:
    def trained(steps: int, saved: dict[str, torch.Tensor] | None = None, at: Spared | None = None) -> tuple[Any, Any]:
        module = Spared()
        if at is not None:
            module.load_state_dict(at.state_dict())
        optimiser = make_optimiser(module, Training(optimizer=kind, learning_rate=RATE))  # type: ignore[arg-type]
        if saved is not None:
            restore_optimiser(optimiser, saved)
        for _ in range(steps):
            module.decays.grad, module.stays.grad = 0.3 * torch.ones(2), -0.7 * torch.ones(3)
            step_if(torch.tensor(True), optimiser)
        return module, optimiser

    half, optimiser = trained(2)
    resumed, _ = trained(2, {key: value.clone() for key, value in optimiser_tensors(optimiser).items()}, half)
    whole, _ = trained(4)
    assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_device_decides_for_all_that_have_a_fused_form(kind: str) -> None:
    assert decides_on_the_device(one_weight(kind, fused=True)[1]) is (kind != "rmsprop")
    assert not decides_on_the_device(one_weight(kind, fused=False)[1])
    assert not decides_on_the_device(make_optimiser(nn.Linear(1, 1), Training())), "nothing is gained by it on a CPU"
