"""Cutting time into slices: which slice every event falls into, and where the slices begin.

A slice holds the events from its start up to, and without, the start of the next one; the last slice holds its end
too (as the bins of ``numpy.histogram`` do). Times are numbers, Unix seconds in UTC for real data. Each function
returns the slice (M,) int64 of every event and the boundaries (T+1,) float64: T starts and the end of the last slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError

Slicing = Literal["calendar", "equal-count", "boundaries"]
Slices = tuple[NDArray[np.int64], NDArray[np.float64]]
Floats = NDArray[np.float64]
DAY = 86_400.0  # seconds
MOST_SNAPSHOTS = 10_000


def sliced(time: Floats, slicing: Slicing, width: float, snapshots: int, boundaries: Sequence[float] | None) -> Slices:
    """The slices of ``time`` (M,), M ≥ 1, in one of the three ways; raises UsageError where they cannot be cut."""
    if slicing == "calendar":
        return calendar_slices(time, width)
    if slicing == "equal-count":
        return equal_count_slices(time, snapshots)
    if slicing != "boundaries":
        raise UsageError(f"unknown slicing {slicing!r}: expected 'calendar', 'equal-count' or 'boundaries'")
    if boundaries is None:
        raise UsageError("slicing='boundaries' needs boundaries: the start of every slice, and the end of the last one")
    return boundary_slices(time, boundaries)


def calendar_slices(time: Floats, width: float) -> Slices:
    """Slices of ``width`` seconds, counted from the first event. Nothing need happen in a slice."""
    if not (np.isfinite(width) and width > 0):
        raise UsageError(f"the width of a slice is {width} seconds: expected a number above zero")
    start, end = float(time.min()), float(time.max())
    count = (end - start) // width + 1
    if not count <= MOST_SNAPSHOTS:  # NaN where the times are too far apart to subtract
        raise UsageError(
            f"slices of {width / DAY:g} days from {moment(start)} to {moment(end)} are {count:,.0f} snapshots: "
            f"at most {MOST_SNAPSHOTS:,} are made; widen the slices"
        )
    edges = start + width * np.arange(int(count) + 1, dtype=np.float64)
    return _slice_of(time, edges), edges


def equal_count_slices(time: Floats, snapshots: int) -> Slices:
    """So many slices with as nearly the same number of events as equal times allow.

    Events of the same time are never torn apart: a cut that would fall among them moves to the nearer end of their
    run (to the beginning, where both are equally near). Raises UsageError where that leaves a slice without events.
    """
    if not 1 <= snapshots <= MOST_SNAPSHOTS:
        raise UsageError(f"{snapshots:,} snapshots were asked for: expected 1 to {MOST_SNAPSHOTS:,}")
    ordered = np.sort(time)
    ideal = np.arange(1, snapshots) * len(ordered) / snapshots  # events before each cut
    at = ordered[np.minimum(ideal.astype(np.int64), len(ordered) - 1)]
    begin, end = np.searchsorted(ordered, at, side="left"), np.searchsorted(ordered, at, side="right")
    cuts = np.concatenate([[0], np.where(ideal - begin <= end - ideal, begin, end), [len(ordered)]])
    if (np.diff(cuts) <= 0).any():
        distinct = len(np.unique(ordered))
        raise UsageError(
            f"{snapshots} slices with equally many events cannot be cut: the {len(ordered):,} events have "
            f"{distinct:,} different times, and events of the same time stay together; ask for fewer snapshots"
        )
    edges = np.append(ordered[cuts[:-1]], ordered[-1])
    return _slice_of(time, edges), edges


def boundary_slices(time: Floats, boundaries: Sequence[float]) -> Slices:
    """Slices between given boundaries (T+1,), increasing; an event outside all of them gets the slice −1."""
    edges = np.asarray(boundaries, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not np.isfinite(edges).all() or (np.diff(edges) < 0).any():
        raise UsageError(
            "boundaries must be two or more finite numbers, none below the one before it: "
            "the start of every slice, and the end of the last one"
        )
    if len(edges) - 1 > MOST_SNAPSHOTS:
        raise UsageError(f"the boundaries cut {len(edges) - 1:,} snapshots: at most {MOST_SNAPSHOTS:,} are made")
    index = _slice_of(time, edges)
    return np.where((time >= edges[0]) & (time <= edges[-1]), index, -1), edges


def column_boundaries(snapshot: NDArray[np.int64], time: Floats, count: int) -> Floats | None:
    """Boundaries (T+1,) that fit slices given event by event: the first event of each, and the last of all.

    A slice without events starts with the next one that has some. None where times and slices contradict each other.
    """
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, snapshot, time)
    np.maximum.at(last, snapshot, time)
    edges = np.minimum.accumulate(np.append(first, time.max())[::-1])[::-1]
    used = np.isfinite(first)
    ordered = first[used][1:] > last[used][:-1]
    return np.ascontiguousarray(edges) if ordered.all() else None


def moment(seconds: float) -> str:
    """Unix seconds as a date in UTC, or as the number where it is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return f"{seconds:g}"


def _slice_of(time: Floats, edges: Floats) -> NDArray[np.int64]:
    index: NDArray[Any] = np.searchsorted(edges, time, side="right") - 1
    return np.clip(index, 0, len(edges) - 2).astype(np.int64)
