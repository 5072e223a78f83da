"""Rows of length one."""

from __future__ import annotations

from torch import Tensor

from workbench.kernels.precision import at_least_single


def unit_rows(features: Tensor) -> Tensor:
    """Rows of ``features`` (n, d) scaled to length one; a row of zeros stays zero, with a finite gradient.

    In float32 at least.
    """
    features = at_least_single(features)
    square = features.square().sum(1, keepdim=True)  # (n, 1); torch's norm loses digits on long rows
    return features / square.masked_fill(square == 0, 1).sqrt()
