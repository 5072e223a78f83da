"""Rows of length one and their gradient, in one block and in many, against float64 NumPy."""

import numpy as np
import pytest
import torch

from workbench.kernels import rows as module
from workbench.kernels.rows import unit_rows


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(module, "ENTRIES", 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(150, 6), (1, 40), (7, 1)])
def test_the_gradient_is_what_stands_across_the_row(blocks, shape, dtype):
    features = drawn(*shape, dtype=dtype).requires_grad_()
    pull = drawn(*shape, seed=1, dtype=dtype)
    units = unit_rows(features)
    units.backward(pull)
    tight = 1e-12 if dtype == torch.float64 else 1e-6
    for x, u, g, found in zip(features.detach(), units.detach(), pull, features.grad, strict=True):
        x, g = x.double().numpy(), g.double().numpy()
        length = np.sqrt(sum(number**2 for number in x))
        across = (np.eye(len(x)) - np.outer(x, x) / length**2) / length
        np.testing.assert_allclose(u.numpy(), x / length, rtol=tight)
        np.testing.assert_allclose(
            found.numpy(), across @ g, rtol=10 * tight, atol=10 * tight * np.linalg.norm(g) / length
        )


def test_a_row_of_zeros_counts_as_of_length_one():
    features = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    units = unit_rows(features)
    units.backward(torch.ones(2, 3, dtype=torch.float64))
    assert not units.any()
    assert torch.equal(features.grad, torch.ones(2, 3, dtype=torch.float64))


def test_a_graph_that_is_kept_gives_its_gradient_twice():
    features = drawn(5, 3).requires_grad_()
    loss = unit_rows(features)[:, 0].sum()
    first, second = (torch.autograd.grad(loss, features, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
