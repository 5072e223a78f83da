"""Gradients of the pure functions: right by finite differences, and finite where the formulas are delicate."""

import pytest
import torch

from workbench import methods
from workbench.methods import blocks
from workbench.methods.edges import EdgeKernel
from workbench.methods.gsp import PairKernel
from workbench.methods.layers import normalised
from workbench.methods.rows import unit_rows

NODES = 6
EDGES = torch.tensor([[0, 1, 2, 2, 3, 3, 1, 0], [1, 0, 1, 1, 3, 2, 2, 0]])  # duplicates, self-loops, 4 and 5 isolated


def lsp(**options):
    return lambda s, t: methods.lsp_loss(s, t, EDGES[:, (len(s) > EDGES).all(0)], **options)


def abkd(pool):
    def loss(s, t):
        attention = methods.abkd_attention([t.mean(0), t[0]], [s.mean(0), s[-1], s[0]])
        return methods.abkd_loss(attention, methods.abkd_dissimilarity([t, 2 * t], [s, s.square(), -s], pool))

    return loss


LOSSES = {
    "kd paper": methods.kd_loss,
    "kd code": lambda s, t: methods.kd_loss(s, t, 2.0, "code"),
    "multilabel kd": methods.multilabel_kd_loss,
    "glnn": methods.glnn_loss,
    "link distribution": methods.link_distribution_loss,
    "fitnet": methods.fitnet_loss,
    "at p=2": methods.attention_transfer_loss,
    "at p=1": lambda s, t: methods.attention_transfer_loss(s, t, 1),
    "gcrd": methods.gcrd_loss,
    "abkd node": abkd("node"),
    "abkd graph": abkd("graph"),
    **{f"gsp {kernel}": lambda s, t, kernel=kernel: methods.gsp_loss(s, t, kernel) for kernel in PairKernel.__args__},
    **{f"lsp {kernel}": lsp(kernel=kernel) for kernel in EdgeKernel.__args__},
    "lsp reversed": lsp(direction="teacher_student", convention="code"),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def features(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


@every_loss
def test_gradients_are_right_by_finite_differences(loss):
    assert torch.autograd.gradcheck(loss, (features(NODES, 3), features(NODES, 3, seed=1)))


def test_gsp_gradients_are_right_for_different_widths():
    assert torch.autograd.gradcheck(methods.gsp_loss, (features(NODES, 3), features(NODES, 5, seed=1)))


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


@pytest.mark.parametrize("name", ["gcrd", "gsp l2", "gsp rbf", "gsp poly"])
def test_row_blocks_give_what_one_block_gives(name, monkeypatch):
    student, teacher = features(23, 3), features(23, 3, seed=1)
    whole = LOSSES[name](student, teacher)
    expected = torch.autograd.grad(whole, (student, teacher))
    monkeypatch.setattr(blocks, "ENTRIES", 23 * 5)  # five rows at a time, the last block smaller
    blocked = LOSSES[name](student, teacher)
    found = torch.autograd.grad(blocked, (student, teacher))
    assert blocked.item() == pytest.approx(whole.item(), rel=1e-12)
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", ["gcrd", "gsp l2", "gsp rbf", "gsp poly", "gsp cosine"])
def test_no_matrix_of_all_pairs_is_kept_for_the_backward_pass(name, monkeypatch):
    monkeypatch.setattr(blocks, "ENTRIES", 200 * 10)
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        LOSSES[name](features(200, 3), features(200, 3, seed=1))
    assert sizes
    assert max(sizes) <= 200 * 10
