"""Sparse features are transposed once, and their gradients are those of dense ones."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from workbench.models import GCN, GCNII, GIN, MLP, SAGE, features_for
from workbench.models.features import dropout
from workbench.models.layers.last_input import LastInput

NODES, OUT = 30, 3
SPARSE = {
    "gcn": lambda **o: GCN(50, 4, OUT, **o),
    "sage": lambda **o: SAGE(50, 4, OUT, **o),
    "gin": lambda **o: GIN(50, 4, OUT, **o),
    "gcnii": lambda **o: GCNII(50, 4, OUT, 2, **o),
    "mlp": lambda **o: MLP(50, 4, OUT, **o),
}
EDGES = torch.randint(0, NODES, (2, 60), generator=torch.Generator().manual_seed(0))
every_sparse_model = pytest.mark.parametrize("name", SPARSE)


INNER = {
    "gcn": ["convs.0.lin"],
    "sage": ["convs.0.lin_l", "convs.0.lin_r"],
    "gin": ["convs.0.nn", "convs.0.nn.0"],
    "gcnii": ["lin_in"],
    "mlp": ["convs.0"],
}
every_inner_layer = pytest.mark.parametrize(("name", "part"), [(name, part) for name in INNER for part in INNER[name]])


class Doubling(nn.Module):
    """A layer of one's own, which reads features as dense ones and has no ``weight``."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return 2 * self.inner(nn.functional.dropout(x, 0.0))


def words():
    x = torch.rand(NODES, 50, generator=torch.Generator().manual_seed(3))
    return torch.where(x < 0.05, x, 0.0)


@every_sparse_model
def test_sparse_features_are_transposed_once(name, made):
    model = SPARSE[name](dropout=0.5)
    x, edge_index = features_for(model, words()), EDGES
    for training in (True, False, True):
        model.train(training)(x, edge_index).sum().backward()
    assert made["transpositions"] == 1
    model(features_for(model, words()), edge_index).sum().backward()
    assert made["transpositions"] == 2


@pytest.mark.parametrize("bias", [True, False])
def test_the_gradient_through_dropped_words_is_that_of_dense_ones(made, bias):
    last = LastInput()
    layer = torch.nn.Linear(50, 4, bias=bias)
    x = features_for(MLP(50, 4, OUT), words())
    last.given(x)
    for _ in range(2):
        dropped = dropout(x, 0.5, training=True)
        found, expected = last.apply(layer, dropped), layer(dropped.to_dense())
        torch.testing.assert_close(found, expected)
        parts = zip(
            *(torch.autograd.grad(out.sin().sum(), layer.parameters()) for out in (found, expected)), strict=True
        )
        for a, b in parts:
            torch.testing.assert_close(a, b)
    assert made["transpositions"] == 1


def test_sparse_features_with_other_places_are_not_mistaken():
    last, layer = LastInput(), torch.nn.Linear(50, 4)
    model = MLP(50, 4, OUT)
    last.given(features_for(model, words()))
    other = features_for(model, words().flip(0))
    (found,) = torch.autograd.grad(last.apply(layer, other).sin().sum(), layer.weight)
    (expected,) = torch.autograd.grad(layer(words().flip(0)).sin().sum(), layer.weight)
    torch.testing.assert_close(found, expected)


def outcome(model, x):
    """What the model gives, and the gradients of its parameters."""
    out = model(x, EDGES)
    return [out, *torch.autograd.grad(out.sin().sum(), list(model.parameters()))]


def same_as_dense(model):
    sparse, dense = outcome(model, features_for(model, words())), outcome(model, words())
    for a, b in zip(sparse, dense, strict=True):
        torch.testing.assert_close(a, b)


@every_inner_layer
def test_hooks_on_an_inner_layer_are_called_with_dense_features(name, part):
    model = SPARSE[name](dropout=0.0)
    seen = []
    model.get_submodule(part).register_forward_hook(lambda layer, args, out: seen.append((args[0], out)))
    model(features_for(model, words()), EDGES)
    model(words(), EDGES)
    assert len(seen) == 2
    for of_sparse, of_dense in zip(*seen, strict=True):
        torch.testing.assert_close(of_sparse, of_dense)


@pytest.mark.parametrize(("name", "part"), [(n, p) for n in INNER for p in INNER[n] if p != "convs.0.nn"])
def test_pruned_layers_are_trained_on_sparse_features(name, part):
    torch.manual_seed(0)
    model = SPARSE[name](dropout=0.0)
    layer = prune.random_unstructured(model.get_submodule(part), "weight", 0.5)
    x, optimiser = features_for(model, words()), torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        model(x, EDGES).sin().sum().backward()
        optimiser.step()
    assert layer.weight_orig.grad[layer.weight_mask == 0].eq(0).all()
    same_as_dense(model)


@every_inner_layer
def test_layers_of_ones_own_are_called(name, part):
    model = SPARSE[name](dropout=0.0)
    inner, expected = model.get_submodule(part), model(words(), EDGES)
    model.set_submodule(part, Doubling(inner))
    assert not torch.allclose(model(words(), EDGES), expected)
    same_as_dense(model)
