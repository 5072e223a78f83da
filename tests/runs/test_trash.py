"""A deleted run can be had back; what must not be deleted is not."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from run_folders import write_status_file

from workbench.errors import UsageError
from workbench.runs.folder import Run
from workbench.runs.store import demo_runs, list_runs
from workbench.runs.trash import delete, deleted_runs, restore

RUN = "karate-kd-s0-0123456789ab"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def age(path: Path, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def test_a_deleted_run_is_in_no_list_and_comes_back_as_it_was(make_run_folder, runs_root):
    folder = make_run_folder(RUN)
    before = contents(folder)
    deleted = delete(Run(folder))
    assert not folder.exists()
    assert list_runs() == []
    assert deleted.path == runs_root / ".workbench" / "trash" / RUN
    assert [(each.id, each.path) for each in deleted_runs()] == [(RUN, deleted.path)]
    assert restore(deleted.path.name).path == folder
    assert contents(folder) == before
    assert [run.id for run in list_runs()] == [RUN]
    assert deleted_runs() == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_is_going_on_is_not_deleted(make_run_folder, state):
    folder = make_run_folder(state=state)
    with pytest.raises(UsageError, match="stop it before"):
        delete(Run(folder))
    assert folder.is_dir()


@pytest.mark.parametrize("state", ["done", "failed", "stopped", "lost"])
def test_a_run_that_ended_in_any_way_can_be_deleted(make_run_folder, state):
    folder = make_run_folder(state=state)
    delete(Run(folder))
    assert not folder.exists()


def test_a_run_for_which_a_worker_still_computes_is_not_deleted(make_run_folder):
    folder = make_run_folder()
    with FileLock(folder / "worker.lock"), pytest.raises(UsageError, match="still computed"):
        delete(Run(folder))
    delete(Run(folder))
    assert not folder.exists()


def test_a_damaged_run_can_be_deleted(make_run_folder):
    folder = make_run_folder()
    (folder / "spec.yaml").write_text("{half")
    delete(Run(folder))
    assert not folder.exists()


def test_an_example_is_not_deleted(runs_root):
    example = demo_runs()[0]
    with pytest.raises(UsageError, match="does not lie in"):
        delete(example)
    assert example.path.is_dir()


def test_nothing_outside_the_root_is_moved(make_run_folder, runs_root, tmp_path):
    outside = make_run_folder().rename(tmp_path / "outside")
    (runs_root / "a-link").symlink_to(outside, target_is_directory=True)
    for path in (outside, runs_root / "a-link", runs_root / ".." / "outside", runs_root / "no-such"):
        with pytest.raises(UsageError):
            delete(Run(path))
    assert (outside / "spec.yaml").is_file()
    for name in ("../../outside", "/", "", ".", "no-such"):
        with pytest.raises(UsageError, match="no deleted run"):
            restore(name)


def test_two_deleted_runs_of_one_id_are_kept_apart(make_run_folder):
    first = delete(Run(make_run_folder(RUN)))
    second = delete(Run(make_run_folder(RUN, seed=7)))
    assert first.path != second.path
    assert {each.id for each in deleted_runs()} == {RUN}
    assert restore(second.path.name).document["seed"] == 7
    with pytest.raises(UsageError, match="there is a run"):
        restore(first.path.name)
    assert first.path.is_dir()


def test_what_is_too_old_is_destroyed_with_the_next_deletion(make_run_folder):
    old, young = (delete(Run(make_run_folder(name))) for name in ("old", "young"))
    age(old.path, 7.1)
    age(young.path, 6.9)
    assert old.path.is_dir()
    delete(Run(make_run_folder("next")))
    assert [each.id for each in deleted_runs()] == ["next", "young"]


def test_only_the_last_twenty_are_kept(make_run_folder):
    for number in range(22):
        deleted = delete(Run(make_run_folder(f"run-{number:02}")))
        age(deleted.path, 1 - number / 100)
    assert [each.id for each in deleted_runs()] == [f"run-{number:02}" for number in range(21, 1, -1)]


def test_what_was_deleted_last_is_kept_whatever_the_times_in_the_trash_say(make_run_folder):
    for number in range(25):
        age(delete(Run(make_run_folder(f"run-{number:02}"))).path, -1)  # of a clock that went wrong
    deleted = delete(Run(make_run_folder(RUN)))
    assert deleted.path.is_dir()
    assert len(deleted_runs()) == 20
    assert restore(deleted.path.name).id == RUN


def test_a_file_system_that_keeps_no_times_does_not_fail_a_deletion(make_run_folder, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "not permitted")

    folder = make_run_folder()
    monkeypatch.setattr("workbench.runs.trash.os.utime", refuse)
    before = time.time()
    deleted = delete(Run(folder))
    assert not folder.exists()
    assert deleted.path.is_dir()
    assert before <= deleted.when <= time.time()


def test_no_worker_can_begin_while_a_run_is_moved(make_run_folder, monkeypatch):
    folder = make_run_folder()
    rename, tried = os.rename, []

    def move(source, target):
        with pytest.raises(Timeout):
            FileLock(folder / "worker.lock").acquire(timeout=0)
        tried.append(source)
        rename(source, target)

    monkeypatch.setattr("workbench.runs.trash.os.rename", move)
    delete(Run(folder))
    assert tried == [folder]


def test_what_the_list_of_runs_said_a_while_ago_is_not_believed(make_run_folder):
    folder = make_run_folder(state="stopped")
    listed = list_runs()[0]
    write_status_file(folder, "running")
    with pytest.raises(UsageError, match="stop it before"):
        delete(listed)
    assert folder.is_dir()


def test_a_run_that_vanishes_meanwhile_leaves_nothing_behind(make_run_folder, monkeypatch):
    folder = make_run_folder()
    monkeypatch.setattr("workbench.runs.trash._refuse_alive", lambda run: shutil.rmtree(run.path, ignore_errors=True))
    with pytest.raises(UsageError, match="gone already"):
        delete(Run(folder))
    assert not folder.exists()
    assert deleted_runs() == []


def test_a_trained_teacher_stays_in_the_cache(make_run_folder, runs_root):
    teacher = runs_root / ".workbench" / "teachers" / "0123" / "weights.safetensors"
    teacher.parent.mkdir(parents=True)
    teacher.write_bytes(b"weights")
    delete(Run(make_run_folder()))
    assert teacher.read_bytes() == b"weights"


def test_without_a_trash_nothing_is_created(runs_root):
    assert deleted_runs() == []
    assert list(runs_root.iterdir()) == []
