"""R-GCN: published sizes, its formula on several types of nodes, embeddings where there are no features."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from small_hetero import bibliography

from workbench.datasets.hetero.features import HeteroChannels, HeteroFeatures, NodeType
from workbench.datasets.hetero.graph import HeteroGraph
from workbench.models import RGCN, RGCNConfig, features_for

MAG = HeteroChannels(  # ogbn-mag with its reverses: 7 relations
    (
        NodeType("author", 1_134_649, 0),
        NodeType("field_of_study", 59_965, 0),
        NodeType("institution", 8_740, 0),
        NodeType("paper", 736_389, 128),
    ),
    (
        ("author", "affiliated_with", "institution"),
        ("institution", "rev_affiliated_with", "author"),
        ("author", "writes", "paper"),
        ("paper", "rev_writes", "author"),
        ("paper", "cites", "paper"),
        ("paper", "has_topic", "field_of_study"),
        ("field_of_study", "rev_has_topic", "paper"),
    ),
    "paper",
)
VENUES = 349


@pytest.fixture
def graph() -> HeteroGraph:
    return HeteroGraph.from_hetero_data(bibliography(cites=True))


def built(graph: HeteroGraph, **options) -> RGCN:
    torch.manual_seed(3)
    sizes = {"hidden_channels": 5, "num_layers": 3, "embedding_channels": 7, **options}
    return RGCNConfig(**sizes).build(graph.num_features, 2).eval()


def layer(before: int, after: int) -> int:
    """Seven relations without a bias, four roots with one."""
    return 7 * before * after + 4 * (before * after + after)


@pytest.mark.parametrize(
    ("layers", "hidden", "published"), [(3, 512, 5_575_540), (2, 32, 169_428)], ids=["teacher", "student"]
)
def test_published_sizes_on_mag(layers, hidden, published):
    widths = [128, *[hidden] * (layers - 1), VENUES]
    assert sum(layer(a, b) for a, b in pairwise(widths)) == published
    config = RGCNConfig(hidden_channels=hidden, num_layers=layers)
    assert config.count_parameters(MAG, VENUES) == published
    with torch.device("meta"):
        model = config.build(MAG, VENUES)
    assert model.embedding_parameters == 128 * (1_134_649 + 59_965 + 8_740)


def in_numpy(model: RGCN, x: HeteroFeatures) -> tuple[list[np.ndarray], np.ndarray]:
    """Hidden states and logits of the target nodes in float64: means over the in-neighbours, node by node."""
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}
    h = {name: features.double().numpy() for name, features in x.features.items()}
    h |= {name: weights[f"embeddings.{place}.weight"] for place, name in enumerate(model.featureless)}
    names, hidden = list(x.counts), []
    for depth in range(len(model.convs)):
        new = {}
        for place, name in enumerate(names):
            root = f"convs.{depth}.roots.{place}"
            new[name] = h[name] @ weights[f"{root}.weight"].T + weights[f"{root}.bias"]
        for place, ((source, _, destination), edges) in enumerate(x.relations.items()):
            sent = h[source] @ weights[f"convs.{depth}.relations.{place}.weight"].T
            for node in range(x.counts[destination]):
                neighbours = edges[0][edges[1] == node].numpy()
                if len(neighbours):
                    new[destination][node] += sent[neighbours].mean(axis=0)
        h = new
        if depth < len(model.convs) - 1:
            h = {name: np.maximum(each, 0) for name, each in h.items()}
            hidden.append(h[x.target])
    return hidden, h[x.target]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("hidden", [2, 9])  # narrower and wider than the features
def test_the_formula(graph, layers, hidden):
    model = built(graph, num_layers=layers, hidden_channels=hidden)
    expected_hidden, expected = in_numpy(model, graph.x)
    output = model.encode(graph.x, graph.edge_index)
    np.testing.assert_allclose(output.logits.detach(), expected, rtol=1e-4, atol=1e-5)
    for found, wanted in zip(output.hidden, expected_hidden, strict=True):
        np.testing.assert_allclose(found.detach(), wanted, rtol=1e-4, atol=1e-5)


def test_gathered_edges_give_what_sparse_products_give(graph, monkeypatch):
    model = built(graph)
    results = []
    for fast in (True, False):
        monkeypatch.setattr("workbench.models.layers.relations._has_sparse_products", lambda h, fast=fast: fast)
        model.zero_grad()
        logits = model(graph.x.detach(), graph.edge_index)
        logits.square().sum().backward()
        results.append([logits, *(p.grad for p in model.parameters() if p.grad is not None)])
    assert len(results[0]) == len(results[1]) > 10
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_sparse_features_give_the_same_outputs_and_gradients(graph):
    model = built(graph)
    thin = graph.x.with_features(lambda x: torch.where(x > 1.9, x, 0.0))
    sparse = thin.with_features(lambda x: features_for(model, x))
    assert any(x.layout == torch.sparse_csr for x in sparse.features.values())
    results = []
    for x in (thin, sparse):
        model.zero_grad()
        logits = model(x, graph.edge_index)
        logits.square().sum().backward()
        results.append([logits, *(p.grad for p in model.parameters() if p.grad is not None)])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_it_trains_in_bfloat16_too(graph):
    model = built(graph).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(graph.x, graph.edge_index)
    logits.float().sum().backward()
    assert logits.isfinite().all()


def test_embeddings_of_nodes_without_features_learn(graph):
    model = built(graph)
    assert model.featureless == ["venue"]
    model(graph.x, graph.edge_index).square().sum().backward()
    assert model.embeddings[0].weight.shape == (4, 7)
    assert (model.embeddings[0].weight.grad.abs().sum(1) > 0).all()


def test_in_the_last_layer_only_what_leads_to_papers_learns(graph):
    model = built(graph)
    model(graph.x, graph.edge_index).square().sum().backward()
    last = model.convs[-1]
    for relation, linear in zip(last.names, last.relations, strict=True):
        assert (linear.weight.grad is not None) == (relation[2] == "paper")
    assert all(p.grad is not None for p in model.convs[0].parameters())


def test_reset_parameters_draws_embeddings_anew(graph):
    model = built(graph)
    before = model.embeddings[0].weight.clone()
    torch.manual_seed(9)
    model.reset_parameters()
    after = model.embeddings[0].weight.clone()
    torch.manual_seed(9)
    model.reset_parameters()
    assert not torch.equal(before, after)
    assert torch.equal(model.embeddings[0].weight, after)
    assert after.abs().max() <= (6 / (4 + 7)) ** 0.5  # Xavier's bound
