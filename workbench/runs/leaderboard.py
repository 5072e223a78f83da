"""Finished runs as entries of a leaderboard: one per spec, its seeds together. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from workbench.analysis.protocol_gaps import MODELS, SCORES
from workbench.analysis.published import Published, published
from workbench.analysis.statistics import Summary, summarise
from workbench.errors import UsageError, WorkbenchError
from workbench.runs.entry_names import short_names, title_of_dataset, title_of_method
from workbench.runs.folder import Run
from workbench.runs.measured import Metric, Seed, Size, mean_of, measured
from workbench.runs.side import fingerprint_of

Role = Literal["teacher", "student", "plain"]
METRICS: Mapping[str, str] = {"accuracy": "accuracy", "auc": "AUC", "micro_f1": "micro-F1"}
ALONE = "none"  # the method that is the student alone


@dataclass(frozen=True)
class Entry:
    """Finished runs whose specs differ in the seed alone.

    ``id`` is the same for the same spec and data. ``document`` is the spec without what seeds may differ in;
    ``options`` names shortly what tells the entry from the others beside it. ``fingerprint`` is that of the data, None
    where it was not recorded. ``runs`` holds one run per seed, in the order of the seeds.
    """

    id: str
    document: Mapping[str, Any]
    fingerprint: str | None
    metric: Metric
    runs: tuple[Seed, ...] = ()
    dataset: str = ""
    options: tuple[str, ...] = ()

    @cached_property
    def data(self) -> str:
        """Entries with the same ``data`` may be compared."""
        return digest([self.fingerprint or self.document["dataset"], self.metric])

    @property
    def teacher(self) -> str:
        control = self.document.get("teacher_control")
        name = str(self.document["teacher"]["name"])
        return f"{control} {name}" if control else name

    @property
    def student(self) -> str:
        return str(self.document["student"]["name"])

    @cached_property
    def method(self) -> str:
        """``kd``, or ``kd+gcrd`` for a sum."""
        return "+".join(sorted((str(part["name"]) for part in self.document["method"]), key=_order))

    @cached_property
    def student_key(self) -> str:
        """Equal for entries on the same data with the same student and training: what a student alone depends on."""
        return digest([self.data, *(self.document.get(part) for part in ("student", "training", "online"))])

    @property
    def title(self) -> str:
        """``KD · gat → gcn (hidden 4, T 2)``."""
        options = f" ({', '.join(self.options)})" if self.options else ""
        return f"{self.short_title}{options}"

    @property
    def short_title(self) -> str:
        return f"{title_of_method(self.method)} · {self.teacher} → {self.student}"

    def values(self, role: Role = "student") -> dict[int, float]:
        """Test scores (0..1) by seed, of the seeds that have one."""
        found = {run.seed: getattr(run, role) for run in self.runs}
        return {seed: value for seed, value in found.items() if value is not None}

    def summary(self, role: Role = "student") -> Summary | None:
        """Mean and sample standard deviation over the seeds; None where no seed has a score."""
        values = self.values(role)
        return summarise(list(values.values())) if values else None

    def size(self, role: Literal["teacher", "student"]) -> Size:
        """The mean over the runs; of the milliseconds too, which depend on the machine of each."""
        sizes = [run.teacher_size if role == "teacher" else run.student_size for run in self.runs]
        return Size(*(mean_of(getattr(size, what) for size in sizes) for what in ("parameters", "bytes", "latency_ms")))

    @property
    def compression(self) -> float | None:
        """How many times smaller the student is than its teacher."""
        return mean_of(run.compression for run in self.runs)

    @property
    def of_paper(self) -> Published | None:
        """The published number for this teacher, student and method, of whatever size the paper's student is."""
        kernel = next((part.get("kernel") for part in self.document["method"] if part["name"] == "lsp"), None)
        return published(
            self.document["dataset"]["name"],
            MODELS.get(self.teacher, self.teacher),
            MODELS.get(self.student, self.student),
            self.method,
            metric=SCORES.get(self.metric, self.metric),
            parameters=self.size("student").parameters,
            variant="" if kernel in (None, "rbf") or "+" in self.method else f"kernel {kernel}",
        )


