"""What the built-in methods do with samples of nodes, training nodes and projectors; and that a student learns them."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from toys import built

from workbench import methods
from workbench.methods import ABKD, GCRD, GSP, KD, LSP, FitNet
from workbench.models.base import Output
from workbench.registry import PLUGINS
from workbench.spec import parse_method


def test_listing_methods_imports_no_torch_geometric():
    code = (
        "import sys; import workbench.methods; from workbench.registry import methods; methods.names(); "
        "found = {'torch_geometric', 'sklearn', 'plotly', 'streamlit'} & set(sys.modules); "
        "sys.exit(', '.join(found) or 0)"
    )
    environment = {key: value for key, value in os.environ.items() if key != PLUGINS}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


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
