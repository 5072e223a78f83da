from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from workbench.errors import RunError
from workbench.runs.claim import claim
from workbench.runs.folder import Run
from workbench.runs.recorder import RunRecorder
from workbench.runs.status import Status
from workbench.spec import Spec

SPEC = Spec.parse({"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "kd", "device": "cpu"})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return claim(SPEC, tmp_path, Status(created=time.time()))[0]


def record(epoch: int) -> dict[str, object]:
    return {"epoch": epoch, "seconds": 0.01, "loss": 1.0}


def test_a_resumed_stage_drops_what_came_after_its_checkpoint_and_keeps_the_rest(run: Run) -> None:
    with RunRecorder(run, in_process=True) as recorder:
        recorder.begin("teacher", "training the teacher", 5)
        for epoch in range(1, 6):
            recorder.epoch(record(epoch))
        recorder.begin("student", "training the student", 5)
        for epoch in range(1, 5):
            recorder.epoch(record(epoch))
    with RunRecorder(run, in_process=True) as recorder:
        recorder.begin("student", "training the student", 5, resumed_at=2)
        recorder.epoch(record(3))
    assert [r["epoch"] for r in run.metrics("teacher")] == [1, 2, 3, 4, 5]
    assert [r["epoch"] for r in run.metrics("student")] == [1, 2, 3]


def test_a_deleted_folder_ends_the_run_and_does_not_come_back(run: Run) -> None:
    with RunRecorder(run, in_process=True) as recorder:
        shutil.rmtree(run.path)
        with pytest.raises(RunError, match="was deleted while the run was going on"):
            recorder.say(stage="still here")
    assert not run.path.exists()


def test_a_worker_of_a_deleted_folder_leaves_its_successor_alone(run: Run, tmp_path: Path) -> None:
    with RunRecorder(run, in_process=True) as recorder:
        run.path.rename(tmp_path / "deleted")  # keeps its number from being given to the next folder
        again, made = claim(SPEC, tmp_path, Status(stage="the new run", created=time.time()))
        assert made
        with pytest.raises(RunError, match="was deleted"):
            recorder.say(stage="the old worker")
    assert again.status.stage == "the new run"


def test_the_seconds_of_all_processes_add_up(run: Run) -> None:
    for _ in range(2):
        with RunRecorder(run, in_process=True) as recorder:
            recorder.start_clock()
            time.sleep(0.2)
            recorder.say(stage="worked a while")
    assert 0.4 <= run.status.elapsed < 60
