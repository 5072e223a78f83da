"""Cutting time into slices: by the calendar, into equal numbers of events, and at given boundaries."""

import numpy as np
import pytest

from workbench.datasets.slices import (
    DAY,
    boundary_slices,
    calendar_slices,
    column_boundaries,
    equal_count_slices,
    moment,
    sliced,
)
from workbench.errors import UsageError


def times(*values):
    return np.array(values, dtype=np.float64)


def drawn(seed, different, count=200):
    return np.random.RandomState(seed).randint(0, different, count).astype(np.float64)


def test_calendar_slices_count_from_the_first_event():
    index, edges = calendar_slices(times(107, 100, 110, 135), width=10)
    assert index.tolist() == [0, 0, 1, 3]  # nothing happens in slice 2
    assert edges.tolist() == [100, 110, 120, 130, 140]


def test_an_event_at_a_boundary_belongs_to_the_slice_that_begins_there():
    index, edges = calendar_slices(times(0, 10, 20), width=10)
    assert index.tolist() == [0, 1, 2]
    assert edges.tolist() == [0, 10, 20, 30]


@pytest.mark.parametrize("width", [0.0, -1.0, np.nan, np.inf])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(UsageError, match="expected a number above zero"):
        calendar_slices(times(0, 1), width)


@pytest.mark.parametrize("last", [1e9, 1.7e308])
def test_far_too_many_slices_are_refused(last):
    with pytest.raises(UsageError, match="at most 10,000 are made; widen the slices"):
        calendar_slices(times(-last, last), width=1)


def test_equal_counts_without_equal_times():
    index, edges = equal_count_slices(times(5, 1, 4, 0, 3, 2), snapshots=3)
    assert index.tolist() == [2, 0, 2, 0, 1, 1]
    assert edges.tolist() == [0, 2, 4, 5]  # the end is the last event


def test_a_cut_among_equal_times_moves_to_the_nearer_end_of_their_run():
    assert equal_count_slices(times(0, 1, 1, 1, 2, 3), snapshots=2)[0].tolist() == [0, 0, 0, 0, 1, 1]
    assert equal_count_slices(times(0, 1, 2, 2, 2, 3), snapshots=2)[0].tolist() == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("snapshots", [1, 2, 7])
def test_equal_times_are_never_torn_apart_and_no_slice_is_empty(seed, snapshots):
    time = drawn(seed, different=60)
    index, edges = equal_count_slices(time, snapshots)
    for value in np.unique(time):
        assert len(np.unique(index[time == value])) == 1
    counts = np.bincount(index, minlength=snapshots)
    assert len(counts) == snapshots
    assert counts.min() > 0
    longest = np.unique(time, return_counts=True)[1].max()
    assert abs(counts - len(time) / snapshots).max() <= longest + 1  # a cut moves by half a run at most
    assert (np.argsort(time, kind="stable") == np.lexsort((time, index))).all()  # slices follow one another in time
    assert (np.diff(edges) > 0).all()


def test_more_slices_than_times_are_refused():
    with pytest.raises(UsageError, match=r"the 5 events have 2 different times.*ask for fewer snapshots"):
        equal_count_slices(times(0, 0, 0, 1, 1), snapshots=3)


@pytest.mark.parametrize("seed", range(5))
def test_given_boundaries_are_the_bins_of_a_histogram(seed):
    time, edges = drawn(seed, different=50), [5.0, 10.0, 11.0, 40.0]
    index, kept = boundary_slices(time, edges)
    assert kept.tolist() == edges
    assert np.bincount(index[index >= 0], minlength=3).tolist() == np.histogram(time, edges)[0].tolist()
    assert ((index == -1) == ((time < 5) | (time > 40))).all()


@pytest.mark.parametrize("edges", [[0.0], [3.0, 1.0], [0.0, np.nan], [[0.0, 1.0]]])
def test_boundaries_that_are_none_are_refused(edges):
    with pytest.raises(UsageError, match="the start of every slice, and the end of the last one"):
        boundary_slices(times(0, 1), edges)


@pytest.mark.parametrize(
    ("slicing", "message"), [("boundaries", "needs boundaries"), ("weekly", "unknown slicing 'weekly'")]
)
def test_a_way_of_slicing_is_named_and_complete(slicing, message):
    with pytest.raises(UsageError, match=message):
        sliced(times(0, 1), slicing, width=1, snapshots=2, boundaries=None)


@pytest.mark.parametrize("seed", range(5))
def test_boundaries_of_given_slices_cut_them_again(seed):
    time = np.unique(drawn(seed, different=500))
    index = boundary_slices(time, [0, 100, 130, 130.5, 400, 500])[0]  # 130 to 130.5 is one event, or none
    edges = column_boundaries(index, time, count=5)
    assert edges is not None
    assert boundary_slices(time, edges)[0].tolist() == index.tolist()


def test_slices_that_contradict_the_times_have_no_boundaries():
    assert column_boundaries(np.array([0, 0, 1]), times(1, 9, 5), count=2) is None


def test_a_moment_is_shown_in_utc_where_it_is_one():
    assert moment(1135313387) == "2005-12-23 04:49"
    assert moment(90 * DAY) == "1970-04-01 00:00"
    assert moment(1e300) == "1e+300"
