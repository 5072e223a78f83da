"""Methods on mini-batches of whole graphs that have edges: with classes, and with independent labels."""

import numpy as np
import pytest
import torch
from small_graph_runs import graphs, molecules, nodes_of_graphs

from workbench.errors import UsageError
from workbench.methods import GLNN, KD, LSP, LabelSmoothing, Sum, Widths, lsp_loss, multilabel_kd_loss
from workbench.models import GCNConfig, GINEConfig, GraphGINConfig
from workbench.registry import methods
from workbench.training.whole_graphs import encode_batch

SUITED = [name for name in methods.names() if "graph classification" in methods[name].tasks]
ON_NODES = [name for name in methods.names() if "node classification" in methods[name].tasks and name != "glnn"]
DATA = {"classes": graphs, "molecules": molecules, "nodes": nodes_of_graphs}


def outputs(data, batch):
    """A frozen teacher's and a training student's."""
    configs = {"graph": (GINEConfig, GraphGINConfig), "node": (GCNConfig, GCNConfig)}[data.level]
    found = []
    for seed, (config, width) in enumerate(zip(configs, (8, 4), strict=True)):
        torch.manual_seed(seed)
        model = config(hidden_channels=width, num_layers=3, dropout=0.1).build(data.num_features, data.num_classes)
        found.append(encode_batch(model.train(seed == 1), batch))
    return found[0].detach(), found[1]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ("classes", "molecules") for name in SUITED] + [("nodes", name) for name in ON_NODES],
)
def test_every_suited_method_teaches_a_student_on_many_graphs(kind, name):
    data = DATA[kind]()
    batch = data.mini_batch(data.of_split("train")[:6])
    teacher, student = outputs(data, batch)
    objective = Sum((methods[name](),)).build(Widths.of(teacher), Widths.of(student))
    terms = objective(student, objective.targets(teacher, batch), batch)
    assert bool(terms) == (name != "none")
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    for term in terms.values():
        pull = torch.autograd.grad(term, student.layers, retain_graph=True, allow_unused=True)
        assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in pull)


def term(method, teacher, student, batch):
    objective = method.build(Widths.of(teacher), Widths.of(student))
    return next(iter(objective(student, objective.targets(teacher, batch), batch).values()))


@pytest.mark.parametrize("kind", ["molecules", "nodes"])
def test_independent_labels_are_matched_one_by_one(kind):
    data = DATA[kind]()
    batch = data.mini_batch(data.of_split("train")[:6])
    teacher, student = outputs(data, batch)
    found = term(KD(temperature=2.0), teacher, student, batch)
    z, t = student.logits.detach().double().numpy(), teacher.logits.double().numpy()
    chance = 1 / (1 + np.exp(-t / 2.0))
    expected = np.mean(np.log1p(np.exp(z)) - chance * z)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert multilabel_kd_loss(student.logits, teacher.logits, 2.0).item() == pytest.approx(expected, rel=1e-5)
    smoothed = term(LabelSmoothing(), teacher, student, batch)
    assert float(smoothed) == pytest.approx(np.mean(np.log1p(np.exp(z)) - 0.5 * z), rel=1e-5)


def test_one_distribution_over_classes_does_not_fit_independent_labels():
    data = nodes_of_graphs()
    batch = data.mini_batch(data.of_split("train")[:4])
    with pytest.raises(UsageError, match="labels are independent of each other: use kd"):
        term(GLNN(), *outputs(data, batch), batch)


def test_neighbours_are_those_of_the_graphs():
    data = graphs()
    batch = data.mini_batch(data.of_split("train")[:5])
    teacher, student = outputs(data, batch)
    expected = lsp_loss(student.hidden[-1], teacher.hidden[-1], batch.edge_index)
    assert float(term(LSP(), teacher, student, batch)) == pytest.approx(float(expected), rel=1e-5)
    assert float(expected) > 0
