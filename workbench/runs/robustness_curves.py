"""Accuracy on disturbed graphs as curves: one per teacher, student alone and distilled student, seeds together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.robustness import CurveSummary, summarise_curve
from workbench.analysis.statistics import Summary, summarise
from workbench.errors import UsageError, check_choice
from workbench.runs.entry_names import title_of_method
from workbench.runs.folder import Run
from workbench.runs.leaderboard import ALONE, Entry, leaderboard, one_dataset, teachers
from workbench.runs.robustness_file import Robustness, Role, has_robustness, read_robustness
from workbench.runs.robustness_plan import KINDS, Kind


@dataclass(frozen=True)
class Curve:
    """Accuracy (0..1) of one model over its seeds.

    ``values`` (n, L) has a row per training seed, each the mean over the seeds of the disturbance; of a single training
    seed it has a row per seed of the disturbance, and ``trainings`` is 1.
    """

    name: str
    role: Role
    levels: NDArray[np.float64]
    values: NDArray[np.float64]
    trainings: int

    @property
    def mean(self) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = self.values.mean(axis=0)
        return mean

    @property
    def std(self) -> NDArray[np.float64] | None:
        """The sample standard deviation (L,) over the rows; None of one row."""
        if len(self.values) < 2:
            return None
        std: NDArray[np.float64] = self.values.std(axis=0, ddof=1)
        return std

    @property
    def over(self) -> str:
        """Of what seeds the spread is."""
        what = "training" if self.trainings > 1 else "disturbance"
        return f"{len(self.values)} {what} seed{'s' if len(self.values) > 1 else ''}"

    @property
    def summary(self) -> CurveSummary:
        """Area under the mean curve, and its drops."""
        return summarise_curve(self.levels, self.mean)

    @property
    def area(self) -> Summary:
        """The area under the curve of every row: mean and spread."""
        return summarise([summarise_curve(self.levels, row).area for row in self.values])

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold."""
        return {
            "name": self.name,
            "role": self.role,
            "levels": self.levels.tolist(),
            "mean": self.mean.tolist(),
            "std": None if self.std is None else self.std.tolist(),
            "n": len(self.values),
            "over": self.over,
            "area": vars(self.area),
            "drops": list(self.summary.drops),
        }


@dataclass(frozen=True)
class Measured:
    """Entries of a leaderboard of which some seeds have been measured, and what these have stored, by run."""

    entries: tuple[Entry, ...]
    records: Mapping[str, Robustness]

    @property
    def kinds(self) -> list[Kind]:
        """The kinds that every run has been measured with."""
        return [kind for kind in KINDS if all(kind in record.kinds for record in self.records.values())]


def measured_entries(runs: Iterable[Run]) -> Measured:
    """The finished ones of ``runs`` that have been measured, as entries. Raises RunError for a damaged file."""
    having = [run for run in runs if has_robustness(run)]
    entries = leaderboard(having).entries
    shown = {seed.run for entry in entries for seed in entry.runs}
    found = {run.id: read_robustness(run) for run in having if run.id in shown}
    return Measured(entries, {id: record for id, record in found.items() if record is not None})


def curves(measured: Measured, kind: Kind) -> list[Curve]:
    """The curves of one dataset: teachers, students alone, and then the distilled ones, the best entry first.

    Raises UsageError where nothing has been measured, and for runs that were measured differently.
    """
    check_choice("kind of disturbance", kind, tuple(KINDS))
    entries, records = measured.entries, measured.records
    if not entries:
        raise UsageError("none of these runs has been measured on disturbed graphs: `workbench robustness RUN` does it")
    one_dataset(entries)
    _same_plan(records, kind)
    asked = [_Asked(f"Teacher {e.teacher}", "teacher", "teacher", _runs(e), e.id) for e in teachers(entries)]
    asked += [
        _Asked(f"{title_of_method(ALONE)} · {entry.student}", "alone", "alone", seeds, entry.student_key)
        for entry, seeds in _alone(entries, records)
    ]
    asked += [_Asked(e.title, "alone" if e.method == ALONE else "student", "student", _runs(e), e.id) for e in entries]
    names = Counter(each.name for each in asked)
    return [
        _curve(each, f"{each.name} [{each.key[:6]}]" if names[each.name] > 1 else each.name, records, kind)
        for each in asked
    ]


def by_data(measured: Measured) -> list[tuple[str, Measured]]:
    """One for each dataset, with its name."""
    found: dict[str, list[Entry]] = {}
    for entry in measured.entries:
        found.setdefault(entry.data, []).append(entry)
    return [(entries[0].dataset, Measured(tuple(entries), _of(entries, measured))) for entries in found.values()]


def _of(entries: Sequence[Entry], measured: Measured) -> dict[str, Robustness]:
    return {seed.run: measured.records[seed.run] for entry in entries for seed in entry.runs}


@dataclass(frozen=True)
class _Asked:
    """A curve to be made: what it is called and what it is of, and by training seed the runs that have ``stored`` it.

    ``key`` tells it from others of that name.
    """

    name: str
    role: Role
    stored: Role
    runs: Mapping[int, str]
    key: str


def _curve(of: _Asked, name: str, records: Mapping[str, Robustness], kind: Kind) -> Curve:
    scores = [records[run].models[of.stored].accuracy[kind] for _, run in sorted(of.runs.items())]  # (seeds, L) each
    values = scores[0] if len(scores) == 1 else np.stack([each.mean(axis=0) for each in scores])
    levels = np.asarray(next(iter(records.values())).levels)
    return Curve(name, of.role, levels, values, len(scores))


def _runs(entry: Entry) -> dict[int, str]:
    return {seed.seed: seed.run for seed in entry.runs}


def _alone(entries: Sequence[Entry], records: Mapping[str, Robustness]) -> list[tuple[Entry, dict[int, str]]]:
    """Students alone that are no entry themselves: one for all entries of that student, by the runs that stored it."""
    own = {entry.student_key for entry in entries if entry.method == ALONE}
    found: dict[str, tuple[Entry, dict[int, str]]] = {}
    for entry in entries:
        seeds = {seed: run for seed, run in _runs(entry).items() if "alone" in records[run].models}
        if seeds and entry.student_key not in own:
            found.setdefault(entry.student_key, (entry, {}))[1].update(seeds)
    return list(found.values())


def _same_plan(records: Mapping[str, Robustness], kind: Kind) -> None:
    """Raises UsageError where a run lacks ``kind``, or where levels or seeds differ."""
    for id, record in records.items():
        if kind not in record.kinds:
            raise UsageError(f"run {id} has not been measured with {kind}: `workbench robustness {id} --kinds {kind}`")
    if len({(record.levels, record.seeds) for record in records.values()}) > 1:
        raise UsageError(
            "these runs were measured at different levels or with different seeds: measure them together, "
            "`workbench robustness RUN RUN …`"
        )
