"""Label smoothing: the published loss, from its two parts, on the labelled training nodes."""

import math

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from workbench.errors import UsageError
from workbench.methods import GCRD, KD, LabelSmoothing, Sum, label_smoothing_loss
from workbench.registry import methods
from workbench.tasks import NodeClassification


def total_loss(toy, epsilon):
    objective = Sum((LabelSmoothing(epsilon=epsilon),)).build(*toy.widths())
    terms = toy.terms(objective) | {"task": NodeClassification().loss(toy.student.logits, toy.batch)}
    return sum(objective.weights()[name] * term for name, term in terms.items())


@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 8), classes=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_it_is_the_cross_entropy_against_equal_shares(seed, nodes, classes):
    logits = 3 * np.random.default_rng(seed).normal(size=(nodes, classes))
    found = label_smoothing_loss(torch.from_numpy(logits))
    assert found.item() == pytest.approx(formulas.label_smoothing(logits), rel=1e-12, abs=1e-12)
    assert found.item() >= math.log(classes) - 1e-12


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5, 1.0])
def test_with_the_task_it_is_the_cross_entropy_against_smoothed_labels(toy, epsilon):
    """The paper's q'(k) = (1 − ε) δ(k, y) + ε / K, node by node."""
    logits, labels = (v[toy.batch.train_mask].detach().numpy() for v in (toy.student.logits, toy.batch.y))
    smoothed = (1 - epsilon) * np.eye(logits.shape[1])[labels] + epsilon / logits.shape[1]
    rows = [-(q * formulas.log_softmax(z)).sum() for q, z in zip(smoothed, logits, strict=True)]
    assert total_loss(toy, epsilon).item() == pytest.approx(np.mean(rows), rel=1e-12)


def test_it_is_torchs_own_label_smoothing(toy):
    mask = toy.batch.train_mask
    expected = F.cross_entropy(toy.student.logits[mask], toy.batch.y[mask], label_smoothing=0.1)
    assert total_loss(toy, 0.1).item() == pytest.approx(expected.item(), rel=1e-12)


def test_equal_logits_are_at_the_minimum():
    logits = torch.full((5, 7), 2.5, dtype=torch.float64, requires_grad=True)
    loss = label_smoothing_loss(logits)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx(math.log(7))
    assert gradient.abs().max() < 1e-12


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_finite_for_any_logits(scale, dtype):
    drawn = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits = (scale * drawn).to(dtype).requires_grad_()
    loss = label_smoothing_loss(logits)
    assert loss.isfinite()
    assert torch.autograd.grad(loss, logits)[0].isfinite().all()


def test_its_gradient_is_right_by_finite_differences():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(label_smoothing_loss, (logits,))


def test_only_labelled_training_nodes_and_never_the_teacher_matter(toy):
    (term,) = toy.terms(Sum((LabelSmoothing(),)).build(*toy.widths())).values()
    student, *teacher = torch.autograd.grad(term, [toy.student.logits, *toy.teacher.layers], allow_unused=True)
    assert student[toy.batch.train_mask].any()
    assert not student[~toy.batch.train_mask].any()
    assert teacher == [None] * len(teacher)


def test_no_nodes_and_no_matrix_are_refused():
    with pytest.raises(UsageError, match="at least one node"):
        label_smoothing_loss(torch.empty(0, 3))
    with pytest.raises(UsageError, match=r"one row per node; got shape \(3,\)"):
        label_smoothing_loss(torch.ones(3))


def test_it_shares_the_labels_with_no_other_method_but_adds_to_those_that_leave_them_alone():
    with pytest.raises(UsageError, match="kd and label-smoothing both set"):
        KD() + LabelSmoothing()
    assert [part.name for part in GCRD() + LabelSmoothing(epsilon=0.2)] == ["gcrd", "label-smoothing"]


def test_controls_are_the_methods_that_need_no_teacher():
    assert [name for name in methods.builtin_names() if methods[name].control] == ["label-smoothing", "none"]
