"""Attention over a sparse pattern equals its formula, written as loops over rows and heads in float64 NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from workbench.kernels import edge_attention
from workbench.kernels.edge_attention import RowPattern, attend, row_softmax
from workbench.kernels.edge_numbers import has_sparse_products

ROWS, COLUMNS = 6, 4
# In no order; rows 0 and 4 have no entry, rows 2 and 5 a single one; columns 2 stands in one row only.
ROW = torch.tensor([3, 1, 5, 3, 1, 2, 3, 1])
COL = torch.tensor([3, 0, 1, 0, 3, 2, 1, 1])


@pytest.fixture(params=["sparse", "gather"], autouse=True)
def way(request, monkeypatch):
    """By sparse products, or as on a device that has none: gathered, in several blocks."""
    if request.param == "gather":
        monkeypatch.setattr(edge_attention, "has_sparse_products", lambda device: False)
        monkeypatch.setattr(edge_attention, "BLOCK", 1)
    elif not has_sparse_products(torch.device("cpu")):
        pytest.skip("torch multiplies no sparse matrices on this processor")


def formula(logits, values, row, col, rows):
    """logits (E, heads) and values (columns, heads, d), entry by entry -> (rows, heads, d)."""
    out = np.zeros((rows, *values.shape[1:]))
    for i in range(rows):
        entries = [e for e in range(len(row)) if row[e] == i]
        for head in range(logits.shape[1]):
            total = sum(np.exp(logits[e, head]) for e in entries)
            for e in entries:
                out[i, head] += np.exp(logits[e, head]) / total * values[col[e], head]
    return out


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_entries_are_sorted_by_row_and_column_and_their_old_places_known():
    pattern, order = RowPattern.of(ROW, COL, ROWS, COLUMNS)
    assert pattern.row.tolist() == [1, 1, 1, 2, 3, 3, 3, 5]
    assert pattern.col.tolist() == [0, 1, 3, 2, 0, 1, 3, 1]
    assert pattern.rowptr.tolist() == [0, 0, 3, 4, 7, 7, 8]
    assert torch.equal(ROW[order], pattern.row)
    assert torch.equal(COL[order], pattern.col)


def test_both_matrices_hold_the_values_at_their_entries():
    pattern, order = RowPattern.of(ROW, COL, ROWS, COLUMNS)
    values = drawn(len(ROW))
    dense = np.zeros((ROWS, COLUMNS))
    for r, c, v in zip(ROW.tolist(), COL.tolist(), values.tolist(), strict=True):
        dense[r, c] = v
    assert pattern.matrix(values[order]).to_dense().numpy() == pytest.approx(dense)
    assert pattern.transposed_matrix(values[order]).to_dense().numpy() == pytest.approx(dense.T)


@st.composite
def patterns(draw):
    """Rows, columns, and entries that each stand once."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    places = draw(st.lists(st.integers(0, rows * columns - 1), unique=True, max_size=12))
    row, col = np.divmod(np.array(places, dtype=np.int64), columns)
    return rows, columns, row, col


