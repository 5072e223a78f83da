"""How a sweep is carried out, whatever happens meanwhile, told by an engine that does as the test says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import RunError, UsageError
from workbench.runs import sweep as module
from workbench.runs.claim import claim
from workbench.runs.files import write_json
from workbench.runs.folder import Run
from workbench.runs.status import Status, write_status
from workbench.runs.store import private_folder
from workbench.runs.sweep import Sweep, carry_out_sweep, check_jobs, sweep_of
from workbench.runs.sweep_grid import sweep_of as read
from workbench.runs.sweep_local import LocalSlots, News, Share, share_of
from workbench.runs.sweep_progress import sweep_records
from workbench.spec import Spec

Deed = Callable[[str, Spec], News | None]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)


def small_sweep(root: Path, **changes: Any) -> Sweep:
    document = {"dataset": "builtin-karate", "teacher": "gcn", "methods": ["none", "kd"], "seeds": "0-1"}
    return sweep_of("mine", read({**document, "device": "cpu", **changes}).specs, root, str)


def leave(root: Path, spec: Spec, state: str, **more: Any) -> Path:
    """The folder of a run in a state, as a process that is gone left it."""
    run, _ = claim(spec, root, Status(state="queued", pid=os.getpid()))
    if state == "done":
        write_json(run.path / "result.json", {"seconds": 1.0})
    write_status(run.path, Status(**{"state": state, "pid": 0, "host": "", **more}))
    return run.path


class Scripted:
    """An engine that carries out nothing: ``deed`` says what becomes of a run that is started."""

    name = "scripted"

    def __init__(self, root: Path, deed: Deed | None = None, slots: int = 1, retries: int = 1) -> None:
        self.root, self.deed, self.slots, self.retries = root, deed or self.finish, slots, retries
        self.started: list[str] = []
        self.most = 0
        self.left = False
        self._now: list[tuple[str, Spec]] = []

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.left = True

    def has_room(self) -> bool:
        return len(self._now) < self.slots

    def start(self, id: str, spec: Spec, roams: bool) -> None:
        self.started.append(id)
        self._now.append((id, spec))
        self.most = max(self.most, len(self._now))

    def news(self, seconds: float) -> list[News]:
        now, self._now = self._now, []
        return [self.deed(*each) or News(each[0], "ended") for each in now]

    def finish(self, id: str, spec: Spec) -> None:
        leave(self.root, spec, "done")


def states(sweep: Sweep) -> list[str]:
    return [run.status.state for run in sweep.runs]


def test_every_run_is_carried_out_once_in_order_in_as_many_slots_as_there_are(tmp_path: Path) -> None:
    sweep, engine = small_sweep(tmp_path), Scripted(tmp_path, slots=3)
    carry_out_sweep(sweep, engine)
    assert sorted(engine.started) == sorted(sweep.jobs)
    assert engine.most == 3
    assert engine.left
    assert states(sweep) == ["done"] * 4


def test_what_is_finished_is_skipped(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    first, *others = sweep.jobs.values()
    leave(tmp_path, first.spec, "done")
    engine = Scripted(tmp_path)
    carry_out_sweep(sweep, engine)
    assert engine.started == [job.id for job in others]


@pytest.mark.parametrize("state", ["failed", "stopped", "lost"])
def test_what_failed_was_stopped_or_lost_before_is_gone_on_with(tmp_path: Path, state: str) -> None:
    sweep = small_sweep(tmp_path)
    folder = leave(tmp_path, next(iter(sweep.jobs.values())).spec, state)
    (folder / "stop").touch()
    engine = Scripted(tmp_path)
    carry_out_sweep(sweep, engine)
    assert folder.name in engine.started
    assert states(sweep) == ["done"] * 4


def test_a_run_of_somebody_else_is_waited_for(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    looks: list[str] = []

    def deed(id: str, spec: Spec) -> News | None:
        if spec.seed == 0 and spec.objective.name == "kd":
            claim(spec, tmp_path, Status(state="queued").of_this_process(False))
            return News(id, "elsewhere")
        leave(tmp_path, spec, "done")
        return None

    def told(_: object) -> None:
        looks.append(states(sweep)[1])
        if looks.count("queued") == 5:  # the others are done by now, and this one too at last
            leave(tmp_path, list(sweep.jobs.values())[1].spec, "done")

    engine = Scripted(tmp_path, deed)
    carry_out_sweep(sweep, engine, told)
    assert sorted(engine.started) == sorted(sweep.jobs)
    assert states(sweep) == ["done"] * 4


@pytest.mark.parametrize("state", ["lost", "stopped"])
def test_a_run_that_somebody_else_gave_up_is_taken_over(tmp_path: Path, state: str) -> None:
    sweep = small_sweep(tmp_path)

    def deed(id: str, spec: Spec) -> News | None:
        again = (tmp_path / id).exists()
        leave(tmp_path, spec, "done" if again else state)
        return None if again else News(id, "elsewhere")

    engine = Scripted(tmp_path, deed)
    carry_out_sweep(sweep, engine)
    assert len(engine.started) == 8
    assert states(sweep) == ["done"] * 4


def test_a_run_whose_slot_dies_is_resumed_and_fails_when_it_happens_again(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    unlucky, cursed = list(sweep.jobs)[1:3]

    def deed(id: str, spec: Spec) -> News | None:
        died = id == cursed or (id == unlucky and not (tmp_path / id).exists())
        leave(tmp_path, spec, "running" if died else "done", pid=2**22 + 1)
        return News(id, "died", "signal SIGKILL") if died else None

    engine = Scripted(tmp_path, deed)
    carry_out_sweep(sweep, engine)
    assert engine.started.count(unlucky) == engine.started.count(cursed) == 2
    assert states(sweep) == ["done", "done", "failed", "done"]
    assert "died 2 times, the last time with signal SIGKILL" in Run(tmp_path / cursed).status.message


def test_a_run_that_a_person_stopped_meanwhile_stays_stopped(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    chosen = list(sweep.jobs)[1]

    def deed(id: str, spec: Spec) -> News | None:
        path = leave(tmp_path, spec, "stopped" if id == chosen else "done")
        if id == chosen:
            (path / "stop").touch()
            return News(id, "died", "signal SIGKILL")
        return None

    engine = Scripted(tmp_path, deed)
    carry_out_sweep(sweep, engine)
    assert engine.started.count(chosen) == 1
    assert states(sweep) == ["done", "stopped", "done", "done"]


def test_one_that_fails_does_not_end_the_sweep(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    ids = list(sweep.jobs)

    def deed(id: str, spec: Spec) -> News | None:
        leave(tmp_path, spec, "failed" if id == ids[0] else "running" if id == ids[1] else "done", pid=os.getpid())
        return News(id, "fault", "OSError: disk full") if id == ids[1] else None

    carry_out_sweep(sweep, Scripted(tmp_path, deed))
    assert states(sweep) == ["failed", "failed", "done", "done"]
    assert Run(tmp_path / ids[1]).status.message == "OSError: disk full"


def test_slots_that_die_before_they_begin_end_the_sweep_with_a_place_to_look(tmp_path: Path) -> None:
    engine = Scripted(tmp_path, lambda id, _: News(id, "died", "exit code 1"))
    with pytest.raises(RunError, match=r"slots\.log"):
        carry_out_sweep(small_sweep(tmp_path), engine)
    assert engine.left


def test_an_interrupted_sweep_leaves_its_engine(tmp_path: Path) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    engine = Scripted(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        carry_out_sweep(small_sweep(tmp_path), engine, interrupt)
    assert engine.left


def test_a_run_whose_teacher_is_being_made_comes_after_those_with_another_one(tmp_path: Path) -> None:
    sweep, first = small_sweep(tmp_path), {}

    def deed(id: str, spec: Spec) -> News | None:
        first.setdefault("together", list(engine.started))
        leave(tmp_path, spec, "done")
        return None

    engine = Scripted(tmp_path, deed, slots=2)
    carry_out_sweep(sweep, engine)
    assert [sweep.jobs[id].spec.seed for id in first["together"]] == [0, 1]


def test_a_teacher_that_is_there_keeps_no_run_back(tmp_path: Path) -> None:
    sweep, first = small_sweep(tmp_path), {}
    job = next(iter(sweep.jobs.values()))
    write_json(private_folder(tmp_path, "teachers", job.teacher) / "teacher.json", {})

    def deed(id: str, spec: Spec) -> News | None:
        first.setdefault("together", list(engine.started))
        leave(tmp_path, spec, "done")
        return None

    engine = Scripted(tmp_path, deed, slots=2)
    carry_out_sweep(sweep, engine)
    assert [sweep.jobs[id].spec.seed for id in first["together"]] == [0, 0]


def test_what_is_stored_of_a_sweep_names_its_runs_and_who_carries_it_out(tmp_path: Path) -> None:
    sweep, before = small_sweep(tmp_path), time.time()
    carry_out_sweep(sweep, Scripted(tmp_path, slots=2))
    (record,) = sweep_records(tmp_path)
    assert record.runs == tuple(sweep.jobs)
    assert (record.name, record.id, record.engine, record.slots) == ("mine", sweep.id, "scripted", 2)
    assert (record.pid, record.process_lives) == (os.getpid(), True)
    assert before <= record.started <= time.time()


def test_the_same_runs_are_the_same_sweep_in_whatever_order(tmp_path: Path) -> None:
    turned = small_sweep(tmp_path, methods=["kd", "none"], seeds=[1, 0])
    assert list(turned.jobs) != list(small_sweep(tmp_path).jobs)
    assert turned.id == small_sweep(tmp_path).id != small_sweep(tmp_path, seeds=0).id


def test_runs_that_differ_in_their_device_name_alone_are_one(tmp_path: Path) -> None:
    specs = [spec for device in ("auto", "cpu") for spec in read({"dataset": "builtin-karate", "device": device}).specs]
    assert len(sweep_of("mine", specs, tmp_path, lambda _: "cpu").jobs) == 1


def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, methods="fitnet", students={"name": "gcn", "num_layers": 1})
    with pytest.raises(UsageError, match="gcn"):
        check_jobs(sweep.jobs.values())
    assert not list(tmp_path.iterdir())


def test_slots_and_threads_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.runs.sweep_local.usable_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert share_of(None) == Share(slots=8, threads=1)
    assert share_of(2) == Share(slots=2, threads=4)
    assert share_of(None, ("cuda:0", "cuda:1")) == Share(2, 4, ("cuda:0", "cuda:1"))
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert share_of(None) == Share(slots=2, threads=4)
    assert share_of(3) == Share(slots=3, threads=4)


def test_a_slot_takes_turns_with_single_runs_only_where_it_has_a_gpu_for_itself() -> None:
    gpus = ("cuda:0", "cuda:1")
    assert Share(2, 1, gpus).turns
    assert not Share(3, 1, gpus).turns
    assert not Share(1, 1).turns


def test_every_gpu_has_its_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str | None, str]] = []

    class Silent:
        def __init__(self, root: Path, device: str | None, *_: object) -> None:
            self.id: str | None = None
            self.device = device

        def order(self, id: str, spec: Spec) -> None:
            self.id = id
            given.append((self.device, spec.device))

    monkeypatch.setattr("workbench.runs.sweep_local.Slot", Silent)
    slots = LocalSlots(tmp_path, Share(2, 1, ("cuda:0", "cuda:1")))
    specs = list(small_sweep(tmp_path, device="cuda:0").jobs.values())
    for job in specs[:2]:
        assert slots.has_room()
        slots.start(job.id, job.spec, roams=True)
    assert given == [("cuda:0", "cuda:0"), ("cuda:1", "cuda:1")]
    assert not slots.has_room()
