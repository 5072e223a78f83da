"""Layer-wise inference gives what the model gives on the whole graph, whatever the blocks."""

import pytest
import torch
from torch import nn

from workbench.errors import UsageError
from workbench.models.layers.by_layer import Layer, LayerByLayer
from workbench.registry import models
from workbench.training.layerwise import infer
from workbench.training.neighbour_sampling import InEdges

NODES, FEATURES, CLASSES = 120, 9, 4
CONFIGS = {
    "gcn": {"hidden_channels": 8, "num_layers": 3, "batch_norm": True},
    "sage": {"hidden_channels": 8, "num_layers": 3},
    "gin": {"hidden_channels": 16, "num_layers": 3, "train_eps": True},
    "mlp": {"hidden_channels": 8, "num_layers": 3},
    "gat": {"hidden_channels": 4, "heads": 3, "out_heads": 2, "num_layers": 3, "skip": True},
    "gatv2": {"hidden_channels": 4, "heads": 3, "num_layers": 2},
    "gcnii": {"hidden_channels": 8, "num_layers": 5},
}


@pytest.fixture(scope="module")
def graph():
    """A directed multigraph with a hub, self-loops (also two at one node), and nodes without edges."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(NODES, FEATURES, generator=generator)
    edges = torch.randint(NODES - 10, (2, 500), generator=generator)
    hub = torch.stack([torch.arange(60), torch.full((60,), 7)])
    loops = torch.tensor([[3, 3, 11], [3, 3, 11]])
    return x, torch.cat([edges, hub, loops, edges[:, :20]], dim=1)


def built(name: str) -> nn.Module:
    torch.manual_seed(1)
    model = models[name](**CONFIGS[name]).build(FEATURES, CLASSES)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):  # as after training
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model.eval()


@pytest.mark.parametrize("block_edges", [1, 37, 10_000])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_layer_is_that_of_the_whole_graph(graph, name, block_edges):
    x, edge_index = graph
    model = built(name)
    with torch.no_grad():
        expected = model.encode(x, edge_index)
    found = infer(model, x, InEdges.of(edge_index, NODES), block_edges=block_edges)
    assert len(found.hidden) == len(expected.hidden) > 0
    for ours, whole in zip(found.layers, expected.layers, strict=True):
        torch.testing.assert_close(ours, whole, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_in_double_precision_they_agree_to_rounding(graph, name):
    x, edge_index = graph
    model = built(name).double()
    with torch.no_grad():
        expected = model.encode(x.double(), edge_index)
    found = infer(model, x.double(), InEdges.of(edge_index, NODES), block_edges=37)
    for ours, whole in zip(found.layers, expected.layers, strict=True):
        torch.testing.assert_close(ours, whole, atol=1e-11, rtol=1e-11)


def test_the_model_in_training_is_evaluated_without_dropout(graph):
    x, edge_index = graph
    model = built("gcn").train()
    found = infer(model, x, InEdges.of(edge_index, NODES))
    with torch.no_grad():
        torch.testing.assert_close(found.logits, model.eval().encode(x, edge_index).logits)


def test_hidden_layers_are_forgotten_on_request_and_go_where_they_are_put(graph):
    x, edge_index = graph
    asked = []

    def room(number: int, rows: int, width: int) -> torch.Tensor:
        asked.append((number, rows, width))
        return torch.zeros(rows, width, dtype=torch.float16)

    found = infer(built("sage"), x, InEdges.of(edge_index, NODES), keep_hidden=False, room=room)
    assert asked == [(0, NODES, 8), (1, NODES, 8), (2, NODES, CLASSES)]
    assert found.hidden == []
    assert found.logits.dtype == torch.float16


def test_a_model_that_does_not_say_what_its_layers_are_is_refused(graph):
    x, edge_index = graph
    with pytest.raises(UsageError, match="layer by layer"):
        infer(nn.Linear(FEATURES, CLASSES), x, InEdges.of(edge_index, NODES))


def test_a_model_that_weighs_edges_in_its_own_way_is_refused(graph):
    class Own(nn.Linear):
        def by_layer(self) -> LayerByLayer:
            return LayerByLayer([Layer(lambda x, *_: x)], lambda *_: None)

    x, edge_index = graph
    with pytest.raises(UsageError, match="way of its own"):
        infer(Own(FEATURES, CLASSES), x, InEdges.of(edge_index, NODES))
