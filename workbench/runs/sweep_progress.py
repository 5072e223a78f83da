"""How a sweep is doing, derived from its run folders; and the small file by which others know that there is one."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.runs.files import read_json, write_json
from workbench.runs.folder import Run
from workbench.runs.status import HOST, Status, process_is_there
from workbench.runs.store import PRIVATE, list_runs, private_folder
from workbench.runs.stored_values import finite

FOLDER = "sweeps"  # below the private folder of the runs root


@dataclass(frozen=True)
class SweepRecord:
    """What is stored of a sweep. What became of its runs stands in their folders alone.

    ``id`` is a hash of its runs, ``started`` (Unix seconds), ``pid`` and ``process_started`` are of the process that
    carries it out, or did so last.
    """

    name: str
    id: str
    runs: tuple[str, ...]
    started: float
    engine: str
    slots: int
    pid: int
    process_started: float
    host: str

    @property
    def process_lives(self) -> bool:
        """Whether the process of the sweep is there; False for one of another machine, which only its runs tell of."""
        own = Status(pid=self.pid, process_started=self.process_started, host=HOST)
        return self.host == HOST and self.pid > 0 and process_is_there(own)


@dataclass(frozen=True)
class SweepProgress:
    """How many runs of a sweep are how far. ``failed`` are those that ended without a result in this sweep's time."""

    total: int
    done: int
    failed: int
    running: int
    waiting: int
    alive: bool  # somebody works on it
    eta_seconds: float | None = None  # None while no run tells how long one takes, and when nobody works on it

    @property
    def share(self) -> float:
        """Of the runs that have ended, 0..1."""
        return (self.done + self.failed) / self.total if self.total else 1.0


def write_record(root: Path, record: SweepRecord) -> None:
    write_json(private_folder(root, FOLDER) / f"{record.id}.json", {**vars(record), "runs": list(record.runs)})


def sweep_records(root: Path) -> list[SweepRecord]:
    """The sweeps below a runs root, the one started last first; damaged files are left out."""
    files = (root / PRIVATE / FOLDER).glob("[!.]*.json")
    found = (_parse(read_json(file)) for file in files)
    return sorted((record for record in found if record is not None), key=lambda r: r.started, reverse=True)


def _parse(document: Any) -> SweepRecord | None:
    kinds = {"name": str, "id": str, "runs": list, "engine": str, "slots": int, "pid": int, "host": str}
    if not isinstance(document, dict) or any(not isinstance(document.get(key), kind) for key, kind in kinds.items()):
        return None
    times = [finite(document.get(key)) for key in ("started", "process_started")]
    if None in times or not all(isinstance(run, str) for run in document["runs"]):
        return None
    found = {key: document[key] for key in kinds}
    started, process_started = (time or 0.0 for time in times)
    return SweepRecord(**{**found, "runs": tuple(found["runs"])}, started=started, process_started=process_started)


def runs_of(root: Path) -> dict[str, Run]:
    """Every run below the root by its id, for :func:`progress_of`."""
    return {run.id: run for run in list_runs(root)}


def progress_of(record: SweepRecord, runs: Mapping[str, Run]) -> SweepProgress:
    """How ``record`` is doing, given the runs of its root."""
    found = {id: runs[id].status for id in record.runs if id in runs}
    done = [id for id, status in found.items() if status.state == "done"]
    running = {id: status.elapsed for id, status in found.items() if status.state == "running"}
    failed = [id for id, status in found.items() if _failed(status, record)]
    waiting = [id for id in record.runs if id not in {*done, *running, *failed}]
    begun = bool(running) or any(status.state == "queued" for status in found.values())
    alive = record.process_lives or (record.host != HOST and begun)
    eta = seconds_left(_seconds(done, runs), waiting, running, record.slots) if alive else None
    return SweepProgress(len(record.runs), len(done), len(failed), len(running), len(waiting), alive, eta)


def _failed(status: Status, record: SweepRecord) -> bool:
    """Whether a run ended without a result since the sweep was started; what ended before is gone on with."""
    return status.state in ("failed", "stopped") and status.updated >= record.started


def seconds_left(
    finished: Mapping[str, float], waiting: Sequence[str], running: Mapping[str, float], slots: int
) -> float | None:
    """Seconds until a sweep is through: the work that is left, shared evenly by the slots.

    A run is expected to take as long as finished ones that differ from it in their seed alone, on average; where there
    is none, as long as an average run. ``finished`` and ``running`` map ids to seconds of work so far. None where
    nothing has finished yet.
    """
    if not waiting and not running:
        return 0.0
    if not finished:
        return None
    average, alike = statistics.fmean(finished.values()), _averages(finished)
    left = [alike.get(_but_the_seed(id), average) for id in waiting]
    left += [max(alike.get(_but_the_seed(id), average) - elapsed, 0.0) for id, elapsed in running.items()]
    return max(sum(left) / min(slots, len(left)), max(left))


def _averages(finished: Mapping[str, float]) -> dict[str, float]:
    groups: dict[str, list[float]] = {}
    for id, seconds in finished.items():
        groups.setdefault(_but_the_seed(id), []).append(seconds)
    return {name: statistics.fmean(each) for name, each in groups.items()}


def _but_the_seed(id: str) -> str:
    """The readable part of a run's id without its seed: dataset, method and models."""
    return re.sub(r"-s\d+-[0-9a-f]{12}(-[a-z]+)?$", "", id)


def _seconds(ids: Iterable[str], runs: Mapping[str, Run]) -> dict[str, float]:
    found = {id: finite((runs[id].result or {}).get("seconds")) for id in ids}
    return {id: seconds for id, seconds in found.items() if seconds is not None}
