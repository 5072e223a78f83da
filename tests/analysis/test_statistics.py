from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.analysis.statistics import paired_test, summarise


def test_the_summary_is_the_textbook_one() -> None:
    found = summarise([1.0, 2.0, 4.0])
    assert found.mean == pytest.approx(7 / 3)
    assert found.std == pytest.approx(math.sqrt(((4 / 3) ** 2 + (1 / 3) ** 2 + (5 / 3) ** 2) / 2))
    assert summarise([3.0]).std is None


def test_the_paired_test_agrees_with_arithmetic() -> None:
    # differences 1, 2, 3: mean 2, standard error 1/√3, t = 2√3 with 2 degrees of freedom,
    # for which the two-sided p-value is 1 − t / √(t² + 2).
    found = paired_test([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    t = 2 * math.sqrt(3)
    assert found.difference == 2.0
    assert found.p == pytest.approx(1 - t / math.sqrt(t * t + 2))
    # With 2 degrees of freedom the 97.5 % quantile is 0.95 √(2 / (1 − 0.95²)), some 4.303 standard errors.
    reach = 0.95 * math.sqrt(2 / (1 - 0.95**2)) / math.sqrt(3)
    assert found.interval == pytest.approx((2 - reach, 2 + reach))


def test_equal_pairs_show_nothing_and_one_pair_tests_nothing() -> None:
    assert paired_test([1.0, 2.0], [1.0, 2.0]).p == 1.0
    assert paired_test([1.0, 2.0], [1.0, 2.0]).interval == (0.0, 0.0)
    assert paired_test([1.0], [0.5]).p is None
    assert paired_test([1.0], [0.5]).interval is None


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_same_difference_of_every_pair_leaves_nothing_to_test(kind: type) -> None:
    values = np.array([0.815, 0.702, 0.661], dtype=kind)
    found = paired_test(values, values - kind(0.013))
    assert found.difference == pytest.approx(0.013, abs=1e-6)
    assert (found.p, found.interval, found.n) == (None, None, 3)
    percent = paired_test(100 * values, 100 * (values - kind(0.013)))
    assert percent.p is None, "percent points are the same values"


def test_equal_up_to_rounding_in_float32_is_equal() -> None:
    values = np.array([0.1, 0.7], dtype=np.float32)
    found = paired_test(values.astype(np.float64), [0.1, 0.7])  # float32(0.1) and float32(0.7) are off by some 1e-8
    assert (found.p, found.interval) == (1.0, (0.0, 0.0))


def test_one_test_node_of_many_is_a_spread() -> None:
    found = paired_test([0.80001, 0.7], [0.79, 0.69])  # differences of 0.01001 and 0.01: t = 2001 with 1 degree
    assert found.p == pytest.approx(1 - 2 / math.pi * math.atan(2001), rel=1e-6)


def test_seeds_must_match() -> None:
    with pytest.raises(ValueError, match="same seeds"):
        paired_test([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no values"):
        summarise([])
