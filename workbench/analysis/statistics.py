"""Numbers over seeds: mean, sample standard deviation, and a paired test against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Summary:
    """``mean`` and sample standard deviation ``std`` (n − 1 in the denominator; None for one value) of ``n`` values."""

    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class Paired:
    """A comparison seed by seed: mean ``difference``, two-sided p-value of the paired t-test, and ``n`` pairs.

    ``interval`` holds the mean difference with 95 % confidence. It and ``p`` are None for fewer than two
    pairs; ``p`` is 1 where every pair is equal.
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
    """Paired t-test of ``values`` against ``baseline``, the same seeds in the same order.

    Raises ValueError for sequences of different lengths or without a value.
    """
    if len(values) != len(baseline) or len(values) == 0:
        raise ValueError(f"a paired test needs the same seeds on both sides (got {len(values)} and {len(baseline)})")
    difference = np.asarray(values, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    mean, n = float(difference.mean()), len(difference)
    if n < 2:
        return Paired(mean, None, n)
    if np.ptp(difference) == 0:
        return Paired(mean, 1.0 if mean == 0 else 0.0, n, (mean, mean))
    from scipy import stats  # slow to import, and rarely needed

    test = stats.ttest_1samp(difference, 0.0)
    low, high = test.confidence_interval(0.95)
    return Paired(mean, float(test.pvalue), n, (float(low), float(high)))
