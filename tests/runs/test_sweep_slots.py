"""Sweeps in real slots, which are killed: every test starts processes, so there are few and they are thorough."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml

import workbench as wb
from workbench.runs.folder import Run
from workbench.runs.launch import stop
from workbench.runs.sweep import Sweep, carry_out_sweep, sweep_of
from workbench.runs.sweep_grid import sweep_of as read
from workbench.runs.sweep_local import LocalSlots, Share
from workbench.training.checkpoint import load_tensors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SHORT = {"epochs": 10, "patience": 0, "keep_every": 0}
SECONDS = 9.0  # of a long training: long enough for a checkpoint
GRID = {
    "dataset": "builtin-karate",
    "teachers": "gcn",
    "students": "gcn",
    "device": "cpu",
    "teacher_training": SHORT,
    "training": SHORT,
}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A training of some seconds of this machine, if nothing else keeps it busy."""
    training = {**SHORT, "epochs": 200}
    started = time.process_time()
    wb.distill(**{**_one(), "training": training}, root=tmp_path_factory.mktemp("pace"))
    return {**SHORT, "epochs": int(200 * SECONDS / (time.process_time() - started))}


def _one() -> dict[str, Any]:
    return {"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "device": "cpu", "teacher_training": SHORT}


def sweep(root: Path, **changes: Any) -> Sweep:
    return sweep_of("mine", read({**GRID, **changes}).specs, root, lambda _: "cpu")


def slots(root: Path, number: int) -> LocalSlots:
    return LocalSlots(root, Share(number, threads=1))


def states(of: Sweep) -> list[str]:
    return [run.status.state for run in of.runs]


def stamps(of: Sweep) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for run in of.runs for file in sorted(run.path.rglob("*"))}


