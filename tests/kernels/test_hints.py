"""Distance of rows of length one: value and both gradients, in one block and in many, against float64 NumPy."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch

from workbench.kernels import hints
from workbench.kernels.hints import unit_row_distance

NODES = 150


@pytest.fixture(params=["one block", "many blocks"], autouse=True)
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(hints, "ENTRIES", 1)


def features(seed=0, scale=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(NODES, 4, generator=generator, dtype=torch.float64)).to(dtype).requires_grad_()


def array(tensor):
    return tensor.detach().double().numpy()


def formula(student, teacher):
    return sum(((formulas.unit(s) - formulas.unit(t)) ** 2).sum() for s, t in zip(student, teacher, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_value_and_both_gradients(scale, dtype):
    student, teacher = features(0, scale, dtype), features(1, dtype=dtype)
    loss = unit_row_distance(student, teacher)
    single = dtype == torch.float32
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(formula(array(student), array(teacher)), rel=1e-6 if single else 1e-12)
    gradients = torch.autograd.grad(3 * loss, (student, teacher))
    s, t, direction = array(student), array(teacher), array(features(2))
    slopes = (
        formulas.slope_along(lambda f: formula(f, t), s, direction, step=1e-5 * scale),
        formulas.slope_along(lambda f: formula(s, f), t, direction),
    )
    for side, gradient, slope in zip((student, teacher), gradients, slopes, strict=True):
        assert gradient.dtype == side.dtype
        assert (array(gradient) * direction).sum() == pytest.approx(3 * slope, rel=1e-4)


def test_gradients_are_right_by_finite_differences():
    assert torch.autograd.gradcheck(unit_row_distance, (features(), features(1)), fast_mode=True)


def test_only_the_side_that_wants_a_gradient_gets_one():
    student, teacher = features(), features(1)
    both = torch.autograd.grad(unit_row_distance(student, teacher), (student, teacher))
    (of_student,) = torch.autograd.grad(unit_row_distance(student, teacher.detach()), student)
    (of_teacher,) = torch.autograd.grad(unit_row_distance(student.detach(), teacher), teacher)
    torch.testing.assert_close((of_student, of_teacher), both)


def test_a_row_of_zeros_counts_as_it_is_and_has_a_finite_gradient():
    student, teacher = features(), features(1)
    with torch.no_grad():
        student[3] = 0
        teacher[[3, 5]] = 0
    loss = unit_row_distance(student, teacher)
    gradients = torch.autograd.grad(loss, (student, teacher))
    assert loss.item() == pytest.approx(formula(array(student), array(teacher)), rel=1e-12)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert not any(gradient[3].any() for gradient in gradients)


def test_equal_features_are_at_zero_whatever_their_length():
    student = features()
    loss = unit_row_distance(student, student.detach() * torch.rand(NODES, 1, dtype=torch.float64).add(0.1))
    assert loss.item() < 1e-28
    assert torch.autograd.grad(loss, student)[0].abs().max() < 1e-13


def test_opposite_features_are_four_per_node_apart():
    student = features()
    assert unit_row_distance(student, -2 * student.detach()).item() == pytest.approx(4 * NODES)
    assert np.isclose(formula(array(student), -array(student)), 4 * NODES)
