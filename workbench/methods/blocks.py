"""Sums over all pairs of nodes without an n × n matrix: row blocks, computed again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.utils.checkpoint import checkpoint

ENTRIES = 2**20  # numbers in one block: 8 MB in float64, which stays in the cache and needs no fresh pages


def sum_over_row_blocks(term: Callable[..., Tensor], rows: int, *tensors: Tensor) -> Tensor:
    """Σ ``term(start, stop, *tensors)`` over blocks ``start:stop`` of ``rows``, each block × rows in size.

    One block where everything fits. Otherwise only ``tensors`` are kept for the backward pass, which
    computes each block a second time: memory grows as rows × block, not as rows².
    """
    height = max(1, ENTRIES // rows)
    if height >= rows:
        return term(0, rows, *tensors)
    total = tensors[0].new_zeros(())
    for start in range(0, rows, height):
        stop = min(start + height, rows)
        # term draws no random numbers, so their state need not be stored per block
        total = total + checkpoint(term, start, stop, *tensors, use_reentrant=False, preserve_rng_state=False)
    return total
