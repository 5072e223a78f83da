"""Pure functions in other number formats: float32, half-precision features, and under a person's own autocast."""

import pytest
import torch
from pure_losses import LOSSES, NODES, features

every_loss = pytest.mark.parametrize("name", LOSSES)
HALF = [torch.bfloat16, torch.float16]


def value_and_gradient(name, student, teacher):
    student = student.detach().requires_grad_()
    value = LOSSES[name](student, teacher.detach())
    return value, torch.autograd.grad(value, student)[0]


def error(found, expected):
    return ((found.double() - expected).norm() / expected.norm()).item()


@every_loss
def test_float32_gives_what_float64_gives(name):
    student, teacher = features(NODES, 3), features(NODES, 3, seed=1)
    value, gradient = value_and_gradient(name, student.float(), teacher.float())
    expected, slope = value_and_gradient(name, student.float().double(), teacher.float().double())
    assert value.dtype == gradient.dtype == torch.float32
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    assert error(gradient, slope) < 1e-4


@every_loss
@pytest.mark.parametrize("half", HALF, ids=str)
def test_half_precision_features_give_about_the_same(name, half):
    student, teacher = features(NODES, 3).to(half), features(NODES, 3, seed=1).to(half)
    value, gradient = value_and_gradient(name, student, teacher)
    expected, slope = value_and_gradient(name, student.double(), teacher.double())
    assert value.dtype == gradient.dtype == half
    assert value.item() == pytest.approx(expected.item(), rel=5e-2)
    assert error(gradient, slope) < 5e-2


@pytest.mark.parametrize(
    ("name", "nodes", "scale"),
    [
        *(("gcrd", 7000, 1), ("gsp l2", 500, 100), ("kd paper", 2000, 40), ("glnn", 2000, 40)),
        *(("fitnet", 50, 300), ("gcrd", 50, 300), ("lsp cosine", 50, 300), ("gsp cosine", 50, 300)),
        *(("at p=2", 50, 300), ("at p=2", 20_000, 3), ("abkd node", 20_000, 3)),
    ],
)
def test_sums_over_many_nodes_do_not_overflow_in_half_precision(name, nodes, scale):
    """float16 ends at 65,504: a mean is smaller, and so is its gradient, but not the sum that it is taken of."""
    student, teacher = (scale * features(nodes, 4, seed=seed).half() for seed in (0, 1))
    value, gradient = value_and_gradient(name, student, teacher)
    expected, slope = value_and_gradient(name, student.float(), teacher.float())
    assert value.item() == pytest.approx(expected.item(), rel=1e-2)
    assert gradient.isfinite().all()
    if slope.abs().max() > 1e-4:  # float16 has few digits for what is smaller
        assert error(gradient, slope.double()) < 0.1


@every_loss
@pytest.mark.parametrize("half", HALF, ids=str)
def test_autocast_does_not_touch_float32_features(name, half):
    """Only ABKD's own matrix products follow it; what the kernels compute would be lost in half precision."""
    student, teacher = features(NODES, 3).float(), features(NODES, 3, seed=1).float()
    expected, slope = value_and_gradient(name, student, teacher)
    with torch.autocast("cpu", dtype=half):
        value, gradient = value_and_gradient(name, student, teacher)
    assert value.dtype == gradient.dtype == torch.float32
    tolerance = 2e-2 if name.startswith("abkd") else 1e-6
    assert value.item() == pytest.approx(expected.item(), rel=tolerance)
    assert error(gradient, slope.double()) <= tolerance