@given(pattern=patterns(), heads=st.integers(1, 3), width=st.integers(1, 4), seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_attention_equals_the_formula(pattern, heads, width, seed):
    rows, columns, row, col = pattern
    logits, values = 3 * drawn(len(row), heads, seed=seed), drawn(columns, heads, width, seed=seed + 1)
    made, order = RowPattern.of(torch.from_numpy(row), torch.from_numpy(col), rows, columns)
    found = attend(logits[order], values, made)
    assert found.shape == (rows, heads, width)
    expected = formula(logits.numpy(), values.numpy(), row, col, rows)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_an_entry_that_stands_twice_counts_twice():
    row, col = torch.tensor([0, 0, 0]), torch.tensor([1, 1, 0])
    pattern, _ = RowPattern.of(row, col, 1, 2)
    values = torch.tensor([[[3.0]], [[6.0]]])
    assert attend(torch.zeros(3, 1), values, pattern).item() == pytest.approx((3 + 6 + 6) / 3)


@pytest.mark.parametrize("heads", [1, 3])
def test_gradients_are_right_by_finite_differences(heads):
    """With rows of no entry, of one and of three."""
    pattern, _ = RowPattern.of(ROW, COL, ROWS, COLUMNS)
    logits, values = drawn(len(ROW), heads).requires_grad_(), drawn(COLUMNS, heads, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, v: attend(a, v, pattern), (logits, values))
    assert torch.autograd.gradcheck(lambda a: attend(a, values.detach(), pattern), (logits,))
    assert torch.autograd.gradcheck(lambda v: attend(logits.detach(), v, pattern), (values,))


def test_a_pattern_without_entries_gives_zeros():
    none = torch.zeros(0, dtype=torch.long)
    pattern, _ = RowPattern.of(none, none, ROWS, COLUMNS)
    logits, values = torch.zeros(0, 2, requires_grad=True), torch.ones(COLUMNS, 2, 3, requires_grad=True)
    out = attend(logits, values, pattern)
    out.sum().backward()
    assert out.shape == (ROWS, 2, 3)
    assert not out.any()
    assert not values.grad.any()


def test_a_softmax_sums_to_one_in_every_row_and_sees_no_shift_of_a_row():
    pattern, _ = RowPattern.of(ROW, COL, ROWS, COLUMNS)
    logits = drawn(len(ROW), 2)
    weight = row_softmax(logits, pattern)
    total = torch.zeros(ROWS, 2, dtype=torch.float64).index_add(0, pattern.row, weight)
    torch.testing.assert_close(total, (pattern.rowptr.diff() > 0)[:, None].expand(-1, 2).double())
    moved = row_softmax(logits + drawn(ROWS, 2, seed=2)[pattern.row], pattern)
    torch.testing.assert_close(moved, weight)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_logits_of_any_size_are_finite(size):
    pattern, _ = RowPattern.of(ROW, COL, ROWS, COLUMNS)
    logits = (size + drawn(len(ROW), 2).float()).requires_grad_()
    out = attend(logits, drawn(COLUMNS, 2, 3, seed=1).float(), pattern)
    out.square().sum().backward()
    assert out.isfinite().all()
    assert logits.grad.isfinite().all()


def test_dropout_falls_on_the_attention_and_keeps_its_mean():
    pattern, _ = RowPattern.of(torch.zeros(4, dtype=torch.long), torch.arange(4), 1, 4)
    values = torch.eye(4)[:, None]  # so that the output is the attention
    torch.manual_seed(0)
    draws = torch.stack([attend(torch.zeros(4, 1), values, pattern, 0.5).view(-1) for _ in range(2000)])
    assert set(draws.unique().tolist()) == {0.0, 0.5}  # a quarter each, doubled where it is kept
    assert draws.mean(0).tolist() == pytest.approx([0.25] * 4, abs=0.03)  # five standard errors
    assert torch.equal(attend(torch.zeros(4, 1), values, pattern), torch.full((1, 1, 4), 0.25))


def test_no_vector_is_made_for_every_entry():
    nodes, heads, width = 50, 2, 64
    row, col = torch.cartesian_prod(torch.arange(nodes), torch.arange(nodes)).T
    pattern, _ = RowPattern.of(row, col, nodes, nodes)
    logits, values = torch.zeros(nodes**2, heads, requires_grad=True), torch.ones(nodes, heads, width).requires_grad_()
    sizes = Sizes()
    with sizes:
        attend(logits, values, pattern).sum().backward()
    assert max(sizes.seen) <= heads * max(nodes**2, 64 * width)  # 64 rows are the smallest block


class Sizes(TorchDispatchMode):
    """Notes how many numbers every dense tensor has that an operation returns."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        self.seen += [tensor.numel() for tensor in (out if isinstance(out, tuple | list) else [out])
                      if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided]  # fmt: skip
        return out


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_autocast_leaves_float32_as_it_is(half):
    pattern, _ = RowPattern.of(ROW, COL, ROWS, COLUMNS)
    logits, values = drawn(len(ROW), 2).float(), drawn(COLUMNS, 2, 3, seed=1).float()
    expected = attend(logits, values, pattern)
    with torch.autocast("cpu", dtype=half):
        found = attend(logits, values, pattern)
    assert torch.equal(found, expected)
