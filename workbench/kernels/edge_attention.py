"""Attention over the edges of a sparse pattern: a softmax in every row, and the weighted sum of what it looks at."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from workbench.kernels.blocks import row_blocks
from workbench.kernels.csr import csr_matrix, row_pointer
from workbench.kernels.edge_numbers import BLOCK, has_sparse_products
from workbench.kernels.precision import without_autocast


class RowPattern(NamedTuple):
    """Entries of a sparse matrix (R, M), sorted by row and then by column, and of its transpose.

    ``rowptr`` (R + 1,), ``col`` and ``row`` (E,); ``transposed`` (E,) the entries in the order of their columns and
    then rows, ``colptr`` (M + 1,) where the entries of every column begin there.
    """

    rowptr: Tensor
    col: Tensor
    row: Tensor
    transposed: Tensor
    colptr: Tensor

    @classmethod
    def of(cls, row: Tensor, col: Tensor, rows: int, columns: int) -> tuple[RowPattern, Tensor]:
        """The pattern of entries (E,) in any order, and where in that order each of them stood (E,)."""
        order = (row * columns + col).argsort(stable=True)
        row, col = row[order], col[order]
        transposed = col.argsort(stable=True)
        return cls(row_pointer(row, rows), col, row, transposed, row_pointer(col, columns)), order

    def matrix(self, values: Tensor) -> Tensor:
        """Sparse CSR (R, M) with ``values`` (E,)."""
        return csr_matrix(self.rowptr, self.col, values, self.colptr.numel() - 1)

    def transposed_matrix(self, values: Tensor) -> Tensor:
        """The transpose of :meth:`matrix`, without a conversion."""
        order = self.transposed
        return csr_matrix(self.colptr, self.row[order], values[order], self.rowptr.numel() - 1)


def attend(logits: Tensor, values: Tensor, pattern: RowPattern, dropout: float = 0.0) -> Tensor:
    r"""Σ_j of :math:`\mathrm{softmax}_j(\text{logits}_{ij})\, v_j` for every row i, in every head.

    Shapes: logits (E, heads) in the order of the pattern, values (M, heads, d) -> (R, heads, d); a row without entries
    gives zeros. ``dropout`` falls on the attention. No vector per entry is made; where torch multiplies no sparse
    matrices, they are gathered in blocks.
    """
    weight = F.dropout(row_softmax(logits, pattern), dropout, dropout > 0)  # (E, heads)
    sums = _WeightedSum.apply(weight.T.contiguous(), values.transpose(0, 1).contiguous(), pattern)  # type: ignore[no-untyped-call]
    return sums.transpose(0, 1)


def row_softmax(logits: Tensor, pattern: RowPattern) -> Tensor:
    """Softmax of logits (E, heads) among the entries of each row."""
    empty = logits.new_zeros(pattern.rowptr.numel() - 1, logits.shape[1])  # (R, heads)
    index = pattern.row[:, None].expand_as(logits)
    largest = empty.scatter_reduce(0, index, logits.detach(), "amax", include_self=False)
    share = (logits - largest[pattern.row]).exp()  # (E, heads)
    return share / empty.index_add(0, pattern.row, share)[pattern.row]


class _WeightedSum(torch.autograd.Function):
    """weight (heads, E) and values (heads, M, d) -> (heads, R, d), one sparse product per head."""

    @staticmethod
    @without_autocast
    def forward(ctx: Any, weight: Tensor, values: Tensor, pattern: RowPattern) -> Tensor:
        ctx.save_for_backward(weight, values)
        ctx.pattern = pattern
        if not has_sparse_products(values.device):
            return _gathered(weight, values, pattern.col, pattern.row, pattern.rowptr.numel() - 1)
        return torch.stack([pattern.matrix(w) @ v for w, v in zip(weight, values, strict=True)])

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        weight, values = ctx.saved_tensors
        pattern: RowPattern = ctx.pattern
        of_weight = of_values = None
        if not has_sparse_products(values.device):
            if ctx.needs_input_grad[0]:
                of_weight = _at_entries(gradient, values, pattern)
            if ctx.needs_input_grad[1]:
                of_values = _gathered(weight, gradient, pattern.row, pattern.col, values.shape[1])
            return of_weight, of_values, None
        if ctx.needs_input_grad[0]:
            zeros = pattern.matrix(torch.zeros_like(weight[0]))
            of_weight = torch.stack(
                [
                    torch.sparse.sampled_addmm(zeros, g, v.T, beta=0.0).values()
                    for g, v in zip(gradient, values, strict=True)
                ]
            )
        if ctx.needs_input_grad[1]:
            of_values = torch.stack([pattern.transposed_matrix(w) @ g for w, g in zip(weight, gradient, strict=True)])
        return of_weight, of_values, None


def _gathered(weight: Tensor, values: Tensor, source: Tensor, target: Tensor, size: int) -> Tensor:
    """Every entry's weight (heads, E) times the values (heads, ·, d) at its source, added up at its target."""
    heads, _, width = values.shape
    sums = values.new_zeros(heads, size, width)
    for part in row_blocks(source.numel(), heads * width, BLOCK):
        sums.index_add_(1, target[part], weight[:, part, None] * values[:, source[part]])
    return sums


def _at_entries(of_rows: Tensor, of_columns: Tensor, pattern: RowPattern) -> Tensor:
    """Inner products (heads, E) of vectors (heads, R, d) and (heads, M, d) at every entry."""
    heads, _, width = of_rows.shape
    found = of_rows.new_empty(heads, pattern.col.numel())
    for part in row_blocks(pattern.col.numel(), heads * width, BLOCK):
        found[:, part] = (of_rows[:, pattern.row[part]] * of_columns[:, pattern.col[part]]).sum(2)
    return found
