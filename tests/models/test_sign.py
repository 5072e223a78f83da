"""SIGN: the features of the hops are those of the powers of the adjacency, and are made once for a graph."""

import pytest
import torch

import workbench as wb
from workbench.models import SIGN, SIGNConfig
from workbench.models.layers.edge_weights import normalised

NODES, FEATURES = 20, 4
X = torch.randn(NODES, FEATURES, generator=torch.Generator().manual_seed(0))
EDGES = torch.randint(0, NODES, (2, 60), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SIGN(FEATURES, 8, 3, hops=4)


@pytest.fixture
def made(model, monkeypatch):
    """How often the features of the hops were made."""
    found, original = [], SIGN._diffused

    def count(self, x, graph):
        found.append(x)
        return original(self, x, graph)

    monkeypatch.setattr(SIGN, "_diffused", count)
    return found


def powers(x):
    edges, weight = normalised(EDGES, NODES, torch.float64)
    adjacency = torch.zeros(NODES, NODES, dtype=torch.float64).index_put((edges[1], edges[0]), weight, accumulate=True)
    return torch.cat([torch.matrix_power(adjacency, k) @ x.double() for k in range(5)], dim=1)


def test_every_hop_is_a_power_of_the_adjacency(model):
    torch.testing.assert_close(model.hop_features(X, EDGES).double(), powers(X), rtol=1e-5, atol=1e-5)


def test_sums_over_edges_give_the_same_as_the_matrix(model):
    """In bfloat16, and where a device has no fast sparse products, messages are summed edge by edge."""
    with torch.autocast("cpu", torch.bfloat16):
        found = model.hop_features(X, EDGES)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), powers(X), rtol=1e-5, atol=1e-5)


def test_training_and_evaluation_share_what_was_made_once(model, made):
    model.train()(X, EDGES).sum().backward()
    with torch.no_grad():
        model.eval()(X, EDGES)
    model.train()(X, EDGES).sum().backward()
    assert len(made) == 1


def test_it_is_made_anew_for_other_features_another_graph_and_after_a_change(model, made):
    x = X.clone()
    for features, edges in ((x, EDGES), (X, EDGES), (X, EDGES.flip(0))):
        model(features, edges)
    x = X.clone()
    model(x, EDGES)
    x.add_(1)
    changed = model.hop_features(x, EDGES)
    assert len(made) == 5
    torch.testing.assert_close(changed.double(), powers(X + 1), rtol=1e-5, atol=1e-5)


def test_features_with_a_gradient_get_it_through_every_hop(model):
    x = X.clone().requires_grad_()
    model.hop_features(x, EDGES).sum().backward()
    expected = X.double().requires_grad_()
    powers(expected).sum().backward()
    torch.testing.assert_close(x.grad.double(), expected.grad, rtol=1e-4, atol=1e-4)


def test_without_hops_the_edges_do_not_matter():
    model = SIGN(FEATURES, 8, 3, hops=0).eval()
    assert torch.equal(model(X, EDGES), model(X, EDGES.flip(0)))


def test_dropout_on_the_features_is_drawn_in_training_only(model):
    model.dropout, model.input_dropout = 0.0, 0.5
    for part in (*model.branches, model.head):
        part.rate = 0.0
    assert not torch.equal(model.train()(X, EDGES), model(X, EDGES))
    assert torch.equal(model.eval()(X, EDGES), model(X, EDGES))


@pytest.mark.parametrize(("sizes", "count"), [({"hops": 0}, 1), ({"hops": 3, "num_layers": 3}, 4)])
def test_there_is_a_network_for_every_hop(sizes, count):
    """Linear layers with bias and one slope in each network, one more slope where they meet, then the last network."""
    layers, d = sizes.get("num_layers", 2), 16
    branch = FEATURES * d + d + (layers - 1) * (d * d + d) + 1
    head = count * d * d + d + (layers - 2) * (d * d + d) + d * 3 + 3 + 1
    assert SIGNConfig(hidden_channels=d, **sizes).count_parameters(FEATURES, 3) == count * branch + 1 + head


def test_it_teaches_and_learns(runs_root):
    short = {"epochs": 5, "keep_every": 0}
    run = wb.distill(
        "builtin-karate",
        "sign",
        "sign",
        "kd+gcrd",
        device="cpu",
        training=short,
        teacher_training=short,
        root=runs_root,
    )
    assert run.status.state == "done"
    assert run.result["compression"] > 1
