"""``workbench.search``: the options of each method, tuned on validation with the same budget for every method."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.datasets.base import DatasetConfig
from workbench.errors import RunError, UsageError
from workbench.methods.base import Method, Sum
from workbench.models.base import ModelConfig
from workbench.runs.controls import listed
from workbench.runs.download_bar import DownloadBar
from workbench.runs.launch import worker_environment
from workbench.runs.preflight import preflight, settle
from workbench.runs.search_journal import require_optuna
from workbench.runs.search_space import values_of
from workbench.runs.search_study import Study, Tried
from workbench.runs.store import runs_root
from workbench.settings import Training
from workbench.spec import Spec

POLL_SECONDS = 0.5

Told = Callable[[Study, Tried], None]


@dataclass(frozen=True)
class Searched:
    """What a study found, in the configurations that were tried within a budget."""

    study: Study
    tried: tuple[Tried, ...]

    @property
    def best(self) -> Tried | None:
        """The highest validation score; of equal ones the first, so that the default has to be beaten."""
        done = [each for each in self.tried if each.score is not None]
        return max(done, key=lambda each: (each.score, -each.number), default=None)

    @property
    def default(self) -> Tried | None:
        return self.tried[0] if self.tried else None

    @property
    def spec(self) -> Spec:
        """The best configuration. Raises RunError where every one failed."""
        if self.best is None:
            why = self.tried[0].message if self.tried else "none was tried"
            raise RunError(f"{self.study.method}: no configuration could be judged ({why})")
        return self.study.spec_of(self.best.values)

    @property
    def options(self) -> dict[str, Any]:
        """What the best configuration says of every option that was searched."""
        return values_of(self.spec, self.study.space)

    def to_dict(self) -> dict[str, Any]:
        best, default = self.best, self.default
        return {
            "method": self.study.method,
            "validation": best and best.score,
            "default_validation": default and default.score,
            "options": self.options if best else None,
            "trials": len(self.tried),
            "failed": sum(each.state == "failed" for each in self.tried),
            "searched": [each.place for each in self.study.space],
            "study": os.fspath(self.study.folder),
            "tried": [
                {"number": t.number, "state": t.state, "validation": t.score, "options": t.values, "message": t.message}
                for t in self.tried
            ],
        }


def search(
    dataset: str | Path | dict[str, Any] | DatasetConfig,
    teacher: str | dict[str, Any] | ModelConfig | None = None,
    student: str | dict[str, Any] | ModelConfig | None = None,
    methods: Sequence[str | dict[str, Any] | Method | Sum] = ("kd",),
    trials: int = 20,
    seeds: Iterable[int] = (0,),
    *,
    also: Sequence[str] = (),
    training: dict[str, Any] | Training | None = None,
    teacher_training: dict[str, Any] | Training | None = None,
    preset: str | None = None,
    device: str = "auto",
    root: Path | str | None = None,
    jobs: int = 1,
    sampler_seed: int = 0,
    told: Told | None = None,
) -> list[Searched]:
    """Tune the options of every method of ``methods`` with ``trials`` configurations each.

    The first configuration is the default one; the others are drawn by a tree-structured Parzen estimator (Bergstra
    et al., NeurIPS 2011; Optuna's) from the search ranges of the method's own options, with ``also=["training"]``
    those of the student's training too. A method without options is tuned in its training. A configuration is
    judged by the mean over ``seeds`` of the student's best validation score: no test number is read, and none is
    pruned, so every method has the same budget. All methods share their teachers.

    What was tried is kept below the private folder of the runs: the same call goes on from there, more ``trials`` add
    to it, and several processes may search at once (``jobs`` starts so many). ``told`` hears of every configuration
    that was tried. Blocks until all are.

    Raises UsageError for wrong arguments, RunError where a process of ``jobs`` died.
    """
    given = {"dataset": dataset, "teacher": teacher, "student": student, "training": training, "preset": preset}
    given |= {"teacher_training": teacher_training, "device": device}
    document = {key: value for key, value in given.items() if value is not None}
    specs = [Spec.parse({**document, "method": method}, "search") for method in methods]
    studies = studies_of(specs, listed(seeds), root, also, sampler_seed=sampler_seed)
    work(studies, trials, jobs, told)
    return [found(study, trials) for study in studies]


def studies_of(
    specs: Sequence[Spec],
    seeds: Sequence[int],
    root: Path | str | None = None,
    also: Sequence[str] = (),
    fixed: Sequence[str] = (),
    sampler_seed: int = 0,
) -> list[Study]:
    """A study per spec, checked before anything is written. Raises UsageError for anything that cannot work."""
    require_optuna()
    names = [spec.objective.name for spec in specs]
    if not names:
        raise UsageError("methods are empty: give one at least")
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"method {twice[0]!r} is searched twice: name it once")
    with DownloadBar() as bar:
        settled = []
        for spec in specs:
            spec = settle(spec)
            preflight(spec, bar)
            settled.append(spec)
    folder = Path(root).absolute() if root else runs_root()
    return [Study.of(spec, folder, list(dict.fromkeys(seeds)), also, fixed, sampler_seed) for spec in settled]


def work(studies: Sequence[Study], trials: int, jobs: int = 1, told: Told | None = None) -> None:
    """Try ``trials`` configurations of every study, in ``jobs`` processes; returns when all are tried."""
    if trials < 1 or jobs < 1:
        raise UsageError(f"trials and jobs are at least 1 (got {trials} and {jobs})")
    if jobs == 1:
        return work_here(studies, trials, told)
    _work_in_processes(studies, trials, jobs, told)


def work_here(studies: Sequence[Study], trials: int, told: Told | None = None) -> None:
    """Take part in ``studies`` until none needs anybody; what a process that dies leaves behind is tried too."""
    left = list(studies)
    while left:
        waiting = []
        for study in left:
            while not isinstance(taken := study.take(trials), str):
                tried = study.try_out(taken)
                if told is not None:
                    told(study, tried)
            if taken == "wait":
                waiting.append(study)
        left = waiting
        if left:
            time.sleep(POLL_SECONDS)


def found(study: Study, trials: int | None = None) -> Searched:
    """What the first ``trials`` configurations of a study gave: an earlier search may have tried more of one method."""
    return Searched(study, tuple(study.tried()[:trials]))


def _work_in_processes(studies: Sequence[Study], trials: int, jobs: int, told: Told | None) -> None:
    known = {(study.folder, each.number) for study in studies for each in study.tried() if each.state != "running"}
    threads = max((os.cpu_count() or 1) // jobs, 1)
    environment = {"OMP_NUM_THREADS": str(threads), **worker_environment()}
    folders = [os.fspath(study.folder) for study in studies]
    command = [sys.executable, "-m", "workbench.runs.search_worker", str(trials), *folders]
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment) for _ in range(jobs)]
    try:
        while True:
            ended = all(process.poll() is not None for process in processes)
            for study in studies:
                _tell_news(study, known, told)
            if ended:
                break
            time.sleep(POLL_SECONDS)
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if all(process.returncode for process in processes):
        raise RunError("every process of the search died (see above): the same call goes on from here")


def _tell_news(study: Study, known: set[tuple[Path, int]], told: Told | None) -> None:
    for each in study.tried():
        if each.state != "running" and (study.folder, each.number) not in known:
            known.add((study.folder, each.number))
            if told is not None:
                told(study, each)
