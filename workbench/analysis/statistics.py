"""Numbers over seeds: mean, sample standard deviation, and a paired test against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROUNDING = 1e-6  # relative to the values: some float32 steps, and far below one node of a test set


@dataclass(frozen=True)
class Summary:
    """``mean`` and sample standard deviation ``std`` (n − 1 in the denominator; None for one value) of ``n`` values."""

    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class Paired:
    """A comparison seed by seed: mean ``difference``, two-sided p-value of the paired t-test, and ``n`` pairs.

    ``interval`` holds the mean difference with 95 % confidence. It and ``p`` are None where no test can be
    made: for fewer than two pairs, and where all pairs differ by the same amount, which leaves no spread to
    hold the difference against. ``p`` is 1 where every pair is equal.
    """

    difference: float
    p: float | None
    n: int
    interval: tuple[float, float] | None = None


def summarise(values: Sequence[float]) -> Summary:
    """Raises ValueError for no value at all."""
    if len(values) == 0:
        raise ValueError("no values to summarise")
    array = np.asarray(values, dtype=np.float64)
    return Summary(float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None, len(array))


def paired_test(values: Sequence[float], baseline: Sequence[float]) -> Paired:
    """Paired t-test of ``values`` against ``baseline``, the same seeds in the same order, in float64.

    A spread of the differences that rounding in float32 could have made counts as none.
    Raises ValueError for sequences of different lengths or without a value.
    """
    if len(values) != len(baseline) or len(values) == 0:
        raise ValueError(f"a paired test needs the same seeds on both sides (got {len(values)} and {len(baseline)})")
    left, right = np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    difference = left - right
    mean, n = float(difference.mean()), len(difference)
    if n < 2:
        return Paired(mean, None, n)
    rounding = ROUNDING * max(float(np.abs(left).max()), float(np.abs(right).max()))
    if np.ptp(difference) <= rounding:
        return Paired(mean, None, n) if abs(mean) > rounding else Paired(0.0, 1.0, n, (0.0, 0.0))
    from scipy import stats  # slow to import, and rarely needed

    test = stats.ttest_1samp(difference, 0.0)
    low, high = test.confidence_interval(0.95)
    return Paired(mean, float(test.pvalue), n, (float(low), float(high)))
