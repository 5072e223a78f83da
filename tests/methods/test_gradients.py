"""Gradients of the pure functions: right by finite differences, and finite where the formulas are delicate."""

import pytest
import torch
from pure_losses import BOTH_TRAINED, LOSSES, NODES, features, lsp
from torch.utils._python_dispatch import TorchDispatchMode

from workbench import methods
from workbench.kernels import contrast, pairs
from workbench.kernels.rows import unit_rows
from workbench.methods.gsp import PairKernel
from workbench.methods.layers import normalised

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_right_by_finite_differences(name):
    student, teacher = features(NODES, 3), features(NODES, 3, seed=1)
    if name not in BOTH_TRAINED:
        teacher.requires_grad_(False)
    assert torch.autograd.gradcheck(LOSSES[name], (student, teacher))


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - set(BOTH_TRAINED)))
def test_a_frozen_teacher_gets_no_gradient(name):
    student, teacher = features(NODES, 3), features(NODES, 3, seed=1)
    LOSSES[name](student, teacher).backward()
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


@pytest.mark.parametrize("kernel", PairKernel.__args__)
def test_gsp_gradients_are_right_for_different_widths(kernel):
    teacher = features(NODES, 5, seed=1).detach()
    assert torch.autograd.gradcheck(lambda s: methods.gsp_loss(s, teacher, kernel), (features(NODES, 3),))


@pytest.mark.parametrize("how", ["row", "max", "l2", "none"])
def test_normalisation_has_right_gradients_and_leaves_zeros_alone(how):
    assert torch.autograd.gradcheck(lambda f: normalised(f, how), (features(NODES, 3),))
    zeros = torch.zeros(NODES, 3, requires_grad=True)
    normalised(zeros, how).sum().backward()
    assert zeros.grad.isfinite().all()
    assert not normalised(zeros, how).any()


DELICATE = {
    "zero rows": lambda f: f * torch.tensor([1, 0, 1, 0, 1, 0]).view(-1, 1),
    "all zero": lambda f: f * 0,
    "all rows equal": lambda f: f[:1].expand(NODES, -1) * 1,
    "some rows equal": lambda f: f[[0, 0, 1, 1, 2, 2]],
    "large": lambda f: f * 1e4,
    "tiny": lambda f: f * 1e-12,
}


@every_loss
@pytest.mark.parametrize("make", DELICATE.values(), ids=DELICATE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_finite_at_delicate_points(loss, make, dtype):
    student, teacher = features(NODES, 3, dtype=dtype), features(NODES, 3, seed=1, dtype=dtype)
    for other in (teacher, student):  # and with a student that equals its teacher
        value = loss(make(student), make(other).detach())
        (gradient,) = torch.autograd.grad(value, student, allow_unused=True)
        assert value.isfinite()
        assert gradient.isfinite().all()


@every_loss
def test_a_single_node_is_fine(loss):
    student = features(1, 3)
    value = loss(student, features(1, 3, seed=1))
    (gradient,) = torch.autograd.grad(value, student)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_a_graph_without_edges_has_no_local_structure():
    student = features(NODES, 3)
    loss = methods.lsp_loss(student, features(NODES, 2), torch.empty(2, 0, dtype=torch.long), convention="code")
    loss.backward()
    assert loss == 0
    assert not student.grad.any()


def test_coincident_points_have_a_zero_subgradient():
    student = torch.ones(NODES, 3, dtype=torch.float64, requires_grad=True)
    for loss in (lsp(kernel="l2_norm"), LOSSES["gsp l2"]):
        (gradient,) = torch.autograd.grad(loss(student, features(NODES, 3).detach()), student)
        assert not gradient.any()


def test_a_row_of_zeros_stays_zero():
    assert torch.equal(unit_rows(torch.tensor([[0.0, 0.0], [3.0, 4.0]])), torch.tensor([[0.0, 0.0], [0.6, 0.8]]))


PAIR_LOSSES = ["gcrd", "gsp l2", "gsp rbf", "gsp poly", "gsp cosine"]


def small_blocks(monkeypatch):
    """Blocks of the fewest rows that there are, so that a graph of some hundred nodes has several."""
    monkeypatch.setattr(contrast, "ENTRIES", 1)
    monkeypatch.setattr(pairs, "ENTRIES", 1)
    monkeypatch.setattr(pairs, "GRAM_ROWS", 64)


@pytest.mark.parametrize("name", PAIR_LOSSES)
def test_row_blocks_give_what_one_block_gives(name, monkeypatch):
    def value_and_gradient():
        student, teacher = features(150, 3), features(150, 3, seed=1).detach()
        loss = LOSSES[name](student, teacher)
        return loss.item(), torch.autograd.grad(loss, student)[0]

    whole, expected = value_and_gradient()
    small_blocks(monkeypatch)
    blocked, found = value_and_gradient()
    assert blocked == pytest.approx(whole, rel=1e-12)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PAIR_LOSSES)
def test_no_matrix_of_all_pairs_is_ever_made(name, monkeypatch):
    small_blocks(monkeypatch)
    sizes = Sizes()
    with sizes:
        LOSSES[name](features(400, 3), features(400, 3, seed=1)).backward()
    assert max(sizes.seen) <= 64 * 400


class Sizes(TorchDispatchMode):
    """Notes how many numbers every tensor has that an operation returns."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        self.seen += [tensor.numel() for tensor in (out if isinstance(out, tuple | list) else [out])
                      if isinstance(tensor, torch.Tensor)]  # fmt: skip
        return out
