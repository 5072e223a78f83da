"""Detached workers, for real: every test starts processes, so there are few and they are thorough."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.runs.folder import Run
from workbench.runs.launch import launch, resume, stop
from workbench.runs.store import list_runs
from workbench.spec import Spec
from workbench.training.checkpoint import load_tensors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def spec(epochs: int = 10, **changes: Any) -> Spec:
    training = {"epochs": epochs, "patience": 0, "keep_every": 0}
    parts = {"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "kd", "device": "cpu"}
    return Spec.parse({**parts, "training": training, "teacher_training": {**training, "epochs": 10}, **changes})


def wait_for(condition: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def removed(folder: Path) -> bool:
    """Delete a folder into which a worker is writing: a file made in between is what a second attempt is for."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def in_student_training(run: Run) -> bool:
    assert run.status.state in ("queued", "running"), run.log()
    return run.status.stage == "training the student" and run.status.epoch > 50


def checkpoint_of_the_student(run: Run) -> bool:
    path = run.path / "checkpoint.safetensors"
    return path.exists() and load_tensors(path).header["stage"] == "student"


def workers_of(run: Run) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if str(run.path) in " ".join(p.info["cmdline"] or [])]


def test_a_launched_run_finishes_on_its_own_and_is_handed_back_afterwards(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:  # four doors at once
        launched = list(pool.map(lambda _: launch(spec(), tmp_path), range(4)))
    assert sorted(item.status for item in launched) == ["running", "running", "running", "started"]
    (run,) = list_runs(tmp_path)
    wait_for(lambda: not run.status.alive)
    assert Run(run.path).status.state == "done", run.log()
    assert launch(spec(), tmp_path).status == "finished"
    assert wb.distill(**_parts(), root=tmp_path).id == run.id, "Python sees what the worker did"


def _parts() -> dict[str, Any]:
    s = spec()
    return {
        "dataset": s.dataset,
        "teacher": s.teacher,
        "student": s.student,
        "method": s.objective,
        "training": s.training,
        "teacher_training": s.teacher_training,
        "device": "cpu",
    }


def test_a_killed_worker_is_lost_and_resumes_to_the_same_result(tmp_path: Path) -> None:
    long = spec(4000)
    run = launch(long, tmp_path).run
    wait_for(lambda: in_student_training(run) and checkpoint_of_the_student(run))
    os.killpg(run.status.pid, signal.SIGKILL)
    wait_for(lambda: run.status.state == "lost")
    with pytest.raises(UsageError, match="nothing to stop"):
        stop(run)
    assert launch(long, tmp_path).status == "resumed"
    wait_for(lambda: not run.status.alive)
    assert run.status.state == "done", run.log()
    assert "going on after epoch" in run.log()
    assert [record["epoch"] for record in run.metrics("student")] == list(range(1, 4001))
    whole = wb.distill(**{**_parts(), "training": long.training}, root=tmp_path / "whole")
    assert run.result is not None
    assert whole.result is not None
    assert run.result["student"]["metrics"] == whole.result["student"]["metrics"]


def test_a_stopped_run_keeps_its_checkpoint_and_the_next_in_line_starts(tmp_path: Path) -> None:
    first = launch(spec(100_000), tmp_path).run
    wait_for(lambda: in_student_training(first))
    second = launch(spec(seed=1), tmp_path).run
    wait_for(lambda: "before this one" in second.status.stage)
    stop(first)
    assert first.status.state == "stopped"
    assert (first.path / "checkpoint.safetensors").exists()
    wait_for(lambda: not workers_of(first))
    wait_for(lambda: not second.status.alive)
    assert second.status.state == "done", second.log()
    with pytest.raises(UsageError, match="is finished"):
        resume(second)
    resume(first)
    wait_for(lambda: in_student_training(first))
    wait_for(lambda: removed(first.path))
    wait_for(lambda: not workers_of(first))
    assert not first.path.exists(), "a deleted run folder does not come back"
    assert first.status.state == "lost"
