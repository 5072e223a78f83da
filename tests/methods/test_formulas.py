"""The pure functions equal the papers' formulas, written once more as loops, on drawn shapes and graphs."""

import math

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from drawn import edges_among, two_embeddings
from hypothesis import given, settings
from hypothesis import strategies as st
from pure_losses import LOSSES

from workbench import methods
from workbench.kernels.edges import EdgeKernel
from workbench.methods.gsp import PairKernel

EDGE_KERNELS = EdgeKernel.__args__
PAIR_KERNELS = PairKernel.__args__


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def tensor(array):
    return torch.from_numpy(np.array(array))


def same(found, expected):
    assert found.item() == pytest.approx(float(expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kernel", EDGE_KERNELS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_lsp_for_every_kernel(kernel, data):
    student, teacher = data.draw(two_embeddings())
    edges = data.draw(edges_among(len(student)))
    options = {
        "sigma": data.draw(st.sampled_from([0.5, 1.0, 3.0])),
        "direction": data.draw(st.sampled_from(["student_teacher", "teacher_student"])),
        "num_nodes": data.draw(st.sampled_from([None, 20])),
        "convention": data.draw(st.sampled_from(["paper", "code"])),
    }
    s = tensor(student).requires_grad_()
    loss = methods.lsp_loss(s, tensor(teacher), tensor(edges), kernel, **options)
    same(loss, formulas.lsp(student, teacher, edges, kernel, **options))
    assert torch.autograd.grad(loss, s)[0].isfinite().all()


@pytest.mark.parametrize("kernel", PAIR_KERNELS)
@given(pair=two_embeddings())
@settings(max_examples=20, deadline=None)
def test_gsp_for_every_kernel(kernel, pair):
    student, teacher = pair
    s = tensor(student).requires_grad_()
    loss = methods.gsp_loss(s, tensor(teacher), kernel)
    same(loss, formulas.gsp(student, teacher, kernel))
    assert torch.autograd.grad(loss, s)[0].isfinite().all()


@pytest.mark.parametrize("convention", ["paper", "code"])
@given(pair=two_embeddings(same_width=True), temperature=st.floats(0.2, 20))
@settings(max_examples=25, deadline=None)
def test_kd_for_every_convention(convention, pair, temperature):
    student, teacher = pair
    s = tensor(student).requires_grad_()
    loss = methods.kd_loss(s, tensor(teacher), temperature, convention)
    same(loss, formulas.kd(student, teacher, temperature, convention))
    assert torch.autograd.grad(loss, s)[0].isfinite().all()


@given(pair=two_embeddings(same_width=True), temperature=st.floats(0.05, 10))
@settings(max_examples=25, deadline=None)
def test_gcrd(pair, temperature):
    student, teacher = pair
    same(methods.gcrd_loss(tensor(student), tensor(teacher), temperature), formulas.gcrd(student, teacher, temperature))


@given(pair=two_embeddings(same_width=True))
@settings(max_examples=25, deadline=None)
def test_fitnet(pair):
    student, teacher = pair
    same(methods.fitnet_loss(tensor(student), tensor(teacher)), formulas.fitnet(student, teacher))


@pytest.mark.parametrize("p", [1, 2])
@given(pair=two_embeddings())
@settings(max_examples=15, deadline=None)
def test_attention_transfer(p, pair):
    student, teacher = pair
    loss = methods.attention_transfer_loss(tensor(student), tensor(teacher), p)
    same(loss, formulas.attention_transfer(student, teacher, p))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_multilabel_kd(temperature):
    student, teacher = draw(6, 4), draw(6, 4, seed=1)
    loss = methods.multilabel_kd_loss(tensor(student), tensor(teacher), temperature)
    same(loss, formulas.multilabel_kd(student, teacher, temperature))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", ["link_distribution", "link_probability"])
def test_links(name, temperature):
    student, teacher = draw(6, 4), draw(6, 4, seed=1)
    loss = getattr(methods, f"{name}_loss")(tensor(student), tensor(teacher), temperature)
    same(loss, getattr(formulas, name)(student, teacher, temperature))


def test_glnn():
    student, teacher = draw(6, 4), draw(6, 4, seed=1)
    same(methods.glnn_loss(tensor(student), tensor(teacher)), formulas.glnn(student, teacher))


@pytest.mark.parametrize("pool", ["node", "graph"])
def test_abkd(pool):
    teacher, student = [draw(6, 4, seed=k) for k in range(3)], [draw(6, 4, seed=k) for k in (7, 8)]
    pooled = [[layer.mean(0) for layer in layers] for layers in (teacher, student)]
    attention = methods.abkd_attention(*[[tensor(v) for v in vectors] for vectors in pooled])
    dissimilarity = methods.abkd_dissimilarity(*[[tensor(f) for f in layers] for layers in (teacher, student)], pool)
    assert attention.numpy() == pytest.approx(formulas.abkd_attention(*pooled), rel=1e-12)
    assert dissimilarity.numpy() == pytest.approx(formulas.abkd_dissimilarity(teacher, student, pool), rel=1e-12)
    same(methods.abkd_loss(attention, dissimilarity), formulas.abkd(attention.numpy(), dissimilarity.numpy()))


def test_every_pure_function_has_a_formula_to_compare_with():
    public = [name for name in methods.__all__ if name.endswith("_loss") or name.startswith("abkd_")]
    assert "lsp_loss" in public
    assert [name for name in public if not hasattr(formulas, name.removesuffix("_loss"))] == []


def test_every_loss_is_among_those_that_are_tried_in_all_ways():
    """By finite differences, in half precision, on one node, in any order: what the suites over LOSSES do."""
    losses = {name.removesuffix("_loss") for name in methods.__all__ if name.endswith("_loss")}
    tried = {name.removesuffix(" paper") for name in LOSSES} | {name.split()[0] for name in LOSSES}
    # Smoothing labels looks at no teacher; it has a file of its own.
    names = {"at" if name == "attention_transfer" else name.replace("_", " ") for name in losses}
    assert names - {"label smoothing"} <= tried


def test_kd_of_two_classes_is_what_one_computes_by_hand():
    # Teacher (3/4, 1/4) against a student who cannot tell: KL = 3/4 ln 3/2 + 1/4 ln 1/2, at T = 1.
    teacher, student = torch.tensor([[math.log(3.0), 0.0]]), torch.zeros(1, 2)
    loss = methods.kd_loss(student.double(), teacher.double(), temperature=1.0)
    assert loss.item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), rel=1e-6)


def test_lsp_of_two_neighbours_is_what_one_computes_by_hand():
    # Linear kernel, centre 0 at 1: the student gives (ln 3, 0) -> (3/4, 1/4), the teacher (0, 0) -> (1/2, 1/2).
    student = torch.tensor([[1.0], [math.log(3.0)], [0.0]], dtype=torch.float64)
    teacher = torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64)
    edges = torch.tensor([[1, 2], [0, 0]])
    expected = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 3  # over all three nodes
    same(methods.lsp_loss(student, teacher, edges, "linear"), expected)
    # Teacher first: KL((1/2, 1/2) ‖ (3/4, 1/4)), and over the two edges.
    expected = (0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    loss = methods.lsp_loss(student, teacher, edges, "linear", direction="teacher_student", convention="code")
    same(loss, expected)
