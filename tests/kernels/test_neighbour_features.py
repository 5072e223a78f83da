"""Largest and sum over neighbours, against a gathered tensor with an entry for every edge."""

import pytest
import torch

from workbench.kernels import neighbour_features
from workbench.kernels.neighbour_features import neighbour_max, neighbour_sum

POINTS, K, WIDTH = 40, 6, 5


def drawn(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(POINTS, WIDTH, generator=generator, dtype=dtype).requires_grad_()
    return features, torch.randint(0, POINTS, (POINTS, K), generator=generator)


@pytest.fixture(params=["torch", "compiled"])
def sweep(request, monkeypatch):
    monkeypatch.setattr(neighbour_features, "COMPILED_FROM", 0 if request.param == "compiled" else 2**62)


@pytest.fixture(params=["matrix", "gather"])
def product(request, monkeypatch):
    if request.param == "gather":
        monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: False)


def value_and_gradient(function, features, weight):
    value = function(features)
    return value.detach(), torch.autograd.grad((value * weight).sum(), features)[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_largest_is_that_of_the_gathered_features(sweep, dtype):
    features, table = drawn(dtype)
    weight = torch.randn(POINTS, WIDTH, dtype=dtype, generator=torch.Generator().manual_seed(1))
    found = value_and_gradient(lambda f: neighbour_max(f, table), features, weight)
    expected = value_and_gradient(lambda f: f[table].max(dim=1).values, features, weight)
    assert torch.equal(found[0], expected[0])
    torch.testing.assert_close(found[1], expected[1])


def test_the_gradient_goes_to_the_first_of_equal_neighbours(sweep):
    features = torch.tensor([[1.0], [2.0], [2.0]], requires_grad=True)
    neighbour_max(features, torch.tensor([[0, 2, 1]])).sum().backward()
    assert features.grad.tolist() == [[0], [0], [1]]


def test_blocks_of_rows_give_the_same(monkeypatch):
    features = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    table = torch.randint(0, 300, (300, 4), generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(neighbour_features, "ENTRIES", {"cpu": 1})
    assert torch.equal(neighbour_max(features, table), features[table].amax(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_sum_is_that_of_the_gathered_features(product, dtype):
    features, table = drawn(dtype)
    weight = torch.randn(POINTS, WIDTH, dtype=dtype, generator=torch.Generator().manual_seed(1))
    found = value_and_gradient(lambda f: neighbour_sum(f, table), features, weight)
    expected = value_and_gradient(lambda f: f[table].sum(dim=1), features, weight)
    torch.testing.assert_close(found, expected)


def test_gradients_are_those_of_differences():
    features, table = drawn()
    for function in (neighbour_max, neighbour_sum):
        assert torch.autograd.gradcheck(lambda f, function=function: function(f, table), features)
