"""Distributions over in-neighbours where arithmetic is delicate: far away, in one place, huge, shared by threads."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch

from workbench.kernels.csr import EdgePattern
from workbench.kernels.edges import EdgeKernel, neighbour_divergence, neighbour_log_distribution
from workbench.methods import lsp_loss

EDGE_KERNELS = EdgeKernel.__args__
every_kernel = pytest.mark.parametrize("kernel", EDGE_KERNELS)


def features(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def edges_among(nodes, count, seed=0, symmetric=True):
    found = torch.randint(0, nodes, (2, count), generator=torch.Generator().manual_seed(seed))
    return torch.cat([found, found.flip(0)], dim=1) if symmetric else found


def value_and_gradient(student, teacher, edges, *options, **named):
    student = student.detach().requires_grad_()
    loss = lsp_loss(student, teacher, edges, *options, **named)
    return loss.item(), torch.autograd.grad(loss, student)[0]


def array(features):
    return features.double().numpy()


@pytest.mark.parametrize("kernel", ["rbf", "l2", "l2_norm", "laplace"])
def test_distances_far_from_the_origin_keep_their_digits(path, kernel):
    """In float32, |a|² + |b|² − 2ab of rows of length 2000 has no digit left of a squared distance of one."""
    student, teacher, edges = features(20, 4) + 1000, features(20, 6, seed=1) + 1000, edges_among(20, 40)
    value, gradient = value_and_gradient(student, teacher, edges, kernel)
    s, t, direction = array(student), array(teacher), array(features(20, 4, seed=2))
    assert value == pytest.approx(formulas.lsp(s, t, edges.numpy(), kernel), rel=1e-6)
    expected = formulas.slope_along(lambda f: formulas.lsp(f, t, edges.numpy(), kernel), s, direction)
    assert (array(gradient) * direction).sum() == pytest.approx(expected, rel=1e-4)


@every_kernel
def test_a_student_near_its_teacher_keeps_its_digits(path, kernel):
    """A loss of about 1e-9, in which distributions in float32 would leave nothing but rounding."""
    teacher, edges = features(20, 4), edges_among(20, 40)
    student = teacher + 1e-4 * features(20, 4, seed=1)
    value, _ = value_and_gradient(student, teacher, edges, kernel)
    expected = formulas.lsp(array(student), array(teacher), edges.numpy(), kernel)
    rounded = kernel.startswith("cosine")  # to rows of length one, in float32, before they are compared
    assert value == pytest.approx(expected, rel=1e-3 if rounded else 1e-5, abs=1e-14)


@pytest.mark.parametrize("direction", ["student_teacher", "teacher_student"])
@pytest.mark.parametrize(("kernel", "scale"), [("l2", 10), ("l2", 300), ("poly", 10), ("poly", 100), ("linear", 1000)])
def test_huge_similarities_do_not_overflow(path, kernel, scale, direction):
    """Squared distances of a thousand and far more: their exponentials exist in no number format."""
    student, teacher, edges = scale * features(15, 4), scale * features(15, 4, seed=1), edges_among(15, 30)
    value, gradient = value_and_gradient(student, teacher, edges, kernel, direction=direction)
    assert gradient.isfinite().all()
    expected = formulas.lsp(array(student), array(teacher), edges.numpy(), kernel, direction=direction)
    assert value == pytest.approx(expected, rel=1e-5)


@every_kernel
def test_nodes_in_one_place_have_a_finite_gradient_and_none_towards_each_other(path, kernel):
    place = features(1, 4)
    student, edges = place.repeat(6, 1), edges_among(6, 12)
    value, gradient = value_and_gradient(student, features(6, 3, seed=1), edges, kernel)
    assert np.isfinite(value)
    assert gradient.isfinite().all()
    if kernel in ("rbf", "l2", "l2_norm", "laplace"):
        assert not gradient.any()


@pytest.mark.parametrize("kernel", ["rbf", "l2", "l2_norm", "laplace"])
def test_pairs_of_nodes_in_one_place_are_at_distance_zero(path, kernel):
    """An expanded square may leave a rounding error of either sign, whose root is no number or far too large."""
    student = features(20, 7, dtype=torch.float64).repeat(2, 1)
    edges = torch.stack([torch.arange(40), torch.arange(40).roll(20)])  # every node and its double
    edges = torch.cat([edges, edges_among(40, 60)], dim=1)
    value, gradient = value_and_gradient(student, features(40, 3, seed=1), edges, kernel)
    s, t, direction = array(student), array(features(40, 3, seed=1)), array(features(40, 7, seed=2))
    assert value == pytest.approx(formulas.lsp(s, t, edges.numpy(), kernel), rel=1e-9)
    slope = formulas.slope_along(lambda f: formulas.lsp(f, t, edges.numpy(), kernel), s, direction)
    assert (array(gradient) * direction).sum() == pytest.approx(slope, rel=1e-4)


@every_kernel
@pytest.mark.parametrize("symmetric", [True, False])
def test_threads_change_nothing(path, threads, kernel, symmetric):
    """Seven nodes: also fewer than threads, and a hub that has most of the edges."""
    hub = torch.stack([torch.arange(7).repeat(4), torch.zeros(28, dtype=torch.long)])
    edges = torch.cat([edges_among(7, 10, symmetric=symmetric), hub, hub.flip(0)[:, : 28 * symmetric]], dim=1)
    student, teacher = features(7, 3), features(7, 2, seed=1)
    value, gradient = value_and_gradient(student, teacher, edges, kernel)
    torch.set_num_threads(1)
    alone, expected = value_and_gradient(student, teacher, edges, kernel)
    assert value == pytest.approx(alone, rel=1e-12)
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-9)
    assert value == pytest.approx(formulas.lsp(array(student), array(teacher), edges.numpy(), kernel), rel=1e-5)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "laplace"])
def test_features_need_not_be_contiguous(path, kernel):
    edges, teacher = edges_among(20, 40), features(20, 4, seed=1)
    wide = features(9, 40)
    for student in (wide[:, ::2].T[:, :5], wide[:, :20].T, wide[:1, :4].expand(20, 4)):
        assert not student.is_contiguous()
        value, gradient = value_and_gradient(student, teacher.T.contiguous().T, edges, kernel)
        expected_value, expected = value_and_gradient(student.contiguous(), teacher, edges, kernel)
        assert value == pytest.approx(expected_value, rel=1e-6)
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kernel", ["rbf", "cosine", "laplace"])
def test_half_precision_features_are_taken_as_they_are(path, kernel, dtype):
    student, teacher, edges = features(20, 4).to(dtype), features(20, 4, seed=1).to(dtype), edges_among(20, 40)
    value, gradient = value_and_gradient(student, teacher, edges, kernel)
    exact, expected = value_and_gradient(student.double(), teacher.double(), edges, kernel)
    assert gradient.dtype == dtype
    assert value == pytest.approx(exact, rel=2e-2)
    assert (gradient - expected).norm() < 2e-2 * expected.norm()


def test_a_second_derivative_is_refused_rather_than_wrong(path):
    pattern, student = EdgePattern.of(edges_among(9, 20), 9), features(9, 3).requires_grad_()
    log_teacher = neighbour_log_distribution(features(9, 3, seed=1), pattern, "rbf")
    loss = neighbour_divergence(student, log_teacher, pattern, "rbf").square()
    (gradient,) = torch.autograd.grad(loss, student, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.square().sum().backward()
