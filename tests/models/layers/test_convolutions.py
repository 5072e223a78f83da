"""Our convolutions beside PyG's own: the same numbers and gradients on any graph, in any order of products."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch_geometric import nn as pyg
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from workbench.models import GCN, GCNII, GIN, MLP, SAGE, wrap
from workbench.models.layers import convolutions
from workbench.models.layers.edge_weights import averaged, normalised, summed
from workbench.models.layers.last_input import LastInput

NODES = 20


def directed():
    """Some edges twice, two self-loops of one node, and nodes 15 to 19 without edges."""
    edges = torch.randint(0, 15, (2, 60), generator=torch.Generator().manual_seed(0))
    return torch.cat([edges, edges[:, :3], torch.tensor([[3, 3], [3, 3]])], dim=1)


def undirected():
    edges = directed()
    return torch.cat([edges, edges.flip(0)], dim=1)


def perceptron(a, b):
    return nn.Sequential(nn.Linear(a, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, b))


LAYERS = {
    "gcn": (lambda a, b: convolutions.GCNConv(LastInput(normalised), a, b), pyg.GCNConv),
    "sage": (lambda a, b: convolutions.SAGEConv(LastInput(averaged), a, b), pyg.SAGEConv),
    "gin": (
        lambda a, b: convolutions.GINConv(LastInput(summed), perceptron(a, b), train_eps=True),
        lambda a, b: pyg.GINConv(perceptron(a, b), train_eps=True),
    ),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def pair(name, a, b):
    """Our layer and PyG's, in float64 with the same weights."""
    ours, stock = (make(a, b).double() for make in LAYERS[name])
    with torch.no_grad():
        for parameter in stock.parameters():
            parameter.uniform_(-1, 1)
    ours.load_state_dict(stock.state_dict())
    return ours, stock


def results(layer, x, edge_index):
    """What comes out, and the gradient of every weight and, where it takes one, of x."""
    out = layer(x, edge_index)
    wanted = [*layer.parameters(), *([x] if x.requires_grad else [])]
    return [out, *torch.autograd.grad(out.sin().sum(), wanted)]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


