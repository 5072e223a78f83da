"""Steps that are taken or left out, decided on the host or on the device."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workbench.spec import Training
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


@pytest.mark.parametrize("kind", KINDS)
def test_the_device_decides_for_all_that_have_a_fused_form(kind: str) -> None:
    assert decides_on_the_device(one_weight(kind, fused=True)[1]) is (kind != "rmsprop")
    assert not decides_on_the_device(one_weight(kind, fused=False)[1])
    assert not decides_on_the_device(make_optimiser(nn.Linear(1, 1), Training())), "nothing is gained by it on a CPU"
