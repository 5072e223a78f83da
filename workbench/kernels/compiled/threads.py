"""Compile a sweep over rows, and let torch's number of threads share it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

# Sums may be taken in another order, so that they use vector instructions; NaN and infinity keep their meaning.
ARITHMETIC = {"reassoc", "contract", "nsz", "arcp"}


def compiled(sweep: Callable[..., Any]) -> Callable[..., Any]:
    """``sweep`` as machine code that lets other threads run; kept on disk where a folder for it can be written."""
    try:
        return numba.njit(nogil=True, fastmath=ARITHMETIC, cache=True)(sweep)
    except RuntimeError:  # numba found no place for its cache
        return numba.njit(nogil=True, fastmath=ARITHMETIC)(sweep)


def by_rows(rowptr: Tensor, sweep: Callable[..., Any], *arguments: Any) -> None:
    """``sweep(start, stop, *arguments)`` over all rows, cut so that every thread has as many edges."""
    rows, threads = rowptr.numel() - 1, torch.get_num_threads()
    shares = np.linspace(0, int(rowptr[-1]), threads + 1)[1:-1]
    cuts = [0, *np.searchsorted(rowptr.numpy(), shares).tolist(), rows]
    with ThreadPoolExecutor(threads) as pool:
        for work in [pool.submit(sweep, cuts[k], cuts[k + 1], *arguments) for k in range(threads)]:
            work.result()
