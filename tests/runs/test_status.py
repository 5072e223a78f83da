from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.runs.status import Status, read_status, write_status


@pytest.fixture
def running() -> Status:
    return Status(state="running", stage="training the student", created=time.time()).of_this_process(False)


def test_a_status_comes_back_as_it_was_written(tmp_path: Path, running: Status) -> None:
    written = write_status(tmp_path, replace(running, epoch=7, warnings=["a", "b"]))
    assert read_status(tmp_path) == written


def test_a_run_whose_process_has_gone_is_lost(tmp_path: Path, running: Status) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    write_status(tmp_path, replace(running, pid=child.pid))
    assert read_status(tmp_path).state == "lost"
    assert "resume" in read_status(tmp_path).message


def test_a_pid_that_another_process_has_taken_over_does_not_count(tmp_path: Path, running: Status) -> None:
    write_status(tmp_path, replace(running, process_started=running.process_started - 100))
    assert read_status(tmp_path).state == "lost"


def test_a_finished_run_needs_no_process(tmp_path: Path, running: Status) -> None:
    write_status(tmp_path, replace(running, state="done", pid=2**22 - 1, process_started=1.0))
    assert read_status(tmp_path).state == "done"


def test_a_run_of_another_machine_lives_as_long_as_its_heart_beats(tmp_path: Path, running: Status) -> None:
    write_status(tmp_path, replace(running, host="elsewhere"))
    assert read_status(tmp_path).state == "running"
    text = (tmp_path / "status.json").read_text()
    updated = read_status(tmp_path).updated
    (tmp_path / "status.json").write_text(text.replace(str(updated), str(updated - 3600)))
    assert read_status(tmp_path).state == "lost"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00"])
def test_a_damaged_status_is_a_lost_run_and_not_a_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "status.json").write_text(content)
    assert read_status(tmp_path).state == "lost"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pid": "abc"},
        {"pid": -1},
        {"pid": None},
        {"state": "dreaming"},
        {"state": ["running"]},
        {"epoch": 1.5},
        {"epoch": 10**400},
        {"created": "yesterday"},
        {"created": float("nan")},
        {"updated": 10**400},
        {"eta_seconds": float("inf")},
        {"warnings": "all well"},
        {"warnings": [1]},
    ],
    ids=lambda wrong: str(wrong)[:24],
)
def test_a_status_of_wrong_types_is_a_lost_run_and_not_a_fault(tmp_path: Path, wrong: dict[str, object]) -> None:
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "pid": 1, **wrong}))
    assert read_status(tmp_path).state == "lost"
    assert "status.json cannot be read" in read_status(tmp_path).message


def test_keys_of_another_version_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"state": "done", "colour": "red"}')
    assert read_status(tmp_path).state == "done"
