"""Models that classify whole graphs: published sizes, and graphs of a mini-batch that know nothing of each other."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from workbench.datasets.channels import Channels
from workbench.models import GINEConfig, GraphGCNConfig, GraphGINConfig, PNAConfig, solve_budget
from workbench.models.layers.edge_messages import Encoder, MoleculeGCN
from workbench.registry import models

NAMES = [name for name in models.names() if models[name].task == "graph classification" and models[name].takes]
SIZES, CLASSES = (5, 1, 7), 3
NODE_KINDS, EDGE_KINDS = 6, 4
MOLECULES = Channels(173, 13)  # categories of atoms and of bonds in OGB's first releases
every_model = pytest.mark.parametrize("name", NAMES)


def batch(seed=0):
    """Three graphs with categories on nodes and edges: x, edge_index, batch, edge_attr."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(NODE_KINDS, (sum(SIZES), 2), generator=generator)
    edges, first = [], 0
    for size in SIZES:
        edges.append(first + torch.randint(size, (2, 3 * size), generator=generator))
        first += size
    edge_index = torch.cat(edges, dim=1)
    attr = torch.randint(EDGE_KINDS, (edge_index.shape[1], 2), generator=generator)
    return x, edge_index, torch.arange(3).repeat_interleave(torch.tensor(SIZES)), attr


def built(name, seed=0, **options):
    torch.manual_seed(seed)
    sizes = {"hidden_channels": 8, "num_layers": 3, "dropout": 0.0, **options}
    return models[name](**sizes).build(Channels(NODE_KINDS, EDGE_KINDS), CLASSES).eval()


def test_these_are_the_models_of_whole_graphs():
    assert set(NAMES) >= {"gcn-graph", "gin-graph", "gine", "pna"}


def test_the_gcn_of_molhiv_has_its_published_size():
    # Atoms 173 d; a layer: d² + d, the node itself d, bonds 13 d, normalisation 2 d; at the end d + 1.
    d = 100
    by_hand = 173 * d + 2 * (d * d + d + d + 13 * d + 2 * d) + d + 1
    assert by_hand == 40_801
    assert GraphGCNConfig(hidden_channels=d, num_layers=2).count_parameters(MOLECULES, 1) == by_hand


def test_the_gin_e_of_molhiv_has_its_published_size():
    # A layer: perceptron d → 2 d → d with normalisation inside, ε, bonds, normalisation; the virtual node: where it
    # starts, and between layers a perceptron with normalisation after both of its layers.
    d = 300
    perceptron = 2 * d * d + 2 * d + 4 * d + 2 * d * d + d
    layer = perceptron + 1 + 13 * d + 2 * d
    by_hand = 173 * d + 5 * layer + d + 4 * (perceptron + 2 * d) + d + 1
    assert by_hand == 3_336_306
    config = GINEConfig(hidden_channels=d, num_layers=5, virtual_node=True)
    assert config.count_parameters(MOLECULES, 1) == by_hand


@every_model
@pytest.mark.parametrize("options", [{}, {"pooling": "sum"}, {"virtual_node": True}])
def test_a_graph_knows_nothing_of_the_others_in_its_mini_batch(name, options):
    model = built(name, **options)
    x, edge_index, owner, attr = batch()
    together = model.encode(x, edge_index, owner, attr)
    assert together.logits.shape == (3, CLASSES)
    first = 0
    for number, size in enumerate(SIZES):
        nodes, edges = slice(first, first + size), owner[edge_index[0]] == number
        alone = model.encode(x[nodes], edge_index[:, edges] - first, None, attr[edges])
        torch.testing.assert_close(alone.logits[0], together.logits[number], rtol=1e-4, atol=1e-5)
        for mine, all_of_them in zip(alone.hidden, together.hidden, strict=True):
            torch.testing.assert_close(mine, all_of_them[nodes], rtol=1e-4, atol=1e-5)
        first += size


