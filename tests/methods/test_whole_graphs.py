"""Methods where whole graphs are classified: a row of logits per cloud, a row of features per point, no masks."""

import numpy_formulas as formulas
import pytest
import torch
from torch_geometric.data import Data
from toys import random_output

from workbench.errors import UsageError
from workbench.methods import GCRD, GSP, KD, LSP, AttentionTransfer, FitNet, LabelSmoothing, Sum, Widths
from workbench.methods.base import Objective
from workbench.models import DGCNNConfig
from workbench.registry import methods

CLOUDS, POINTS, CLASSES = 4, 24, 3
SUITED = [name for name in methods.names() if "graph classification" in methods[name].tasks]


@pytest.fixture(scope="module")
def clouds():
    generator = torch.Generator().manual_seed(0)
    return Data(
        x=torch.randn(CLOUDS * POINTS, 3, generator=generator),
        y=torch.arange(CLOUDS) % CLASSES,
        batch=torch.arange(CLOUDS).repeat_interleave(POINTS),
    )


def outputs(clouds):
    """A frozen teacher's and a training student's."""
    found = []
    for seed, k, training in ((0, 8, False), (1, 5, True)):
        torch.manual_seed(seed)
        model = DGCNNConfig(hidden_channels=4, num_layers=2, head_layers=1, embedding=2, k=k).build(3, CLASSES)
        found.append(model.train(training).encode(clouds.x, None, clouds.batch))
    return found[0].detach(), found[1]


def test_the_methods_of_the_paper_are_suited():
    assert {"kd", "fitnet", "at", "lsp", "none", "label-smoothing"} <= set(SUITED)


@pytest.mark.parametrize("name", SUITED)
def test_every_suited_method_teaches_a_student_on_clouds(name, clouds):
    teacher, student = outputs(clouds)
    objective = Sum((methods[name](),)).build(Widths.of(teacher), Widths.of(student))
    terms = objective(student, objective.targets(teacher, clouds), clouds)
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    for term in terms.values():
        pull = torch.autograd.grad(term, student.layers, retain_graph=True, allow_unused=True)
        assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in pull)


def drawn():
    """Two hidden layers of points and logits of clouds, in float64."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for width in (6, 4):
        output = random_output(CLOUDS * POINTS, (5, width), CLASSES, generator)
        output.logits = output.logits.detach()[:CLOUDS].requires_grad_()
        found.append(output)
    return found


def term(method, teacher, student, clouds):
    objective: Objective = method.build(Widths.of(teacher), Widths.of(student))
    return next(iter(objective(student, objective.targets(teacher, clouds), clouds).values())).item()


def test_logits_are_compared_cloud_by_cloud_and_features_point_by_point(clouds):
    teacher, student = drawn()
    logits = [output.logits.detach().numpy() for output in (student, teacher)]
    last = [output.hidden[-1].detach().numpy() for output in (student, teacher)]
    assert term(KD(), teacher, student, clouds) == pytest.approx(formulas.kd(*logits))
    assert term(LabelSmoothing(), teacher, student, clouds) == pytest.approx(formulas.label_smoothing(logits[0]))
    assert term(AttentionTransfer(p=1), teacher, student, clouds) == pytest.approx(
        formulas.attention_transfer(*last, p=1)
    )
    assert term(GSP(), teacher, student, clouds) == pytest.approx(formulas.gsp(*last))


@pytest.mark.parametrize("method", [KD(nodes="train"), FitNet(nodes="train"), LSP(nodes="train"), GSP(nodes="train")])
def test_clouds_have_no_training_nodes(method, clouds):
    teacher, student = outputs(clouds)
    objective = method.build(Widths.of(teacher), Widths.of(student))
    with pytest.raises(UsageError, match="whole graphs are classified here: use 'all'"):
        objective(student, objective.targets(teacher, clouds), clouds)


def test_a_head_of_convolutions_needs_a_graph(clouds):
    teacher, student = outputs(clouds)
    objective = GCRD(head="gcn").build(Widths.of(teacher), Widths.of(student))
    with pytest.raises(UsageError, match="use 'mlp'"):
        objective(student, objective.targets(teacher, clouds), clouds)