@dataclass(frozen=True)
class Leaderboard:
    """``entries``, the best of each dataset first; runs that are not finished, and those too damaged to be read."""

    entries: tuple[Entry, ...]
    unfinished: int
    damaged: int


def leaderboard(runs: Iterable[Run]) -> Leaderboard:
    """Group ``runs`` by everything of their specs but the seed, and by the fingerprint of their data.

    Of several runs of one spec and seed the first given counts: give the newest first.
    """
    groups: dict[str, Entry] = {}
    seeds: dict[str, dict[int, Seed]] = {}
    unfinished = damaged = 0
    for run in runs:
        try:
            state, _ = run.status.state, run.document
            if state == "done":
                document, seed, metric = measured(run)
                fingerprint = fingerprint_of(run)
                id = digest([document, fingerprint, metric])
                groups.setdefault(id, Entry(id, document, fingerprint, metric))
                seeds.setdefault(id, {}).setdefault(seed.seed, seed)
            elif state == "lost" and (run.path / "result.json").exists():
                damaged += 1  # it was finished
            else:
                unfinished += 1
        except (WorkbenchError, KeyError, TypeError, ValueError, AttributeError):
            damaged += 1
    entries = [replace(entry, runs=tuple(of for _, of in sorted(seeds[id].items()))) for id, entry in groups.items()]
    return Leaderboard(tuple(named(entries)), unfinished, damaged)


def named(entries: Sequence[Entry]) -> list[Entry]:
    """``entries``, each with the options that tell it from the others, the best of each dataset first."""
    datasets = title_of_dataset([(entry.data, entry.document["dataset"]) for entry in entries])
    options = short_names([(entry.data, entry.document) for entry in entries])
    found = [replace(e, dataset=datasets[e.data], options=names) for e, names in zip(entries, options, strict=True)]
    titles = Counter((entry.data, entry.title) for entry in found)
    for index, e in enumerate(found):
        if titles[e.data, e.title] > 1:  # apart in something that has no short name
            found[index] = replace(e, options=(*e.options, e.id[:6]))
    return sorted(found, key=lambda entry: (entry.dataset, entry.data, -_student_mean(entry), entry.title))


def one_dataset(entries: Sequence[Entry]) -> Sequence[Entry]:
    """``entries`` if they may stand in one figure; UsageError where there is none, or where they may not."""
    if not entries:
        raise UsageError("none of these runs is finished and has been measured: give some that are")
    if len({entry.data for entry in entries}) > 1:
        names = ", ".join(sorted({f"{entry.dataset} ({METRICS[entry.metric]})" for entry in entries}))
        raise UsageError(f"runs on several datasets cannot stand in one figure ({names}): give those on one of them")
    return entries


def teachers(entries: Sequence[Entry]) -> list[Entry]:
    """One entry for every teacher of ``entries``, with the seeds of all students that it taught."""
    found: dict[str, dict[int, Seed]] = {}
    first: dict[str, Entry] = {}
    for entry in entries:
        of = ("teacher", "teacher_training", "teacher_control")
        key = digest([entry.data, *(entry.document.get(part) for part in of)])
        first.setdefault(key, entry)
        found.setdefault(key, {}).update({run.seed: run for run in entry.runs if run.teacher is not None})
    return [replace(first[key], runs=tuple(seeds.values())) for key, seeds in found.items() if seeds]


def digest(document: Any) -> str:
    """Twelve hexadecimal digits, the same for equal data."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _student_mean(entry: Entry) -> float:
    summary = entry.summary()
    return -math.inf if summary is None else summary.mean


def _order(name: str) -> tuple[bool, str]:
    """KD first, as sums are written."""
    return name != "kd", name
