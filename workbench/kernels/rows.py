"""Rows of length one."""

from __future__ import annotations

from torch import Tensor

from workbench.kernels.precision import at_least_single


def rows_and_lengths(features: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of length one (n, d) and the lengths (n, 1) they had, for kernels that take their gradient themselves.

    A row of zeros stays zero and counts as of length one.
    """
    length = features.square().sum(1, keepdim=True).sqrt_()
    length.masked_fill_(length == 0, 1)
    return features / length, length


def unit_rows(features: Tensor) -> Tensor:
    """Rows of ``features`` (n, d) scaled to length one; a row of zeros stays zero, with a finite gradient.

    In float32 at least.
    """
    features = at_least_single(features)
    square = features.square().sum(1, keepdim=True)  # (n, 1); torch's norm loses digits on long rows
    return features / square.masked_fill(square == 0, 1).sqrt()
