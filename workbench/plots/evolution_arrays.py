"""What a run on snapshots has stored, read for the figures of a graph that changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.evolution import Links
from workbench.errors import RunError, UsageError, WorkbenchError
from workbench.runs.folder import Run

SEQUENCE = "sequence"
DAY = 86_400.0  # seconds
LEAST_DATE, FIRST_DATE, END_OF_DATES = -62_135_596_800.0, 366 * DAY, 253_402_300_800.0  # years 1, 1971 and 10000
NAMES: Mapping[str, str] = {  # who is scored -> the name in legends and tables
    "teacher": "teacher",
    "student": "student",
    "plain": "student alone",
    "common_neighbours": "common neighbours",
    "adamic_adar": "Adamic–Adar",
    "preferential_attachment": "product of degrees",
    "edge_bank": "last-snapshot memory",
}


@dataclass(frozen=True)
class Snapshots:
    """Links over time between N nodes: ``birth`` (N,), ``links`` one (2, L_t) array per snapshot, and, where they
    are known, ``groups`` (T, N) true communities with −1 for none and ``boundaries`` (T + 1,) Unix seconds."""

    birth: NDArray[np.integer]
    links: list[Links]
    groups: NDArray[np.integer] | None = None
    boundaries: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.links)

    def when(self, snapshot: int) -> str:
        """The snapshot with its first day, where that is known, and the hour where two begin on one day.

        Times that are no dates, as those that count from 0, are said as they are.
        """
        if self.boundaries is None:
            return f"Snapshot {snapshot}"
        start, end = float(self.boundaries[0]), float(self.boundaries[-1])
        first = float(self.boundaries[snapshot])
        if start < LEAST_DATE or not FIRST_DATE <= end < END_OF_DATES:
            return f"Snapshot {snapshot}, from time {first:.16g}"
        starts = np.unique(self.boundaries[:-1])
        hour = " %H:%M" if len(np.unique(starts // DAY)) < len(starts) else ""
        return f"Snapshot {snapshot}, from {datetime.fromtimestamp(first, UTC):%d %b %Y{hour}}"


@dataclass(frozen=True)
class Step:
    """One online step: embeddings of the student (N_t, d_s) and of the K nodes that the teacher knows (K, d_t), and
    on P true links and P negatives (2, P) the scores (2P,) in 0..1 of both, NaN where there is none."""

    student: NDArray[np.floating]
    teacher: NDArray[np.floating]
    positives: Links
    negatives: Links
    scores_student: NDArray[np.floating]
    scores_teacher: NDArray[np.floating]


def has_snapshots(run: Run) -> bool:
    """Whether the run is one on snapshots and has stored them."""
    return SEQUENCE in run.array_names()


def read_snapshots(run: Run) -> Snapshots:
    """The stored links over time; RunError where the run has none or they do not fit."""
    if not has_snapshots(run):
        raise RunError(f"run {run.id} has no snapshots (yet): distil on links over time, as builtin-communities")
    stored = run.arrays(SEQUENCE)
    birth = _one_of(run, stored, "birth")
    links = [_one_of(run, stored, f"links_{t}") for t in range(sum(name.startswith("links_") for name in stored))]
    return Snapshots(birth, links, stored.get("groups"), stored.get("boundaries"))


def online_steps(run: Run) -> list[int]:
    """The snapshots at which the student was taught, in order."""
    found = (re.fullmatch(r"step-(\d+)", name) for name in run.array_names())
    return sorted(int(match[1]) for match in found if match)


def read_step(run: Run, step: int) -> Step:
    """The arrays of one online step. Raises UsageError for a step that there is not or that could not be judged."""
    stored = step_arrays(run, step)
    if not _judged(stored):
        raise UsageError(
            f"step {step} could not be judged, too few links or pairs without one follow: choose another step"
        )
    return Step(**{name: _one_of(run, stored, name) for name in Step.__dataclass_fields__})


def read_embeddings(run: Run, step: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Teacher's (K, d_t) and student's (N_t, d_s) at one online step, whether or not it could be judged."""
    stored = step_arrays(run, step)
    return _one_of(run, stored, "teacher"), _one_of(run, stored, "student")


def was_judged(run: Run, step: int) -> bool:
    """Whether the snapshot after an online step had links enough to judge predictions."""
    return _judged(step_arrays(run, step))


def predicts_all(run: Run) -> bool:
    """Whether a run predicts all links of the next snapshot, not the new ones only."""
    try:
        return bool((run.document.get("online") or {}).get("predict") == "all")
    except (WorkbenchError, AttributeError):
        return False


def step_arrays(run: Run, step: int) -> dict[str, NDArray[Any]]:
    check_step(step, online_steps(run))
    return run.arrays(f"step-{step:05d}")


def check_step(step: int, known: list[int]) -> None:
    if step not in known:
        there = ", ".join(map(str, known)) or "none yet"
        raise UsageError(f"there is no step {step!r}: the run has {there}")


def check_snapshot(snapshot: int, sequence: Snapshots) -> None:
    if not isinstance(snapshot, int | np.integer) or not 0 <= snapshot < len(sequence):
        raise UsageError(f"there is no snapshot {snapshot!r}: choose one of 0..{len(sequence) - 1}")


def step_metrics(run: Run, step: int) -> Mapping[str, Mapping[str, Any]]:
    """What was measured in an online step, by whom; empty where nothing is known."""
    return next((metrics for at, _, metrics in metrics_of(run) if at == step), {})


def metrics_of(run: Run) -> list[tuple[int, int, Mapping[str, Mapping[str, Any]]]]:
    """Per online step: the step, the snapshot that it predicts, and the metrics by whom; empty if unfinished."""
    records = (run.result or {}).get("steps") or []
    return [(r["step"], r.get("predicts", r["step"] + 1), r.get("metrics") or {}) for r in records if "step" in r]


def _judged(stored: Mapping[str, NDArray[Any]]) -> bool:
    return any(name in stored for name in ("positives", "negatives", "scores_student", "scores_teacher"))


def _one_of(run: Run, stored: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in stored:
        raise RunError(f"the arrays of run {run.id} hold no {name!r}: run the spec again")
    return stored[name]