def wait_for(condition: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def has_checkpoint(run: Run) -> bool:
    path = run.path / "checkpoint.safetensors"
    return path.exists() and load_tensors(path).header["stage"] == "student" and run.status.state == "running"


def epochs_once(run: Run) -> bool:
    """Every epoch of the student stands once in the metrics: none was lost by the interruption, none is there twice."""
    return [record["epoch"] for record in run.metrics("student")] == list(range(1, run.spec.training.epochs + 1))


@contextmanager
def going_on(of: Sweep, number: int) -> Iterator[threading.Thread]:
    """The sweep while it goes on in slots of its own; leaving it waits for the end."""
    thread = threading.Thread(target=carry_out_sweep, args=(of, slots(of.root, number)))
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


@contextmanager
def as_a_command(of: Sweep, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``workbench sweep`` as a process of its own, of the very runs of ``of``."""
    first = next(iter(of.jobs.values())).spec
    document = {**GRID, "name": of.name, "seeds": [job.spec.seed for job in of.jobs.values()]}
    file.write_text(yaml.safe_dump({**document, "training": {**SHORT, "epochs": first.training.epochs}}))
    command = [sys.executable, "-m", "workbench", "sweep", str(file), "--runs", str(of.root), "--slots", "2"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start tests with Ctrl-C ignored
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def slots_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


def test_a_sweep_gives_the_very_numbers_of_single_runs_and_shares_its_teachers(tmp_path: Path) -> None:
    whole = sweep(tmp_path / "sweep", methods=["none", "kd", "gcrd"], seeds="0-1")
    carry_out_sweep(whole, slots(whole.root, 1))  # one process for all: nothing of a run may reach the next
    assert states(whole) == ["done"] * 6
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for run in whole.runs:
            of = run.spec
            parts = {"dataset": of.dataset, "teacher": of.teacher, "student": of.student, "method": of.objective}
            trainings = {"training": of.training, "teacher_training": of.teacher_training}
            single = wb.distill(**parts, **trainings, seed=of.seed, device="cpu", root=tmp_path / "single")
            assert single.id == run.id
            for side in ("teacher", "student"):
                assert run.result[side]["metrics"] == single.result[side]["metrics"]
            assert _losses(run) == _losses(single)
    finally:
        torch.set_num_threads(before)
    made = [run for run in whole.runs if not run.result["teacher"]["reused"]]
    assert len(made) == 2, "one teacher per seed"
    pids = {run.status.pid for run in whole.runs}
    assert len(pids) == 1, "one persistent process"
    assert "training the student" in whole.runs[3].log()

    finished = stamps(whole)
    carry_out_sweep(whole, slots(whole.root, 2))
    assert stamps(whole) == finished, "a finished sweep is left as it is"


def _losses(run: Run) -> list[float]:
    return [record["loss"] for record in run.metrics()]


def test_two_slots_do_not_train_the_same_teacher_twice(tmp_path: Path) -> None:
    both = sweep(tmp_path, methods=["none", "kd"], teacher_training={**SHORT, "epochs": 500})
    carry_out_sweep(both, slots(tmp_path, 2))
    assert states(both) == ["done"] * 2
    assert sorted(run.result["teacher"]["reused"] for run in both.runs) == [False, True]
    assert len({run.status.pid for run in both.runs}) == 2


def test_a_slot_that_is_killed_is_replaced_and_its_run_goes_on_from_its_checkpoint(
    tmp_path: Path, long: dict[str, Any]
) -> None:
    both = sweep(tmp_path, seeds="0-1", training=long)
    victim, other = both.runs
    with going_on(both, 2):
        wait_for(lambda: has_checkpoint(victim))
        killed = victim.status.pid
        os.kill(killed, signal.SIGKILL)
    assert states(both) == ["done"] * 2
    assert victim.status.pid != killed
    assert "going on after epoch" in victim.log()
    assert "going on after epoch" not in other.log()
    assert epochs_once(victim)


def test_a_run_that_is_stopped_by_a_person_stays_stopped_and_the_others_go_on(
    tmp_path: Path, long: dict[str, Any]
) -> None:
    three = sweep(tmp_path, seeds="0-2", training={**long, "epochs": long["epochs"] // 3})
    chosen = three.runs[1]
    with going_on(three, 2):
        wait_for(lambda: chosen.path.exists() and chosen.status.stage == "training the student")
        stop(chosen)
        assert chosen.status.state == "stopped"
    assert states(three) == ["done", "stopped", "done"]
    carry_out_sweep(three, slots(tmp_path, 2))
    assert states(three) == ["done"] * 3
    assert epochs_once(chosen)


def test_a_sweep_that_is_killed_is_continued_by_the_same_command(tmp_path: Path, long: dict[str, Any]) -> None:
    three = sweep(tmp_path / "runs", seeds="0-2", training=long)
    file = tmp_path / "sweep.yaml"
    with as_a_command(three, file) as process:
        wait_for(lambda: has_checkpoint(three.runs[0]))
        left_behind = slots_of(process)
        process.kill()  # its slots notice, store a checkpoint and leave
        process.wait()
        psutil.wait_procs(left_behind, timeout=60)
    assert not any(slot.is_running() for slot in left_behind)
    assert sorted(states(three)) == ["lost", "stopped", "stopped"], "the third had not been begun"

    with as_a_command(three, file) as process:
        wait_for(lambda: "done" in states(three))
        done = [run for run in three.runs if run.status.state == "done"]
        finished = {run.id: (run.path / "result.json").stat().st_mtime_ns for run in done}
        wait_for(lambda: has_checkpoint(three.runs[2]))
        process.kill()
        process.wait()

    with as_a_command(three, file) as process:
        assert process.wait() == 0
    assert states(three) == ["done"] * 3
    for run in three.runs:
        assert epochs_once(run)
        assert "going on after epoch" in run.log()
    for id, stamp in finished.items():
        assert (three.root / id / "result.json").stat().st_mtime_ns == stamp


def test_ctrl_c_stops_all_runs_with_their_checkpoints(tmp_path: Path, long: dict[str, Any]) -> None:
    both = sweep(tmp_path / "runs", seeds="0-1", training=long)
    with as_a_command(both, tmp_path / "sweep.yaml") as process:
        wait_for(lambda: all(run.path.exists() and run.status.stage == "training the student" for run in both.runs))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert states(both) == ["stopped"] * 2
    for run in both.runs:
        header = load_tensors(run.path / "checkpoint.safetensors").header
        assert (header["stage"], header["epoch"]) == ("student", len(run.metrics("student")))
    stored = json.loads(next((both.root / ".workbench" / "sweeps").glob("*.json")).read_text())
    assert stored["runs"] == list(both.jobs)