@every_model
def test_renaming_nodes_changes_no_logits(name):
    model = built(name, virtual_node=True)
    x, edge_index, owner, attr = batch()
    generator = torch.Generator().manual_seed(3)
    within = [torch.randperm(size, generator=generator) for size in SIZES]
    order = torch.cat([own + first for own, first in zip(within, (0, 5, 6), strict=True)])
    place = torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))
    edges = torch.randperm(edge_index.shape[1], generator=generator)
    renamed = model.encode(x[order], place[edge_index][:, edges], owner, attr[edges])
    straight = model.encode(x, edge_index, owner, attr)
    torch.testing.assert_close(renamed.logits, straight.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(renamed.hidden[-1], straight.hidden[-1][order], rtol=1e-4, atol=1e-5)


@every_model
def test_edges_are_looked_at_where_the_model_says_so(name):
    model = built(name)
    x, edge_index, owner, attr = batch()
    other = (attr + 1) % EDGE_KINDS
    changed = not torch.equal(model(x, edge_index, owner, attr), model(x, edge_index, owner, other))
    assert changed == (name != "gin-graph")


@every_model
def test_hidden_has_every_layer_and_all_weights_learn(name):
    model = built(name, virtual_node=True).train()
    output = model.encode(*batch())
    assert [h.shape for h in output.hidden] == [(sum(SIZES), 8)] * 3
    output.logits.square().sum().backward()
    assert [key for key, weight in model.named_parameters() if weight.grad is None] == []


@every_model
def test_a_seed_fixes_the_weights_and_reset_draws_them_anew(name, tmp_path):
    one, two = built(name, 7, virtual_node=True), built(name, 8, virtual_node=True)
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    buffers = {key: value.clone() for key, value in one.named_buffers()}
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        one.reset_parameters()
        states.append({key: value.clone() for key, value in one.state_dict().items()})
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert all(torch.equal(value, buffers[key]) for key, value in one.named_buffers())
    save_file(one.state_dict(), tmp_path / "model.safetensors")
    two.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(one(*batch()), two(*batch()))


@every_model
def test_a_budget_is_met_with_the_weights_of_edges_counted(name):
    config = models[name](num_layers=2)
    found = solve_budget(config, MOLECULES, 1, parameters=40_000)
    built_one = found.config.build(MOLECULES, 1)
    assert found.parameters == sum(p.numel() for p in built_one.parameters()) <= 40_000
    wider = found.config.replace(hidden_channels=found.config.hidden_channels + 1)
    assert wider.count_parameters(MOLECULES, 1) > 40_000


def test_categories_are_sums_of_rows_and_numbers_are_a_product():
    encoder = Encoder(4, 3)
    kinds = torch.tensor([[0, 2], [3, 3]])
    counted = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 2.0]])
    torch.testing.assert_close(encoder(kinds), counted @ encoder.weight)
    torch.testing.assert_close(encoder(counted), counted @ encoder.weight)


def test_a_convolution_is_its_formula():
    torch.manual_seed(0)
    layer = MoleculeGCN(4, EDGE_KINDS).double()
    _, edge_index, _, attr = batch()
    x = torch.randn(sum(SIZES), 4, dtype=torch.double)
    with torch.no_grad():
        found = layer(x, edge_index, attr)
        h = x @ layer.linear.weight.T + layer.linear.bias
        degree = [1 + int((edge_index[1] == node).sum()) for node in range(len(x))]
        expected = torch.stack([(h[i] + layer.root).clamp(min=0) / degree[i] for i in range(len(x))])
        for (j, i), kinds in zip(edge_index.T.tolist(), attr.tolist(), strict=True):
            sent = h[j] + layer.edges.weight[kinds[0]] + layer.edges.weight[kinds[1]]
            expected[i] += sent.clamp(min=0) / (degree[i] * degree[j]) ** 0.5
    torch.testing.assert_close(found, expected)


def test_a_pna_scales_by_the_degree_that_it_is_given():
    few, many = (PNAConfig(degree=degree, hidden_channels=4).build(NODE_KINDS, CLASSES) for degree in (1.0, 7.0))
    scales = [model.convs[0].conv.aggr_module.avg_deg_log for model in (few, many)]
    torch.testing.assert_close(torch.cat(scales), torch.tensor([2.0, 8.0]).log())


def test_only_the_spellings_differ_between_gin_and_gine_without_edges():
    gin, gine = (config(hidden_channels=8).count_parameters(3, 2) for config in (GraphGINConfig, GINEConfig))
    assert gin == gine
