"""Products with a constant sparse matrix whose backward pass converts nothing: its transpose is made in advance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from workbench.kernels.csr import EdgePattern, csr_matrix, row_pointer
from workbench.kernels.precision import without_autocast


class SparseOperator:
    """A sparse CSR ``matrix`` (N, M) and what makes its transpose (M, N), once, when a gradient needs it."""

    def __init__(self, matrix: Tensor, transpose: Callable[[], Tensor]) -> None:
        self.matrix = matrix
        self._transpose = transpose

    @classmethod
    def of_edges(cls, pattern: EdgePattern, values: Tensor) -> SparseOperator:
        """The adjacency (N, N) with ``values`` (E,) at the pattern's edges; edges that stand twice add up.

        Where it is symmetric, in values too, it is its own transpose.
        """
        matrix = short_csr(pattern.rowptr, pattern.col, values, pattern.num_nodes)
        if pattern.symmetric and torch.equal(values, values[pattern.transposed]):
            return cls(matrix, lambda: matrix)
        # Made now, so that the pattern need not stay.
        transposed = short_csr(*pattern.transposed_pointers(), values[pattern.transposed], pattern.num_nodes)
        return cls(matrix, lambda: transposed)

    @cached_property
    def transposed(self) -> Tensor:
        return self._transpose()

    @property
    def reverse(self) -> SparseOperator:
        """The transpose as an operator."""
        return SparseOperator(self.transposed, lambda: self.matrix)


@dataclass(frozen=True)
class Transposition:
    """Where the entries of a sparse CSR matrix (N, M) stand in its transpose, whatever their values are."""

    rowptr: Tensor  # (M + 1,)
    col: Tensor  # (entries,)
    order: Tensor  # (entries,), places in the matrix

    @classmethod
    def of(cls, matrix: Tensor) -> Transposition:
        """Costs a sort of the entries."""
        rows, columns = matrix.shape
        row = torch.arange(rows, device=matrix.device).repeat_interleave(matrix.crow_indices().diff())  # (entries,)
        col, order = matrix.col_indices().sort(stable=True)
        index = matrix.col_indices().dtype
        return cls(row_pointer(col, columns).to(index), row[order].to(index), order)

    def operator(self, matrix: Tensor) -> SparseOperator:
        """Of a ``matrix`` whose entries stand where they stood in that of :meth:`of`."""
        shape = (matrix.shape[1], matrix.shape[0])

        def transpose() -> Tensor:
            values = matrix.values().index_select(0, self.order)
            return torch.sparse_csr_tensor(self.rowptr, self.col, values, shape, check_invariants=False)

        return SparseOperator(matrix, transpose)


def short_csr(rowptr: Tensor, col: Tensor, values: Tensor, num_columns: int) -> Tensor:
    """Sparse CSR (rows, num_columns) with indices of 32 bits where they suffice.

    They are what MKL, which multiplies on the CPU, reads: longer ones are converted in every product.
    """
    if max(col.numel(), num_columns) <= torch.iinfo(torch.int32).max:
        rowptr, col = rowptr.int(), col.int()
    return csr_matrix(rowptr, col, values, num_columns)


def propagate(operator: SparseOperator, x: Tensor, bias: Tensor | None = None) -> Tensor:
    """The matrix (N, M) times x (M, d), plus a bias (d,) -> (N, d), float32 or float64 on the CPU.

    Gradients of any order reach ``x`` and ``bias``, and never the matrix. Raises RuntimeError in the backward pass
    when the matrix's values were changed in place after the product was taken.
    """
    return _Product.apply(x, bias, operator)  # type: ignore[no-untyped-call]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, bias: Tensor | None, operator: SparseOperator) -> Tensor:
        # Where there is no bias, a zero: `matrix @ x` would fill the result with zeros first, twice.
        return torch.addmm(x.new_zeros(1) if bias is None else bias, operator.matrix, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor | None, SparseOperator], output: Tensor) -> None:
        ctx.operator = inputs[2]
        if ctx.needs_input_grad[0]:  # saved for torch to check that they are still what they were
            ctx.save_for_backward(inputs[2].matrix.values())

    @staticmethod
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        of_x, of_bias, _ = ctx.needs_input_grad
        _ = ctx.saved_tensors  # raises where the values changed
        return (
            propagate(ctx.operator.reverse, gradient) if of_x else None,
            gradient.sum(dim=0) if of_bias else None,
            None,
        )
