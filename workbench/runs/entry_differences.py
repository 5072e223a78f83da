"""Entries of a leaderboard held against another one, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.analysis.statistics import ROUNDING, Paired, paired_test
from workbench.runs.entry_names import title_of_method
from workbench.runs.leaderboard import ALONE, Entry


@dataclass(frozen=True)
class Baseline:
    """What an entry is held against: its name, and its test scores (0..1) by seed."""

    name: str
    values: Mapping[int, float]


@dataclass(frozen=True)
class Difference:
    """The entry minus its baseline over the seeds that both have, and Cohen's d_z of it (None without a spread)."""

    baseline: str
    paired: Paired
    effect: float | None


@dataclass(frozen=True)
class Gap:
    """Seeds of ``entry`` and its like for which the student alone has not been run.

    ``run`` is to be copied: a student alone of another seed if ``alone``, else a distilled one.
    """

    entry: Entry
    seeds: tuple[int, ...]
    run: str
    alone: bool


def comparable(entry: Entry, other: Entry) -> bool:
    """Whether both were tested on the same data by the same metric."""
    return entry.fingerprint is not None and entry.data == other.data


def baseline_of(entry: Entry, chosen: Entry) -> Baseline | None:
    """``chosen`` as the baseline of ``entry``; None for itself, and where they may not be compared."""
    if entry.id == chosen.id or not comparable(entry, chosen):
        return None
    return Baseline(chosen.short_title, chosen.values())


def student_alone(entry: Entry, entries: Sequence[Entry]) -> Baseline | None:
    """The student alone for ``entry``: the same student with the same training on the same data.

    Where the runs have trained one beside, as on snapshots, it is that one. Of several it is the one that shares most
    seeds with ``entry``. None for a student alone itself, and where none has been run.
    """
    if entry.method == ALONE:
        return None
    if beside := entry.values("plain"):
        return Baseline(title_of_method(ALONE), beside)
    found = [other for other in _alone(entries) if comparable(entry, other) and entry.student_key == other.student_key]
    best = max(found, key=lambda other: len(other.values().keys() & entry.values().keys()), default=None)
    return None if best is None else Baseline(title_of_method(ALONE), best.values())


def difference(entry: Entry, baseline: Baseline | None) -> Difference | None:
    """``entry`` minus ``baseline``, paired over shared seeds; None where there is no such seed."""
    if baseline is None:
        return None
    own = entry.values()
    seeds = sorted(own.keys() & baseline.values.keys())
    if not seeds:
        return None
    left, right = [own[seed] for seed in seeds], [baseline.values[seed] for seed in seeds]
    return Difference(baseline.name, paired_test(left, right), effect_size(left, right))


def effect_size(values: Sequence[float], baseline: Sequence[float]) -> float | None:
    """Cohen's d_z of paired values (n,): mean difference over the sample standard deviation of the differences.

    Cohen, *Statistical Power Analysis for the Behavioral Sciences* (1988), section 2.3.5. None for fewer than two
    pairs, and where all differ by the same amount but for rounding in float32.
    """
    left, right = np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    apart = left - right
    if len(apart) < 2 or np.ptp(apart) <= ROUNDING * max(float(np.abs(left).max()), float(np.abs(right).max())):
        return None
    return float(apart.mean() / apart.std(ddof=1))


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The mean of ``values`` (n,) with 95 % confidence by Student's t; None for fewer than two, or without a spread."""
    found = paired_test(values, [0.0] * len(values))
    return None if found.interval is None or found.interval[0] == found.interval[1] else found.interval


def missing_alone(entries: Sequence[Entry], among: Sequence[Entry]) -> list[Gap]:
    """Where ``entries`` have seeds for which no student alone has been run ``among`` all entries, once per student."""
    gaps: dict[str, Gap] = {}
    for entry in entries:
        if entry.method == ALONE or entry.fingerprint is None or entry.values("plain"):
            continue
        alone = [other for other in _alone(among) if other.student_key == entry.student_key]
        have = {seed for other in alone for seed in other.values()}
        first = gaps.get(entry.student_key, Gap(entry, (), (alone or [entry])[0].runs[0].run, bool(alone)))
        if wanted := {*first.seeds, *(entry.values().keys() - have)}:
            gaps[entry.student_key] = replace(first, seeds=tuple(sorted(wanted)))
    return list(gaps.values())


def _alone(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.method == ALONE]
