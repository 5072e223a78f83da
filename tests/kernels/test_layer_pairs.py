"""Distances between all layers of two models, against float64 NumPy."""

import numpy as np
import pytest
import torch

from workbench.kernels import layer_pairs
from workbench.kernels.layer_pairs import layer_distances


@pytest.fixture(params=["one block", "many blocks"], autouse=True)
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(layer_pairs, "COLUMNS", 17)


def layers(count, seed=0, dtype=torch.float64):
    drawn = torch.randn(count, 100, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.to(dtype).requires_grad_()


def formula(teacher, student):
    return np.array([[((t - s) ** 2).sum() for s in student] for t in teacher])


def array(tensor):
    return tensor.detach().double().numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sizes", [(3, 2), (1, 1), (2, 5)])
def test_values_are_the_squared_distances(sizes, dtype):
    teacher, student = layers(sizes[0], dtype=dtype), layers(sizes[1], seed=1, dtype=dtype)
    found = layer_distances(teacher, student)
    assert found.dtype == dtype
    assert array(found) == pytest.approx(formula(array(teacher), array(student)), rel=1e-6)


def test_gradients_are_right_by_finite_differences():
    assert torch.autograd.gradcheck(layer_distances, (layers(3), layers(2, seed=1)))


def test_only_the_side_that_wants_a_gradient_gets_one():
    teacher, student = layers(3), layers(2, seed=1)
    both = torch.autograd.grad(layer_distances(teacher, student).sum(), (teacher, student))
    (of_student,) = torch.autograd.grad(layer_distances(teacher.detach(), student).sum(), student)
    (of_teacher,) = torch.autograd.grad(layer_distances(teacher, student.detach()).sum(), teacher)
    torch.testing.assert_close((of_teacher, of_student), both)


@pytest.mark.parametrize("offset", [0, 10])
def test_nearly_equal_layers_keep_their_digits_in_float32(offset):
    """Where the expansion in float32 gives noise of either sign."""
    teacher = (layers(2).detach() + offset).float()
    student = (teacher + 1e-3 * layers(2, seed=1).detach()).float()
    found, expected = layer_distances(teacher, student), formula(array(teacher), array(student))
    assert array(found) == pytest.approx(expected, rel=1e-5)
    assert layer_distances(teacher, teacher).diagonal().max() < 1e-9


def test_in_float32_gradients_near_the_teacher_keep_their_digits():
    teacher, noise = layers(2).detach(), layers(2, seed=1).detach()
    student = (teacher + 1e-3 * noise).float().requires_grad_()
    teacher = teacher.float().requires_grad_()
    found = torch.autograd.grad(layer_distances(teacher, student).diagonal().sum(), (teacher, student))
    expected = 2 * (teacher.detach().double() - student.detach().double())
    for gradient, sign in zip(found, (1, -1), strict=True):
        assert (gradient.double() - sign * expected).norm() < 1e-6 * expected.norm()
