"""Rows of length one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.blocks import row_blocks
from workbench.kernels.precision import at_least_single, without_autocast

ENTRIES = 2**18  # numbers in one block of the backward pass, which takes three such blocks


def rows_and_lengths(features: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of length one (n, d) and the lengths (n, 1) they had, for kernels that take their gradient themselves.

    A row of zeros stays zero and counts as of length one.
    """
    length = features.square().sum(1, keepdim=True).sqrt_()  # torch's norm loses digits on long rows
    length.masked_fill_(length == 0, 1)
    return features / length, length


def unit_rows(features: Tensor) -> Tensor:
    """Rows of ``features`` (n, d) scaled to length one; a row of zeros stays zero, with a finite gradient.

    In float32 at least. Only the features themselves and their lengths are kept for the backward pass.
    """
    return _UnitRows.apply(at_least_single(features))  # type: ignore[no-untyped-call]


class _UnitRows(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, features: Tensor) -> Tensor:
        units, lengths = rows_and_lengths(features)
        ctx.save_for_backward(features, lengths)
        return units

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        features, lengths = ctx.saved_tensors
        found = torch.empty_like(features)
        for rows in row_blocks(features.shape[0], features.shape[1], ENTRIES):
            x, length, g = features[rows], lengths[rows], gradient[rows]
            # The length of a row does not change where it points: what lies along it is taken out.
            along = (-g * (x / length / length)).sum(1, keepdim=True) / (2 * length)
            torch.div(g, length, out=found[rows])
            found[rows] += along * (2 * x)
        return found
