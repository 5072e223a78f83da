"""Carry out a sweep: many specs, a few at once, nothing twice, and whatever happens meanwhile.

The run folders are the truth. A finished spec is skipped, a failed, stopped or lost one goes on from its checkpoint,
one that somebody else works on is waited for. So a sweep that was stopped or killed is continued by starting it again,
and two sweeps with common runs share the work. An engine says where runs are carried out: slots of this machine
(:mod:`workbench.runs.sweep_local`, which also says how they share its devices with single runs) or a Ray cluster
(:mod:`workbench.runs.sweep_ray`).
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import psutil

from workbench.errors import RunError, UsageError
from workbench.runs.claim import run_id
from workbench.runs.folder import Run
from workbench.runs.status import HOST, write_status
from workbench.runs.store import PRIVATE, private_folder
from workbench.runs.sweep_local import LOG
from workbench.runs.sweep_progress import FOLDER, SweepRecord, write_record
from workbench.runs.teacher_cache import RECORD
from workbench.spec import digest

if TYPE_CHECKING:
    from workbench.datasets.base import Progress
    from workbench.runs.sweep_local import News
    from workbench.spec import Spec

POLL_SECONDS = 0.3
LOOK_SECONDS = 1.0  # between two looks at a run that somebody else works on


@dataclass(frozen=True)
class Job:
    """A run of a sweep. ``teacher`` names its teacher in the cache; one that ``roams`` may run on any GPU."""

    id: str
    spec: Spec
    teacher: str
    roams: bool


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep by their ids, in order."""

    name: str
    root: Path
    jobs: Mapping[str, Job]

    @property
    def id(self) -> str:
        """The same for the same runs, in whatever order they stand."""
        return digest(sorted(self.jobs))

    @property
    def runs(self) -> list[Run]:
        """Their folders, whether they are there or not."""
        return [Run(self.root / id) for id in self.jobs]

    def unfinished(self) -> list[Job]:
        return [job for job in self.jobs.values() if state_of(self.root / job.id) != "done"]


class Engine(Protocol):
    """Where the runs of a sweep are carried out. Leaving it as a context manager stops what is going on."""

    name: str
    slots: int
    retries: int  # of a run whose process died

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def has_room(self) -> bool: ...
    def start(self, id: str, spec: Spec, roams: bool) -> None: ...
    def news(self, seconds: float) -> list[News]: ...


def sweep_of(name: str, specs: Iterable[Spec], root: Path, device_of: Callable[[str], str]) -> Sweep:
    """The sweep of ``specs``, with nothing left open: ``device_of`` says which device ``auto`` is, and own files have
    their hash. Raises UsageError for a device or a file that is not there."""
    jobs: dict[str, Job] = {}
    pinned: dict[str, dict[str, object]] = {}
    for spec in specs:
        text = spec.dataset.model_dump_json()
        if text not in pinned:
            pinned[text] = {"dataset": spec.dataset.pinned()}
        settled = spec.replace(device=device_of(spec.device), **pinned[text])
        teacher = f"{settled.teacher_id}-{settled.device.split(':')[0]}"
        job = Job(run_id(settled), settled, teacher, roams=spec.device in ("auto", "cuda"))
        jobs.setdefault(job.id, job)
    return Sweep(name, root, jobs)


def check_jobs(jobs: Iterable[Job], progress: Progress | None = None) -> list[str]:
    """Load every dataset once (downloading it where it is missing) and build every model and method; returns notes.

    Raises UsageError, naming the run, for anything that cannot work.
    """
    from workbench.datasets.base import data_root, held_by
    from workbench.datasets.load import load_dataset
    from workbench.runs.live import Live
    from workbench.runs.ways import way_of

    groups: dict[str, dict[str, Job]] = {}
    for job in jobs:
        different = job.spec.replace(seed=0).id
        groups.setdefault(job.spec.dataset.model_dump_json(), {}).setdefault(different, job)
    notes: dict[str, None] = {}
    for group in groups.values():
        first = next(iter(group.values())).spec
        data = load_dataset(first.dataset, data_root(), progress)
        for job in group.values():
            try:
                found = way_of(held_by(first.dataset)).check(job.spec, data, Live())
            except UsageError as error:
                raise UsageError(f"{_readable(job)}: {error}") from None
            notes |= dict.fromkeys(f"{_readable(job)}: {note}" for note in found)
    return list(notes)


