"""How far apart two feature matrices are, row by row, in one sweep that also takes both gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.blocks import row_blocks
from workbench.kernels.precision import accurate_zero, at_least_single, without_autocast
from workbench.kernels.rows import rows_and_lengths

ENTRIES = 2**18  # numbers in one block, of which half a dozen stay in the cache


def unit_row_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Σ_i of :math:`\|\hat s_i - \hat t_i\|^2` over rows scaled to length one.

    Shapes: student and teacher (n, d) -> float64 scalar (float32 where a device has no float64). Only the gradients are
    kept for the backward pass; a row of zeros stays zero and gets the gradient of a row of length one.
    """
    return _UnitRowDistance.apply(at_least_single(student), at_least_single(teacher))  # type: ignore[no-untyped-call]


class _UnitRowDistance(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, student: Tensor, teacher: Tensor) -> Tensor:
        sides = student, teacher
        found = [
            torch.empty_like(side) if wanted else None
            for side, wanted in zip(sides, ctx.needs_input_grad[:2], strict=True)
        ]
        total = accurate_zero(student)
        for rows in row_blocks(student.shape[0], student.shape[1], ENTRIES):
            units, lengths = zip(*(rows_and_lengths(side[rows]) for side in sides), strict=True)  # (b, d), (b, 1)
            gap = units[0] - units[1]
            total += gap.square().sum()
            for side, sign in ((0, 2), (1, -2)):
                into = found[side]
                if into is not None:
                    # The length of a row does not change where it points: what lies along it is taken out.
                    along = (gap * units[side]).sum(1, keepdim=True)
                    torch.addcmul(gap, units[side], along, value=-1, out=into[rows])
                    into[rows].mul_(sign / lengths[side])
        ctx.save_for_backward(*found)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return tuple(None if found is None else gradient.to(found.dtype) * found for found in ctx.saved_tensors)
