"""Divergence of softened class distributions: value and gradient, in one block and in many, against float64 NumPy."""

import math

import numpy as np
import numpy_formulas as formulas
import pytest
import torch

from workbench.kernels import soft_labels
from workbench.kernels.soft_labels import soft_label_divergence

NODES = 150


@pytest.fixture(params=["one block", "many blocks"], autouse=True)
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(soft_labels, "ENTRIES", 1)


def drawn(classes, scale=1.0, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(NODES, classes, generator=generator, dtype=torch.float64)).to(dtype)


def formula(logits, log_teacher, temperature):
    """Value and gradient, node by node."""
    total, gradient = 0.0, np.zeros_like(logits)
    for i, row in enumerate(logits):
        log_student = formulas.log_softmax(row / temperature)
        total += formulas.kl(log_teacher[i], log_student)
        gradient[i] = (np.exp(log_student) - np.exp(log_teacher[i])) / temperature
    return total, gradient


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("classes", [1, 2, 7])
def test_value_and_gradient(classes, temperature, dtype):
    logits = drawn(classes, 3.0, dtype=dtype).requires_grad_()
    log_teacher = drawn(classes, 3.0, seed=1, dtype=dtype).log_softmax(1)
    loss = soft_label_divergence(logits, log_teacher, temperature)
    (gradient,) = torch.autograd.grad(3 * loss, logits)
    expected, slope = formula(logits.detach().double().numpy(), log_teacher.double().numpy(), temperature)
    single = dtype == torch.float32
    assert loss.dtype == gradient.dtype == dtype
    assert loss.item() == pytest.approx(expected, rel=1e-5 if single else 1e-10, abs=1e-10)
    assert gradient.double().numpy() == pytest.approx(3 * slope, abs=1e-6 if single else 1e-12)


def test_the_teacher_is_a_constant():
    logits, log_teacher = drawn(4).requires_grad_(), drawn(4, seed=1).log_softmax(1).requires_grad_()
    soft_label_divergence(logits, log_teacher).backward()
    assert logits.grad.any()
    assert log_teacher.grad is None


def test_without_a_gradient_the_value_is_the_same():
    logits, log_teacher = drawn(4), drawn(4, seed=1).log_softmax(1)
    value = soft_label_divergence(logits.clone().requires_grad_(), log_teacher)
    assert torch.equal(soft_label_divergence(logits, log_teacher), value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sure_distributions_have_finite_values_and_gradients(dtype):
    """Probabilities of 0 and 1, as far as the number format can tell, and a student who is sure of something else."""
    logits = drawn(4, 1e3, dtype=dtype).requires_grad_()
    log_teacher = drawn(4, 1e3, seed=1, dtype=dtype).log_softmax(1)
    loss = soft_label_divergence(logits, log_teacher)
    (gradient,) = torch.autograd.grad(loss, logits)
    expected, slope = formula(logits.detach().double().numpy(), log_teacher.double().numpy(), 1.0)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert gradient.double().numpy() == pytest.approx(slope, abs=1e-4 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 1e-3), (torch.float64, 1e-8)], ids=str)
def test_a_student_near_its_teacher_keeps_its_digits(dtype, digits):
    teacher = drawn(5).to(dtype)
    logits, log_teacher = teacher + 1e-3 * drawn(5, seed=1).to(dtype), teacher.log_softmax(1)
    expected, _ = formula(logits.double().numpy(), log_teacher.double().log_softmax(1).numpy(), 1.0)
    assert soft_label_divergence(logits, log_teacher).item() == pytest.approx(expected, rel=digits)


def test_a_class_that_the_teacher_rules_out_counts_nothing():
    teacher = torch.tensor([[0.0, 0.0, -torch.inf]]).log_softmax(1)
    # KL((1/2, 1/2, 0) ‖ (1/3, 1/3, 1/3)) = ln 3/2
    assert soft_label_divergence(torch.zeros(1, 3), teacher).item() == pytest.approx(math.log(1.5), rel=1e-6)
