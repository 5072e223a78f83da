"""Sparse features are transposed once, and their gradients are those of dense ones."""

import pytest
import torch

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