def _readable(job: Job) -> str:
    spec = job.spec
    return f"{spec.dataset.name} · {spec.teacher.name} → {spec.student.name} · {spec.objective.name}"


def state_of(path: Path) -> str:
    """The state of the run in a folder, or ``missing``."""
    return Run(path).status.state if path.is_dir() else "missing"


def carry_out_sweep(sweep: Sweep, engine: Engine, told: Callable[[SweepRecord], None] | None = None) -> None:
    """Return when every run has ended, well or not. ``told`` is called at every look, with what is stored of the sweep.

    The runs are stopped, with their checkpoints, when an exception (Ctrl-C, say) leaves this function.
    Raises RunError where the engine cannot carry out anything.
    """
    record = _record(sweep, engine)
    write_record(sweep.root, record)
    with engine:
        going_on = _GoingOn(sweep, engine)
        while going_on.step():
            if told is not None:
                told(record)
        if told is not None:
            told(record)


def _record(sweep: Sweep, engine: Engine) -> SweepRecord:
    started = psutil.Process().create_time()
    ids = tuple(sweep.jobs)
    return SweepRecord(sweep.name, sweep.id, ids, time.time(), engine.name, engine.slots, os.getpid(), started, HOST)


class _GoingOn:
    """A sweep while it is carried out: which runs wait, are worked on here, and are worked on by somebody else."""

    def __init__(self, sweep: Sweep, engine: Engine) -> None:
        self.sweep, self.engine = sweep, engine
        self.waiting = {job.id: job for job in sweep.unfinished()}
        self.working: dict[str, Job] = {}
        self.elsewhere: dict[str, Job] = {}
        self.deaths: Counter[str] = Counter()
        self._looked = 0.0

    def step(self) -> bool:
        """Start what there is room for and take in what has happened; False when nothing is left to do."""
        if not (self.waiting or self.working or self.elsewhere):
            return False
        while self.waiting and self.engine.has_room():
            job = self._next()
            self.working[job.id] = self.waiting.pop(job.id)
            self.engine.start(job.id, job.spec, job.roams)
        for news in self.engine.news(POLL_SECONDS):
            self._take(self.working.pop(news.id), news)
        if self.elsewhere and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            for job in list(self.elsewhere.values()):
                self._look(job)
        return True

    def _next(self) -> Job:
        """The first run whose teacher is not being made at this moment: others would only wait for it."""
        making = {job.teacher for job in self.working.values()}
        making = {key for key in making if not (self.sweep.root / PRIVATE / "teachers" / key / RECORD).is_file()}
        jobs = self.waiting.values()
        return next((job for job in jobs if job.teacher not in making), None) or next(iter(jobs))

    def _take(self, job: Job, news: News) -> None:
        path = self.sweep.root / job.id
        if news.word == "ended":
            return
        if news.word == "fault":
            self._give_up(path, news.message)
        elif news.word == "elsewhere":
            self.elsewhere[job.id] = job
        else:
            self.deaths[job.id] += 1
            if not path.is_dir() and self.deaths[job.id] > self.engine.retries:
                log = private_folder(self.sweep.root, FOLDER) / LOG
                raise RunError(f"processes of the sweep die before they begin ({news.message}): {log} may say why")
            if Run(path).status.alive:  # as far as its heartbeat tells, for a while
                self.elsewhere[job.id] = job
            else:
                self._try_again(job, news.message)

    def _look(self, job: Job) -> None:
        """At a run that somebody else works on, or that was lost without a word."""
        path = self.sweep.root / job.id
        state = state_of(path)
        if state in ("queued", "running"):
            return
        del self.elsewhere[job.id]
        if state in ("lost", "missing"):
            self._try_again(job, "its machine is silent")
        elif state == "stopped":
            self._try_again(job, "stopped")

    def _try_again(self, job: Job, why: str) -> None:
        """Go on with a run whose process is gone, unless a person stopped it or it has died too often."""
        path = self.sweep.root / job.id
        if (path / "stop").exists():  # whoever stopped it leaves this file
            return
        if self.deaths[job.id] > self.engine.retries:
            times = self.deaths[job.id]
            self._give_up(path, f"the process that worked on it died {times} times, the last time with {why}")
        else:
            self.waiting = {job.id: job, **self.waiting}

    @staticmethod
    def _give_up(path: Path, why: str) -> None:
        with suppress(OSError):  # the folder is gone; the status of the run says that
            status = Run(path).status
            if status.state != "done":
                write_status(path, replace(status, state="failed", message=why, eta_seconds=None))
