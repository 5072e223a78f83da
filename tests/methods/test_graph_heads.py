"""Heads that pass messages: the graph is normalised once for both of them, and they stay PyG's."""

import pytest
import torch
from torch_geometric import nn as pyg
from torch_geometric.nn.conv import gcn_conv
from toys import built

from workbench.methods import GCRD


@pytest.fixture
def objective(toy):
    return built(GCRD(head="gcn"), toy)


@pytest.fixture
def norms(monkeypatch):
    """The calls of PyG's normalisation."""
    calls, norm = [], gcn_conv.gcn_norm
    monkeypatch.setattr(gcn_conv, "gcn_norm", lambda *a, **o: calls.append(a) or norm(*a, **o))
    return calls


def test_both_heads_normalise_the_graph_once_in_all_steps(objective, toy, norms):
    for _ in range(3):
        sum(toy.terms(objective).values()).backward()
    assert len(norms) == 1


def test_another_graph_is_normalised_anew(objective, toy, norms):
    before = toy.terms(objective)["gcrd"]
    toy.batch.edge_index = toy.batch.edge_index[:, ::2].contiguous()
    assert toy.terms(objective)["gcrd"] != before
    assert len(norms) == 2


def test_two_objectives_share_nothing(toy):
    one, other = (built(GCRD(head="gcn"), toy).parts["gcrd"] for _ in range(2))
    assert one.teacher_head.conv.last_input is one.student_head.conv.last_input
    assert one.teacher_head.conv.last_input is not other.teacher_head.conv.last_input


def test_weights_and_gradients_are_those_of_pygs_layer(objective, toy):
    gcrd = objective.parts["gcrd"]
    head, x = gcrd.student_head, toy.student.hidden[-1]
    stock = pyg.GCNConv(4, 128).double()
    stock.load_state_dict(head.conv.state_dict())  # the same names
    found, expected = (
        torch.autograd.grad(conv(x, toy.batch.edge_index).sin().sum(), [x, *conv.parameters()])
        for conv in (head.conv, stock)
    )
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_names_in_saved_weights_stay(objective):
    gcrd = objective.parts["gcrd"]
    of_norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = ["conv.bias", "conv.lin.weight", *(f"norm.{name}" for name in of_norm)]
    assert list(gcrd.state_dict()) == [f"{head}.{name}" for head in ("teacher_head", "student_head") for name in names]
