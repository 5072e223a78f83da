"""Products with a constant sparse matrix: as dense ones in float64, with their gradients, and without conversions."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from workbench.kernels import propagate as kernel
from workbench.kernels.csr import EdgePattern
from workbench.kernels.propagate import SparseOperator, Transposition, propagate, short_csr

NODES = 9


def edges(symmetric):
    """Some edges twice, self-loops, and nodes 7 and 8 without any."""
    found = torch.randint(0, 7, (2, 20), generator=torch.Generator().manual_seed(0))
    found = torch.cat([found, found[:, :2], torch.tensor([[3], [3]])], dim=1)
    return torch.cat([found, found.flip(0)], dim=1) if symmetric else found


def values_of(edge_index, like_reverse):
    weight = torch.rand(NODES, NODES, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return (weight + weight.T if like_reverse else weight)[edge_index[1], edge_index[0]]


def operator_and_dense(symmetric, like_reverse, dtype=torch.float64):
    edge_index = edges(symmetric)
    values = values_of(edge_index, like_reverse).to(dtype)
    dense = torch.zeros(NODES, NODES, dtype=torch.float64)
    for (source, destination), value in zip(edge_index.T.tolist(), values.tolist(), strict=True):
        dense[destination, source] += value
    pattern = EdgePattern.of(edge_index, NODES)
    return SparseOperator.of_edges(pattern, values[pattern.order]), dense


every_kind = pytest.mark.parametrize(
    ("symmetric", "like_reverse"), [(True, True), (True, False), (False, True)], ids=["equal", "pattern", "directed"]
)


@every_kind
@pytest.mark.parametrize("width", [1, 5])
def test_product_and_gradients_are_those_of_the_dense_matrix(symmetric, like_reverse, width):
    operator, dense = operator_and_dense(symmetric, like_reverse)
    generator = torch.Generator().manual_seed(2)
    x, bias, above = (
        torch.randn(*s, dtype=torch.float64, generator=generator) for s in ((NODES, width), (width,), (NODES, width))
    )
    x.requires_grad_()
    bias.requires_grad_()
    out = propagate(operator, x, bias)
    torch.testing.assert_close(out, dense @ x + bias)
    of_x, of_bias = torch.autograd.grad(out, [x, bias], above)
    torch.testing.assert_close(of_x, dense.T @ above)
    torch.testing.assert_close(of_bias, above.sum(0))
    torch.testing.assert_close(propagate(operator, x), dense @ x)


@every_kind
def test_gradients_of_gradients(symmetric, like_reverse):
    operator, _ = operator_and_dense(symmetric, like_reverse)
    x = torch.randn(NODES, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x, bias: propagate(operator, x.sin(), bias), (x, bias))
    assert gradgradcheck(lambda x, bias: propagate(operator, x.sin(), bias), (x, bias))


def test_float32_keeps_seven_digits():
    operator, dense = operator_and_dense(True, True, torch.float32)
    x = torch.randn(NODES, 4)
    torch.testing.assert_close(propagate(operator, x).double(), dense @ x.double(), rtol=1e-5, atol=1e-6)


def test_only_a_matrix_that_is_symmetric_in_values_too_is_its_own_transpose():
    kinds = {(True, True): True, (True, False): False, (False, True): False}
    for kind, expected in kinds.items():
        operator, dense = operator_and_dense(*kind)
        assert (operator.transposed is operator.matrix) == expected
        torch.testing.assert_close(operator.transposed.to_dense(), dense.T)


def test_the_backward_pass_converts_no_layout():
    operator, _ = operator_and_dense(False, False)
    x = torch.randn(NODES, 4, dtype=torch.float64, requires_grad=True)
    with torch.profiler.profile() as profile:
        propagate(operator, x).square().sum().backward()
    names = {event.key for event in profile.key_averages()}
    assert "aten::addmm" in names
    assert not {name for name in names if "to_sparse" in name or "sort" in name}


def test_the_backward_pass_may_run_under_autocast():
    operator, dense = operator_and_dense(False, False, torch.float32)
    x = torch.randn(NODES, 4, requires_grad=True)
    out = propagate(operator, x)
    with torch.autocast("cpu", torch.bfloat16):
        (gradient,) = torch.autograd.grad(out, x, out.detach())
    torch.testing.assert_close(gradient.double(), dense.T @ out.detach().double(), rtol=1e-5, atol=1e-6)


def test_values_that_changed_since_the_product_are_refused():
    matrix = torch.eye(3).to_sparse_csr()
    operator = Transposition.of(matrix).operator(matrix)
    x, bias = torch.randn(3, 2, requires_grad=True), torch.zeros(2, requires_grad=True)
    out, without_x = propagate(operator, x), propagate(operator, x.detach(), bias)
    matrix.values().mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
    without_x.sum().backward()  # which does not need them
    assert bias.grad.tolist() == [3, 3]


def test_features_without_gradient_cost_no_backward_product(monkeypatch):
    operator, _ = operator_and_dense(True, True)
    bias = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    out = propagate(operator, torch.randn(NODES, 4, dtype=torch.float64), bias)
    monkeypatch.setattr(kernel, "propagate", None)  # what a backward product would call
    out.sum().backward()
    assert bias.grad.tolist() == [NODES] * 4


def test_a_gradient_that_is_one_number_spread_out():
    operator, dense = operator_and_dense(False, False)
    x = torch.randn(NODES, 4, dtype=torch.float64, requires_grad=True)
    propagate(operator, x).sum().backward()
    torch.testing.assert_close(x.grad, dense.T.sum(1, keepdim=True).expand(NODES, 4))


@pytest.mark.parametrize(("nodes", "width"), [(4, 3), (0, 3), (4, 0)])
def test_without_edges_the_product_is_the_bias(nodes, width):
    pattern = EdgePattern.of(torch.empty(2, 0, dtype=torch.long), nodes)
    operator = SparseOperator.of_edges(pattern, torch.empty(0))
    bias = torch.randn(width)
    x = torch.randn(nodes, width, requires_grad=True)
    out = propagate(operator, x, bias)
    assert torch.equal(out, bias.expand(nodes, width))
    out.sum().backward()
    assert torch.equal(x.grad, torch.zeros(nodes, width))


def test_the_transposition_of_a_matrix_serves_other_values_at_the_same_places():
    dense = torch.rand(6, 11, generator=torch.Generator().manual_seed(0))
    dense = torch.where(dense < 0.3, dense, 0.0)
    dense[2], dense[:, 4] = 0, 0  # an empty row and an empty column
    matrix = dense.to_sparse_csr()
    transposition = Transposition.of(matrix)
    values = torch.randn(matrix.values().shape)
    other = torch.sparse_csr_tensor(matrix.crow_indices(), matrix.col_indices(), values, matrix.shape)
    for given in (matrix, other):
        assert torch.equal(transposition.operator(given).transposed.to_dense(), given.to_dense().T)


def test_indices_are_short_where_they_suffice():
    rowptr, col, values = torch.tensor([0, 1]), torch.tensor([2]), torch.ones(1)
    assert short_csr(rowptr, col, values, 3).col_indices().dtype == torch.int32
    assert short_csr(rowptr, col, values, 2**31 + 1).col_indices().dtype == torch.int64
