"""InfoNCE over all pairs: value and both gradients, in one block and in many, against float64 NumPy."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from drawn import two_embeddings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.kernels import contrast as module
from workbench.kernels.contrast import LARGEST_EXPONENT, contrast
from workbench.kernels.rows import unit_rows
from workbench.methods import gcrd_loss

TEMPERATURES = [0.005, 0.015, 0.02, 0.05, 0.075, 1.0, 10.0]
every_temperature = pytest.mark.parametrize("temperature", TEMPERATURES)
NODES = 150  # three blocks, where a block has the fewest rows that there are, and the last is smaller


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(module, "ENTRIES", 1)


def unit_features(*shape, seed=0, dtype=torch.float64):
    found = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return unit_rows(found).to(dtype)


def formula(queries, keys, temperature):
    """Σ_i of log Σ_j exp(s_ij) − s_ii, row by row, and its gradients on queries and keys."""
    scores = queries @ keys.T / temperature
    total, of_queries, of_keys = 0.0, np.zeros_like(queries), np.zeros_like(keys)
    for i, row in enumerate(scores):
        log_share = formulas.log_softmax(row)
        total -= log_share[i]
        pull = np.exp(log_share)
        pull[i] -= 1
        of_queries[i] = pull @ keys / temperature
        of_keys += np.outer(pull, queries[i]) / temperature
    return total, of_queries, of_keys


def test_both_ways_of_taking_the_exponential_are_tested():
    steep = [1 / temperature > LARGEST_EXPONENT for temperature in TEMPERATURES]
    assert any(steep)
    assert not all(steep)


@given(pair=two_embeddings(same_width=True), temperature=st.floats(0.005, 10))
@settings(max_examples=20, deadline=None)
@example(pair=[np.ones((3, 2)), np.ones((3, 2))], temperature=0.005)
@example(pair=[np.ones((1, 2)), -np.ones((1, 2))], temperature=1 / LARGEST_EXPONENT)
def test_the_loss_is_that_of_the_formula(pair, temperature):
    student, teacher = pair
    loss = gcrd_loss(torch.from_numpy(student.copy()), torch.from_numpy(teacher.copy()), temperature)
    assert loss.item() == pytest.approx(formulas.gcrd(student, teacher, temperature), rel=1e-9, abs=1e-12)


@every_temperature
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_both_gradients(blocks, temperature, dtype):
    queries = unit_features(NODES, 6, dtype=dtype).requires_grad_()
    keys = unit_features(NODES, 6, seed=1, dtype=dtype).requires_grad_()
    loss = contrast(queries, keys, temperature)
    loss.backward()
    total, of_queries, of_keys = formula(*(side.detach().double().numpy() for side in (queries, keys)), temperature)
    tight = 1e-10 if dtype == torch.float64 else 1e-5
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(total, rel=tight)
    for side, expected in ((queries, of_queries), (keys, of_keys)):
        assert np.linalg.norm(side.grad.double().numpy() - expected) < 10 * tight * np.linalg.norm(expected)


@pytest.mark.parametrize("temperature", [0.005, 0.075])
def test_the_gradient_follows_the_chain_rule(blocks, temperature):
    queries, keys = (unit_features(NODES, 6, seed=k).requires_grad_() for k in (0, 1))
    once = torch.autograd.grad(contrast(queries, keys, temperature), (queries, keys))
    thrice = torch.autograd.grad(3 * contrast(queries, keys, temperature), (queries, keys))
    for a, b in zip(once, thrice, strict=True):
        torch.testing.assert_close(b, 3 * a)


@every_temperature
def test_only_the_side_that_wants_a_gradient_gets_one(blocks, temperature):
    both = [unit_features(NODES, 6, seed=k).requires_grad_() for k in (0, 1)]
    value = contrast(*both, temperature)
    expected = torch.autograd.grad(value, both)
    for wanted in (0, 1):
        sides = [side.detach().requires_grad_(place == wanted) for place, side in enumerate(both)]
        loss = contrast(*sides, temperature)
        loss.backward()
        assert loss.item() == value.item()
        torch.testing.assert_close(sides[wanted].grad, expected[wanted])
        assert sides[1 - wanted].grad is None


@every_temperature
def test_without_any_gradient_the_value_is_the_same(blocks, temperature):
    queries, keys = (unit_features(NODES, 6, seed=k).requires_grad_() for k in (0, 1))
    value = contrast(queries, keys, temperature)
    without = contrast(queries.detach(), keys.detach(), temperature)
    assert not without.requires_grad
    with torch.no_grad():
        assert contrast(queries, keys, temperature).item() == without.item() == value.item()


@pytest.mark.parametrize("temperature", [0.005, 0.02])
def test_opposite_features_at_a_low_temperature_do_not_overflow(blocks, temperature):
    keys = unit_features(NODES, 6, dtype=torch.float32)
    queries = (-keys).requires_grad_()
    loss = contrast(queries, keys, temperature)
    (gradient,) = torch.autograd.grad(loss, queries)
    total, of_queries, _ = formula(*(side.detach().double().numpy() for side in (queries, keys)), temperature)
    assert loss.item() == pytest.approx(total, rel=1e-5)
    assert np.linalg.norm(gradient.double().numpy() - of_queries) < 1e-4 * np.linalg.norm(of_queries)


def test_features_need_not_be_contiguous(blocks):
    queries, keys = (unit_features(NODES, 6, seed=k).T.contiguous().T.requires_grad_() for k in (0, 1))
    found = torch.autograd.grad(contrast(queries, keys, 0.075), (queries, keys))
    sides = [side.detach().contiguous().requires_grad_() for side in (queries, keys)]
    expected = torch.autograd.grad(contrast(*sides, 0.075), sides)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("temperature", [0.02, 0.05, 0.075])
def test_in_float32_a_student_that_fits_keeps_the_digits_of_its_gradient(blocks, temperature):
    queries = unit_features(NODES, 64).float()
    keys = queries + 0.1 * unit_features(NODES, 64, seed=1).float()
    keys = (keys / keys.norm(dim=1, keepdim=True)).requires_grad_()
    queries.requires_grad_()
    loss = contrast(queries, keys, temperature)
    loss.backward()
    total, of_queries, of_keys = formula(*(side.detach().double().numpy() for side in (queries, keys)), temperature)
    digits = 2e-5 / temperature  # the scores themselves are that far off
    assert loss.item() == pytest.approx(total, rel=digits)
    for side, expected in ((queries, of_queries), (keys, of_keys)):
        assert np.linalg.norm(side.grad.double().numpy() - expected) < digits * np.linalg.norm(expected)


def test_one_node_has_nothing_to_tell_apart_from():
    one = unit_features(1, 5).float().requires_grad_()
    loss = contrast(one, unit_features(1, 5, seed=1).float(), 0.075)
    loss.backward()
    assert loss == 0
    assert not one.grad.any()
