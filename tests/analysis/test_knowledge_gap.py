"""Divergence of predictions, bins of nodes, the four cases in every bin, and the difference of two confusions."""

import numpy as np
import pytest
from scipy import special, stats

from workbench.analysis.agreement import agreement
from workbench.analysis.knowledge_gap import confusion, divergence, in_cell, log_softmax, slices, wilson_interval
from workbench.analysis.node_bins import Bins, category_bins, degree_bins, distance_bins, homophily_bins
from workbench.errors import UsageError


def names_of(bins):
    return [bins.labels[at] if at >= 0 else None for at in bins.index]


def test_divergence_is_the_relative_entropy_of_both_predictions():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 40, 5)) * 3
    p, q = special.softmax(left, axis=1), special.softmax(right, axis=1)
    np.testing.assert_allclose(divergence(left, right), stats.entropy(p, q, axis=1), rtol=1e-10)


def test_divergence_of_one_coin_from_another_in_nats():
    left, right = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])
    assert divergence(left, right) == pytest.approx([0.5 * np.log(2) + 0.5 * np.log(2 / 3)])


def test_equal_predictions_diverge_by_nothing_whatever_the_level_of_their_logits():
    logits = np.random.default_rng(1).normal(size=(20, 4))
    assert divergence(logits, logits + 7).tolist() == pytest.approx([0] * 20, abs=1e-14)
    assert (divergence(logits, logits + 7) >= 0).all()


def test_large_logits_do_not_overflow():
    assert divergence([[1000.0, 0.0]], [[0.0, 1000.0]]) == pytest.approx([1000.0])
    assert log_softmax([[1000.0, 0.0]]).tolist() == [[0.0, -1000.0]]


def test_predictions_of_other_classes_are_refused():
    with pytest.raises(UsageError, match="cannot be compared"):
        divergence(np.zeros((3, 2)), np.zeros((3, 4)))


def test_degrees_are_binned_by_powers_of_two():
    degrees = [0, 1, 2, 3, 4, 7, 8, 15, 512, 1023, 1024, 50_000]
    bins = degree_bins(degrees)
    wanted = ["0", "1", "2–3", "2–3", "4–7", "4–7", "8–15", "8–15", "512–1,023", "512–1,023"]
    assert names_of(bins) == [*wanted, "1,024 or more", "1,024 or more"]


def test_the_lower_end_of_a_fifth_belongs_to_it():
    shares = [0, 1 / 6, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 6 / 7, 1, np.nan]
    wanted = ["below 20 %", "below 20 %", "20–40 %", "40–60 %", "60–80 %", "80–100 %", "80–100 %", "80–100 %"]
    assert names_of(homophily_bins(shares)) == [*wanted, "no neighbours"]


@pytest.mark.parametrize("count", [5, 10, 15, 35, 55, 105])
def test_shares_of_any_number_of_neighbours_fall_into_the_right_fifth(count):
    like = np.arange(count + 1)
    fifths = np.minimum(5 * like // count, 4)  # in whole numbers
    assert homophily_bins(like / count).index.tolist() == fifths.tolist()


def test_distances_of_three_and_more_are_one_bin():
    wanted = ["0 (training)", "1", "2", "3 or more", "3 or more", "unreachable"]
    assert names_of(distance_bins([0, 1, 2, 3, 9, -1])) == wanted


def test_only_categories_that_occur_have_a_bin():
    assert names_of(category_bins([2, 0, 2, -1], ["a", "b", "c"])) == ["c", "a", "c", None]
    assert category_bins([2, 0, 2, -1], ["a", "b", "c"]).labels == ("a", "c")


def test_of_too_many_categories_the_rarest_share_a_bin():
    bins = category_bins([0, 1, 1, 2, 3, 3, 3, -1], list("abcd"), most=3)
    assert names_of(bins) == ["2 others", "b", "b", "2 others", "d", "d", "d", None]


def test_slices_count_every_case_in_every_bin_that_holds_a_node():
    rng = np.random.default_rng(2)
    index, cases, chosen = rng.integers(-1, 4, 200), rng.integers(-1, 4, 200), rng.random(200) < 0.5
    index[index == 2] = 3  # nobody is in the third bin
    found = slices(Bins(("a", "b", "c", "d"), index), cases, chosen)
    assert (found.labels, found.bins.tolist()) == (("a", "b", "d"), [0, 1, 3])
    for bin, counts in zip(found.bins, found.counts, strict=True):
        own = [case for case, at, in_it in zip(cases, index, chosen, strict=True) if in_it and at == bin]
        assert counts.tolist() == [own.count(case) for case in range(4)]


def test_a_model_is_right_where_both_are_or_it_alone():
    labels = np.array([0, 0, 0, 0, 1])
    left, right = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 0])
    found = slices(Bins(("all",), np.zeros(5, dtype=int)), agreement(left, right, labels), np.ones(5, dtype=bool))
    assert found.right.tolist() == [[(left == labels).sum(), (right == labels).sum()]]
    assert found.total.tolist() == [5]


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (3, 7), (50, 100), (100, 100), (1, 1)])
def test_the_interval_of_a_share_is_wilsons(successes, trials):
    low, high = wilson_interval(successes, trials)
    wanted = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_no_trial_has_no_interval():
    assert np.isnan(wilson_interval(0, 0)).all()


def test_a_confusion_counts_true_against_predicted_classes():
    assert confusion([0, 0, 2], [0, 1, 1], 3).tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]


def test_the_nodes_of_a_cell_make_up_its_difference():
    rng = np.random.default_rng(3)
    labels, left, right = rng.integers(4, size=(3, 300))
    difference = confusion(labels, right, 4) - confusion(labels, left, 4)
    for true in range(4):
        for predicted in range(4):
            own = in_cell(labels, left, right, true, predicted)
            assert set(labels[own]) <= {true}
            gained, lost = (right[own] == predicted).sum(), (left[own] == predicted).sum()
            assert gained - lost == difference[true, predicted]
            assert gained + lost == own.sum()  # nobody in the list is there for nothing
