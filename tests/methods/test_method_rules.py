"""Sums, samples, edge cases of the built-in methods, and the errors that people can make with them."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from workbench import methods
from workbench.errors import UsageError
from workbench.methods import ABKD, GCRD, GLNN, GSP, KD, LSP, FitNet, NoDistillation, Sum, Widths
from workbench.methods.base import Objective, SumObjective
from workbench.models.base import Output
from workbench.registry import PLUGINS
from workbench.spec import parse_method


def built(method, toy):
    torch.manual_seed(0)
    return Sum((method,)).build(*toy.widths()).double()


def test_listing_methods_imports_no_torch_geometric():
    code = (
        "import sys; import workbench.methods; from workbench.registry import methods; methods.names(); "
        "found = {'torch_geometric', 'sklearn', 'plotly', 'streamlit'} & set(sys.modules); "
        "sys.exit(', '.join(found) or 0)"
    )
    environment = {key: value for key, value in os.environ.items() if key != PLUGINS}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_gcrd_weighs_less_in_a_sum_unless_it_is_told():
    assert GCRD().weight == 0.1
    assert Sum((GCRD(),)).build(Widths((4,), 3), Widths((4,), 3)).weights() == {"task": 1.0, "gcrd": 0.1}
    assert (KD() + GCRD())[1].weight == 0.01
    assert (KD() + GCRD(weight=0.1))[1].weight == 0.1
    assert (GCRD(temperature=0.5) + KD())[0] == GCRD(temperature=0.5, weight=0.01)
    assert parse_method("kd+gcrd")[1].weight == 0.01


def test_weights_of_a_sum_are_those_of_its_parts():
    total = (GLNN(lam=0.25) + LSP()).build(Widths((4,), 3), Widths((4,), 3))
    assert total.weights() == {"task": 0.25, "glnn": 0.75, "lsp": 100.0}
    assert Sum((NoDistillation(),)).build(Widths((), 3), Widths((), 3)).weights() == {"task": 1.0}


def test_two_methods_that_rescale_the_task_do_not_add_up():
    with pytest.raises(UsageError, match="kd and glnn both set"):
        KD() + GLNN()


def test_none_stands_alone():
    with pytest.raises(UsageError, match="'none' is the student alone"):
        KD() + NoDistillation()


def test_a_term_that_exists_already_is_refused(toy):
    class Echo(Objective):
        def forward(self, student, targets, batch):
            return {"lsp": student.logits.sum()}

    objective = SumObjective({"lsp": LSP().build(*toy.widths()), "echo": Echo()})
    with pytest.raises(UsageError, match="'lsp' that exists already"):
        toy.terms(objective)


@pytest.mark.parametrize("name", ["fitnet", "at", "lsp", "gsp", "gcrd"])
def test_a_model_without_hidden_layers_is_refused(name):
    with pytest.raises(UsageError, match="this student has none"):
        parse_method(name).build(Widths((4,), 3), Widths((), 3))


@pytest.mark.parametrize("config", [ABKD(layers="hidden"), ABKD(pairs="last")])
def test_abkd_over_hidden_layers_needs_some(config):
    with pytest.raises(UsageError, match="this teacher has none"):
        config.build(Widths((), 3), Widths((4,), 3))


def test_abkd_with_logits_takes_a_model_without_hidden_layers():
    objective = ABKD().build(Widths((5, 6), 3), Widths((), 3))
    output = Output(torch.randn(4, 3), [torch.randn(4, 5), torch.randn(4, 6)])
    objective(Output(torch.randn(4, 3), []), objective.targets(output, None), None)
    assert objective.pictures()["attention"].shape == (3, 1)


@pytest.mark.parametrize("name", ["kd", "glnn"])
def test_different_classes_are_refused(name):
    with pytest.raises(UsageError, match="teacher gives 3 logits and the student 4"):
        parse_method(name).build(Widths((4,), 3), Widths((4,), 4))


@pytest.mark.parametrize("name", ["kd", "fitnet", "at", "lsp", "gsp", "gcrd", "abkd"])
def test_an_empty_training_mask_is_refused(name, toy):
    toy.batch.train_mask[:] = False
    (method,) = parse_method({"name": name, "nodes": "train"})
    with pytest.raises(UsageError, match=r"at least one node|at least two|no two training nodes"):
        toy.terms(built(method, toy))


@pytest.mark.parametrize("method", [FitNet(nodes="train"), GCRD(nodes="train"), GCRD(nodes="train", head="gcn")])
def test_batch_norm_over_one_node_is_refused_before_training(method, toy):
    toy.batch.train_mask[:] = torch.arange(12) == 2
    with pytest.raises(UsageError, match="at least two"):
        built(method, toy).targets(toy.teacher, toy.batch)


def test_lsp_on_training_nodes_without_common_edges_says_what_to_do(toy):
    toy.batch.train_mask[:] = torch.arange(12) == 11
    with pytest.raises(UsageError, match="use nodes='all'"):
        built(LSP(nodes="train"), toy).targets(toy.teacher, toy.batch)


def test_lsp_on_a_graph_without_edges_is_refused(toy):
    toy.batch.edge_index = torch.empty(2, 0, dtype=torch.long)
    with pytest.raises(UsageError, match="the graph has no edges"):
        built(LSP(), toy).targets(toy.teacher, toy.batch)


EMPTY = torch.empty(0, 3)
PURE = {
    "kd_loss": methods.kd_loss,
    "multilabel_kd_loss": methods.multilabel_kd_loss,
    "glnn_loss": methods.glnn_loss,
    "link_distribution_loss": methods.link_distribution_loss,
    "fitnet_loss": methods.fitnet_loss,
    "attention_transfer_loss": methods.attention_transfer_loss,
    "lsp_loss": lambda s, t: methods.lsp_loss(s, t, torch.empty(2, 0, dtype=torch.long)),
    "gsp_loss": methods.gsp_loss,
    "gcrd_loss": methods.gcrd_loss,
    "abkd_dissimilarity": lambda s, t: methods.abkd_dissimilarity([t], [s]),
}


@pytest.mark.parametrize("name", PURE)
def test_pure_functions_refuse_no_nodes_and_other_nodes(name):
    with pytest.raises(UsageError, match=f"{name} needs at least one node"):
        PURE[name](EMPTY, EMPTY)
    with pytest.raises(ValueError, match="compares the same nodes"):
        PURE[name](torch.ones(3, 2), torch.ones(4, 2))
    with pytest.raises(UsageError, match="one row per node"):
        PURE[name](torch.ones(3), torch.ones(3))


@pytest.mark.parametrize("name", ["kd_loss", "fitnet_loss", "gcrd_loss", "abkd_dissimilarity"])
def test_pure_functions_that_need_one_width_say_so(name):
    with pytest.raises(UsageError, match="needs equal widths"):
        PURE[name](torch.ones(3, 2), torch.ones(3, 5))


def test_unknown_kernels_are_refused_with_the_known_ones():
    ones = torch.ones(3, 2)
    with pytest.raises(UsageError, match="kernels are rbf, l2, poly, linear"):
        methods.lsp_loss(ones, ones, torch.tensor([[0], [1]]), kernel="gauss")
    with pytest.raises(UsageError, match="kernels are cosine, poly, l2, rbf"):
        methods.gsp_loss(ones, ones, kernel="gauss")


@pytest.mark.parametrize("kernel", ["cosine", "rbf"])
def test_gsp_samples_nodes_from_torchs_generator(kernel):
    student, teacher = torch.randn(30, 3), torch.randn(30, 4)
    torch.manual_seed(7)
    index = torch.randperm(30)[:10]
    torch.manual_seed(7)
    sampled = methods.gsp_loss(student, teacher, kernel, max_samples=10)
    assert torch.equal(sampled, methods.gsp_loss(student[index], teacher[index], kernel))
    exact = methods.gsp_loss(student, teacher, kernel)
    assert torch.equal(methods.gsp_loss(student, teacher, kernel, max_samples=30), exact)


@pytest.mark.parametrize("method", [GSP(max_samples=5), GSP(kernel="l2", max_samples=5), GCRD(max_samples=5)])
def test_samples_are_drawn_anew_each_step_and_repeat_with_the_seed(method, toy):
    objective = built(method, toy)
    targets = objective.targets(toy.teacher, toy.batch)

    def values(seed):
        torch.manual_seed(seed)
        return [objective(toy.student, targets, toy.batch)[method.name].item() for _ in range(4)]

    assert len(set(values(1))) > 1
    assert values(1) == values(1)


@pytest.mark.parametrize("method", [GSP(), GSP(kernel="rbf"), LSP(), parse_method("at")[0]])
def test_methods_that_compare_similarities_train_nothing(method, toy):
    assert list(built(method, toy).parameters()) == []


def test_heads_have_the_parameters_that_arithmetic_says(toy):
    def count(method):
        return sum(p.numel() for p in built(method, toy).parameters() if p.requires_grad)

    teacher, student = 5, 4  # last hidden widths of the toy
    head = (teacher + 1) * 128 + 2 * 128 + (student + 1) * 128 + 2 * 128
    assert count(FitNet()) == count(GCRD()) == count(GCRD(head="gcn")) == head
    maps = (7 + 5 + 3) * 64 + (4 + 3) * 64  # one per layer of teacher and student, logits included
    assert count(ABKD()) == 2 * maps + 64 * 32
    assert count(ABKD(layers="hidden")) == 2 * (7 + 5 + 4) * 64 + 64 * 32
    assert count(ABKD(pairs="last", subspace=None, attention="uniform")) == (5 + 4) * 64
    frozen = (4 + 3) * 64 + maps  # the student's values, and the maps of attention
    assert count(ABKD(frozen_teacher=True)) == frozen


def test_abkd_shares_projections_between_layers_of_equal_width():
    teacher = Widths((8,) * 64, 3)
    objective = ABKD(share_projection=True, subspace=None).build(teacher, Widths((4,), 3))
    assert sum(p.numel() for p in objective.teacher_value.parameters()) == (8 + 3) * 64


def test_abkd_frozen_projections_are_orthogonal_and_stay():
    objective = ABKD(frozen_teacher=True, projection=8, subspace=4).build(Widths((8, 8), 3), Widths((4,), 3))
    for weight in (objective.teacher_value.maps[0].weight, objective.subspace.weight):
        assert not weight.requires_grad
        assert torch.allclose(weight @ weight.T, torch.eye(len(weight)), atol=1e-5)


def test_abkd_shows_its_maps(toy):
    objective = built(ABKD(), toy)
    assert objective.pictures() == {}
    (term,) = toy.terms(objective).values()
    pictures = objective.pictures()
    assert set(pictures) == {"abkd-attention", "abkd-dissimilarity"}
    assert all(p.shape == (3, 2) and not p.requires_grad for p in pictures.values())
    assert torch.allclose(pictures["abkd-attention"].sum(1), torch.ones(3, dtype=torch.float64))
    expected = methods.abkd_loss(pictures["abkd-attention"], pictures["abkd-dissimilarity"])
    assert term.item() == pytest.approx(expected.item())


def test_abkd_in_half_scale_projections_is_no_smaller():
    """Shrinking both projections does not help the student: rows have length one."""
    objective = ABKD(subspace=None).build(Widths((5,), 3), Widths((4,), 3))
    output = Output(torch.randn(9, 3), [torch.randn(9, 5)])
    student = Output(torch.randn(9, 3), [torch.randn(9, 4)])
    targets = objective.targets(output, None)
    before = objective(student, targets, None)["abkd"]
    with torch.no_grad():
        for layer in (*objective.teacher_value.maps, *objective.student_value.maps):
            layer.weight.mul_(0.01)
    assert torch.allclose(objective(student, targets, None)["abkd"], before)


def test_train_nodes_alone_matter_when_they_are_chosen(toy):
    outside = ~toy.batch.train_mask
    for name in ("kd", "fitnet", "at", "lsp", "gsp", "gcrd", "abkd"):
        (method,) = parse_method({"name": name, "nodes": "train"})
        terms = toy.terms(built(method, toy))
        gradients = torch.autograd.grad(sum(terms.values()), toy.student.layers, allow_unused=True)
        found = [g for g in gradients if g is not None]
        assert found
        assert all(not g[outside].any() for g in found), name


@pytest.mark.parametrize("method", [LSP(), GSP(), KD(), FitNet(), GCRD(), ABKD(), parse_method("at")[0]])
def test_a_student_can_learn_it(method, make_toy):
    """Gradient descent on the student's features and the projectors lowers every loss."""
    toy = make_toy(seed=2)
    objective = built(method, toy)
    layers = [nn.Parameter(h.detach().clone()) for h in toy.student.layers]
    optimiser = torch.optim.Adam([*layers, *objective.parameters()], lr=0.05)
    targets = objective.targets(toy.teacher, toy.batch)
    values = []
    for _ in range(100):
        optimiser.zero_grad()
        (term,) = objective(Output(layers[-1], layers[:-1]), targets, toy.batch).values()
        term.backward()
        optimiser.step()
        values.append(term.item())
    assert values[-1] < 0.7 * values[0]
