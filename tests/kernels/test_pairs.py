"""Similarities of all pairs of nodes: every kernel, in one block and in many, against loops in float64 NumPy."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from drawn import two_embeddings
from hypothesis import given, settings

from workbench.kernels import pairs
from workbench.kernels.pairs import PairKernel, cosine_gap, gram_energy, kernel_gap
from workbench.methods import gsp_loss

PAIR_KERNELS = PairKernel.__args__
every_kernel = pytest.mark.parametrize("kernel", PAIR_KERNELS)
NODES = 150  # three blocks, where a block has the fewest rows that there are, and the last is smaller


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(pairs, "ENTRIES", 1)
        monkeypatch.setattr(pairs, "GRAM_ROWS", 64)


def features(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def array(found):
    return found.detach().double().numpy()


def value_and_gradient(student, teacher, kernel):
    student = student.detach().requires_grad_()
    loss = gsp_loss(student, teacher, kernel)
    return loss.item(), torch.autograd.grad(loss, student)[0]


def formula(student, teacher, kernel):
    """The same as ``formulas.gsp``, with the n² pairs as one array operation."""

    def similarities(f):
        f = array(f)
        if kernel in ("cosine", "poly"):
            unit = np.array([formulas.unit(row) for row in f])
            return (unit @ unit.T) ** (2 if kernel == "poly" else 1)
        squared = ((f[:, None] - f) ** 2).sum(2)
        return np.sqrt(squared) if kernel == "l2" else np.exp(-squared / 2)

    return ((similarities(student) - similarities(teacher)) ** 2).mean()


@every_kernel
@given(pair=two_embeddings())
@settings(max_examples=15, deadline=None)
def test_value_and_gradient_are_those_of_the_formula(kernel, pair):
    student, teacher = pair
    value, gradient = value_and_gradient(*map(torch.from_numpy, pair), kernel)
    assert value == pytest.approx(formulas.gsp(student, teacher, kernel), rel=1e-9, abs=1e-12)
    assert gradient.isfinite().all()
    direction = np.random.default_rng(1).normal(size=student.shape)
    direction[~student.any(1)] = 0  # the cosine of a row of zeros jumps
    step = 1e-7 if kernel == "l2" else 1e-5  # nodes may be in one place
    expected = formulas.slope_along(lambda f: formulas.gsp(f, teacher, kernel), student, direction, step)
    assert (gradient.numpy() * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-7)


@every_kernel
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-3, 0.2, 1.0, 20.0])
def test_features_of_every_size_keep_their_digits(blocks, kernel, scale, dtype):
    student, teacher = (scale * features(NODES, w, seed=w, dtype=dtype) for w in (3, 5))
    value, gradient = value_and_gradient(student, teacher, kernel)
    assert gradient.dtype == dtype
    assert value == pytest.approx(formula(student, teacher, kernel), rel=1e-5 if dtype == torch.float32 else 1e-9)
    direction = array(features(NODES, 3, seed=9))
    slope = formulas.slope_along(
        lambda f: formula(torch.from_numpy(f), teacher, kernel), array(student), direction, step=1e-5 * scale
    )
    size = np.linalg.norm(array(gradient)) * np.linalg.norm(direction)
    assert (array(gradient) * direction).sum() == pytest.approx(slope, rel=1e-4, abs=1e-5 * size + 1e-14)


@every_kernel
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_student_that_equals_its_teacher_is_at_zero(blocks, kernel, dtype):
    teacher = features(NODES, 5, dtype=dtype)
    value, gradient = value_and_gradient(teacher.clone(), teacher, kernel)
    assert 0 <= value < 1e-13
    assert gradient.abs().max() < 1e-7


def test_the_cosine_gap_keeps_its_digits_near_the_teacher(blocks):
    """The Gram identity in float32 leaves no digit of a loss of 1e-8."""
    teacher = features(NODES, 6)
    student = teacher + 1e-4 * features(NODES, 6, seed=1)
    value, gradient = value_and_gradient(student, teacher, "cosine")
    expected = formula(student, teacher, "cosine")
    assert 1e-10 < expected < 1e-7
    assert value == pytest.approx(expected, rel=1e-5)
    direction = array(features(NODES, 6, seed=2))
    slope = formulas.slope_along(lambda f: formula(torch.from_numpy(f), teacher, "cosine"), array(student), direction)
    size = np.linalg.norm(array(gradient)) * np.linalg.norm(direction)
    assert (array(gradient) * direction).sum() == pytest.approx(slope, abs=1e-2 * size)


@every_kernel
@pytest.mark.parametrize("distance", [1e-2, 1e-3])
def test_other_kernels_keep_their_digits_near_the_teacher(blocks, kernel, distance):
    """With rows as long as those for which rbf is taken in float32, and others."""
    for scale in (0.3, 3.0):
        teacher = scale * features(NODES, 4)
        student = teacher + scale * distance * features(NODES, 4, seed=1)
        value, _ = value_and_gradient(student, teacher, kernel)
        assert value == pytest.approx(formula(student, teacher, kernel), rel=1e-3)


@pytest.mark.parametrize("kernel", ["l2", "rbf"])
def test_distances_far_from_the_origin_keep_their_digits(blocks, kernel):
    student, teacher = features(NODES, 3) + 1000, features(NODES, 4, seed=1) - 1000
    value, _ = value_and_gradient(student, teacher, kernel)
    assert value == pytest.approx(formula(student, teacher, kernel), rel=1e-5)


@pytest.mark.parametrize("kernel", ["l2", "rbf"])
def test_close_nodes_far_from_the_mean_keep_their_digits(blocks, kernel):
    """Two clusters: taking the mean off leaves both of them far away."""
    far = 100 * (torch.arange(NODES) % 2 * 2 - 1)[:, None]
    teacher = features(NODES, 4) + far
    student = teacher + 1e-3 * features(NODES, 4, seed=1)
    value, _ = value_and_gradient(student, teacher, kernel)
    assert value == pytest.approx(formula(student, teacher, kernel), rel=1e-5)


@pytest.mark.parametrize("kernel", ["l2", "rbf"])
def test_nodes_in_one_place_pull_at_no_other(blocks, kernel):
    place = features(1, 4).repeat(NODES, 1)
    value, gradient = value_and_gradient(place, features(NODES, 3, seed=1), kernel)
    assert np.isfinite(value)
    assert not gradient.any()


def test_a_cached_energy_of_the_teacher_changes_nothing(blocks):
    student, teacher = features(NODES, 4), features(NODES, 6, seed=1)
    energy = gram_energy(teacher)
    unit = np.array([formulas.unit(row) for row in array(teacher)])
    assert energy.item() == pytest.approx(((unit @ unit.T) ** 2).sum(), rel=1e-9)
    assert torch.equal(cosine_gap(student, teacher, energy), cosine_gap(student, teacher))


def test_only_the_student_gets_a_gradient(blocks):
    student, teacher = features(NODES, 4).requires_grad_(), features(NODES, 4, seed=1).requires_grad_()
    for gap in (cosine_gap(student, teacher), kernel_gap(student, teacher, "rbf"), kernel_gap(student, teacher, "l2")):
        found = torch.autograd.grad(gap, (student, teacher), allow_unused=True)
        assert found[0].any()
        assert found[1] is None


@every_kernel
def test_without_a_gradient_the_value_is_the_same(blocks, kernel):
    student, teacher = features(NODES, 4), features(NODES, 6, seed=1)
    value, _ = value_and_gradient(student, teacher, kernel)
    assert gsp_loss(student, teacher, kernel).item() == value
    with torch.no_grad():
        assert gsp_loss(student.requires_grad_(), teacher, kernel).item() == value


@every_kernel
def test_features_need_not_be_contiguous(blocks, kernel):
    student, teacher = features(5, NODES).T, features(NODES, 12, seed=1)[:, ::2]
    value, gradient = value_and_gradient(student, teacher, kernel)
    expected_value, expected = value_and_gradient(student.contiguous(), teacher.contiguous(), kernel)
    assert value == pytest.approx(expected_value, rel=1e-5)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-7)
