"""What a run on snapshots has stored, read for the figures of a graph that changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.evolution import Links
from workbench.errors import RunError, UsageError, WorkbenchError
from workbench.plots.stored_arrays import ANY, INTEGERS, SOME, checked, damaged
from workbench.runs.folder import Run
from workbench.runs.stored_values import finite

SEQUENCE = "sequence"
DAY = 86_400.0  # seconds
LEAST_DATE, FIRST_DATE, END_OF_DATES = -62_135_596_800.0, 366 * DAY, 253_402_300_800.0  # years 1, 1971 and 10000
MOST_SNAPSHOTS = 100_000  # a larger number in a result is no snapshot
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
    """The stored links over time; RunError where the run has none, or where they do not fit together or its steps."""
    if not has_snapshots(run):
        raise RunError(f"run {run.id} has no snapshots (yet): distil on links over time, as builtin-communities")
    stored = run.arrays(SEQUENCE)
    count = sum(name.startswith("links_") for name in stored)
    if max(online_steps(run), default=0) >= count:
        raise damaged(run, "links")
    birth = checked(run, stored, "birth", (SOME,), INTEGERS, range(count + 1))
    nodes = len(birth)
    links = [checked(run, stored, f"links_{t}", (2, ANY), INTEGERS, range(nodes)) for t in range(count)]
    groups = boundaries = None
    if "groups" in stored:
        groups = checked(run, stored, "groups", (count, nodes), INTEGERS)
    if "boundaries" in stored:
        boundaries = checked(run, stored, "boundaries", (count + 1,))
        if not (boundaries[:-1] <= boundaries[1:]).all():
            raise damaged(run, "boundaries")
    return Snapshots(birth, links, groups, boundaries)


def online_steps(run: Run) -> list[int]:
    """The snapshots at which the student was taught, in order."""
    found = (re.fullmatch(r"step-(\d+)", name) for name in run.array_names())
    return sorted(int(match[1]) for match in found if match)


def read_step(run: Run, step: int) -> Step:
    """The arrays of one online step. Raises UsageError for a step that there is not or that could not be judged, and
    RunError where they do not fit together."""
    stored = step_arrays(run, step)
    if not _judged(stored):
        raise UsageError(
            f"step {step} could not be judged, too few links or pairs without one follow: choose another step"
        )
    teacher, student = _embeddings(run, stored)
    there = range(len(student))
    positives = checked(run, stored, "positives", (2, SOME), INTEGERS, there)
    negatives = checked(run, stored, "negatives", positives.shape, INTEGERS, there)
    scores = (checked(run, stored, f"scores_{who}", (positives.size,)) for who in ("student", "teacher"))
    return Step(student, teacher, positives, negatives, *scores)


def read_embeddings(run: Run, step: int, sequence: Snapshots) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Teacher's (K, d_t) and student's (N_t, d_s) at one online step of ``sequence``, whether or not it could be
    judged. Raises as :func:`read_step` does."""
    return _embeddings(run, step_arrays(run, step), int((sequence.birth <= step).sum()))


def read_attention(run: Run, step: int) -> tuple[NDArray[np.floating] | None, NDArray[np.floating] | None, int]:
    """Temporal attention of the teacher (K, W_t, W_t) and of the student (N_t, W_s, W_s) at one online step, None where
    it is not stored, and N_t. Raises as :func:`read_step` does."""
    stored = step_arrays(run, step)
    teacher, student = _embeddings(run, stored)
    return _attention(run, stored, "teacher", teacher), _attention(run, stored, "student", student), len(student)


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


def step_metrics(run: Run, step: int) -> Mapping[str, Mapping[str, float | None]]:
    """What was measured in an online step, by whom; empty where nothing is known."""
    return next((metrics for at, _, metrics in metrics_of(run) if at == step), {})


def metrics_of(run: Run) -> list[tuple[int, int, Mapping[str, Mapping[str, float | None]]]]:
    """Per online step: the step, the snapshot that it predicts, and the metrics by whom; empty if unfinished.

    What is no record of a step is left out, and a metric that is no finite number is None.
    """
    records = (run.result or {}).get("steps")
    found: dict[int, tuple[int, int, Mapping[str, Mapping[str, float | None]]]] = {}
    for record in records if isinstance(records, list) else []:
        if isinstance(record, dict) and _is_snapshot(step := record.get("step")):
            to = record.get("predicts")
            found.setdefault(step, (step, to if _is_snapshot(to) else step + 1, _numbers(record.get("metrics"))))
    return list(found.values())


def _is_snapshot(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_SNAPSHOTS


def _numbers(metrics: Any) -> dict[str, dict[str, float | None]]:
    of_whom = metrics.items() if isinstance(metrics, dict) else ()
    return {who: {name: finite(value) for name, value in of.items()} for who, of in of_whom if isinstance(of, dict)}


def _judged(stored: Mapping[str, NDArray[Any]]) -> bool:
    return any(name in stored for name in ("positives", "negatives", "scores_student", "scores_teacher"))


def _embeddings(
    run: Run, stored: Mapping[str, NDArray[Any]], there: int | range = SOME
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Teacher's and student's; ``there`` says of how many nodes the student's are."""
    student = checked(run, stored, "student", (there, SOME))
    return checked(run, stored, "teacher", (range(1, len(student) + 1), SOME)), student


def _attention(
    run: Run, stored: Mapping[str, NDArray[Any]], who: str, embedding: NDArray[np.floating]
) -> NDArray[np.floating] | None:
    name = f"attention_{who}"
    if name not in stored:
        return None
    window = stored[name].shape[-1] if stored[name].ndim else 0
    return checked(run, stored, name, (len(embedding), window or SOME, window or SOME))