def features(width, trained=False):
    x = torch.randn(NODES, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return x.requires_grad_(trained)


@every_layer
@pytest.mark.parametrize("graph", [directed, undirected])
@pytest.mark.parametrize("widths", [(3, 7), (7, 3), (5, 5), (120, 3)])
@pytest.mark.parametrize("what", ["constant", "given", "trained", "hooked"])
def test_a_layer_is_pygs(name, graph, widths, what):
    ours, stock = pair(name, *widths)
    x, edge_index = features(widths[0], trained=what == "trained"), graph()
    if what == "given":
        ours.last_input.given(x)
    if what == "hooked":  # then every part is called, in PyG's order
        for part in ours.modules():
            part.register_forward_hook(lambda *_: None)
    for _ in range(2):  # prepared, and found again
        same(results(ours, x, edge_index), results(stock, x, edge_index))


@pytest.mark.parametrize("graph", [directed, undirected])
@pytest.mark.parametrize("shared_weights", [True, False])
def test_gcn2_is_pygs(graph, shared_weights):
    sizes = (4, 0.1, 0.5, 2, shared_weights)
    ours, stock = convolutions.GCN2Conv(LastInput(normalised), *sizes).double(), pyg.GCN2Conv(*sizes).double()
    ours.load_state_dict(stock.state_dict())
    x, initial, found = features(4, trained=True), features(4).flip(0), []
    for layer in (ours, stock):
        out = layer(x, initial, graph())
        found.append([out, *torch.autograd.grad(out.sin().sum(), [x, *layer.parameters()])])
    same(*found)


@every_layer
def test_masks_of_an_explainer_reach_the_messages(name):
    ours, stock = pair(name, 5, 3)
    x, edge_index = features(5), directed()
    found = []
    for layer in (ours, stock):
        layer(x, edge_index)  # prepared
        mask = torch.rand(edge_index.shape[1], generator=torch.Generator().manual_seed(2)).double().requires_grad_()
        set_masks(layer, mask, edge_index, apply_sigmoid=False)
        out = layer(x, edge_index)
        found.append([out, *torch.autograd.grad(out.sum(), mask)])
        clear_masks(layer)
    same(*found)
    assert found[0][1].abs().sum() > 0
    same([ours(x, edge_index)], [stock(x, edge_index)])


@every_layer
def test_an_adjacency_matrix_in_place_of_edges_is_pygs_business(name):
    ours, stock = pair(name, 5, 3)
    matrix = torch.zeros(NODES, NODES, dtype=torch.float64)
    matrix[1, 0] = matrix[2, 1] = matrix[1, 2] = 1
    same(*([layer(features(5), matrix.to_sparse_csr())] for layer in (ours, stock)))


def test_edge_weights_are_pygs_business():
    ours, stock = pair("gcn", 5, 3)
    x, edge_index = features(5), directed()
    weight = torch.rand(edge_index.shape[1], dtype=torch.float64)
    same([ours(x, edge_index, weight)], [stock(x, edge_index, weight)])


@pytest.mark.parametrize("model", [GCN(8, 4, 3), SAGE(8, 4, 3), GIN(8, 4, 3), MLP(8, 4, 3), GCNII(8, 4, 3, 2)])
@pytest.mark.parametrize("sparse", [False, True])
def test_hooks_on_a_layer_see_what_goes_in_and_out(model, sparse):
    model.eval()
    x = torch.randn(NODES, 8)
    seen = []
    handle = model.convs[0].register_forward_hook(lambda layer, args, out: seen.append((args, out)))
    output = model.encode(x.to_sparse_csr() if sparse else x, directed())
    handle.remove()
    ((args, out),) = seen
    assert args[0].shape[0] == NODES
    after = out if isinstance(model, (MLP, GCNII)) else model.norms[0](out)
    torch.testing.assert_close(after.relu(), output.hidden[0])


@pytest.mark.parametrize(("model", "part"), [(GCN(8, 4, 3), "convs.0.lin"), (SAGE(8, 4, 3), "convs.0.lin_l")])
def test_a_tapped_part_of_a_layer_runs_and_changes_nothing(model, part):
    x, edge_index = torch.randn(NODES, 8), directed()
    expected = model.eval()(x, edge_index)
    output = wrap(model, [part]).eval().encode(x, edge_index)
    torch.testing.assert_close(output.logits, expected)
    if part == "convs.0.lin":  # in PyG's order: the weights before the neighbours
        torch.testing.assert_close(output.hidden[0], x @ model.convs[0].lin.weight.T)


def test_pruned_weights_count():
    model = GCN(8, 4, 3).eval()
    x, edge_index = torch.randn(NODES, 8), directed()
    before = model(x, edge_index)
    prune.random_unstructured(model.convs[0].lin, "weight", 0.5)
    prune.random_unstructured(model.convs[1].lin, "weight", 0.5)
    stock = pyg.GCNConv(8, 4), pyg.GCNConv(4, 3)
    for ours, other in zip(model.convs, stock, strict=True):
        other.load_state_dict({"lin.weight": ours.lin.weight_orig * ours.lin.weight_mask, "bias": ours.bias})
    expected = stock[1](stock[0](x, edge_index).relu(), edge_index)
    torch.testing.assert_close(model(x, edge_index), expected)
    assert not torch.allclose(before, expected)


@every_layer
def test_bfloat16_is_near_full_precision(name):
    ours, _ = pair(name, 5, 3)
    ours = ours.float().eval()
    x, edge_index = features(5).float(), directed()
    expected = ours(x, edge_index)
    with torch.autocast("cpu", torch.bfloat16):
        found = ours(x, edge_index).float()
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.2)
    assert torch.equal(ours(x, edge_index), expected)
