from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import RunError, UsageError
from workbench.runs.folder import Run
from workbench.runs.index import VERSION
from workbench.runs.status import Status, write_status
from workbench.runs.store import find_run, list_runs, runs_root

SPEC = """\
format: 1
dataset: {name: cora}
teacher: {name: gat}
student: {name: gcn}
method: [{name: kd}, {name: gcrd}]
seed: 3
"""


def make(root: Path, name: str, created: float = 0.0, state: str = "done") -> Run:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "spec.yaml").write_text(SPEC)
    (folder / "result.json").write_text(json.dumps({"compression": 2.0}))
    write_status(folder, Status(state=state, created=created))  # type: ignore[arg-type]
    return Run(folder)


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    for name, created in (("b", 2.0), ("a", 1.0), ("c", 3.0)):
        make(tmp_path, name, created)
    assert [run.id for run in list_runs(tmp_path)] == ["c", "b", "a"]


def test_a_root_may_be_text(tmp_path: Path) -> None:
    make(tmp_path, "a-run")
    assert find_run("a-run", str(tmp_path)).id == list_runs(str(tmp_path))[0].id == "a-run"


def test_the_index_says_what_the_folders_say(tmp_path: Path) -> None:
    make(tmp_path, "a", 1.0)
    first = list_runs(tmp_path)[0]
    second = list_runs(tmp_path)[0]  # from the index
    assert type(second) is not type(first)
    assert (second.document, second.status, second.result) == (first.document, first.status, first.result)


def test_a_changed_a_new_and_a_deleted_run_are_noticed(tmp_path: Path) -> None:
    run = make(tmp_path, "a", 1.0)
    make(tmp_path, "b", 2.0)
    list_runs(tmp_path)
    write_status(run.path, Status(state="failed", created=1.0))
    make(tmp_path, "c", 3.0)
    for file in (tmp_path / "b").iterdir():
        file.unlink()
    (tmp_path / "b").rmdir()
    assert [(r.id, r.status.state) for r in list_runs(tmp_path)] == [("c", "done"), ("a", "failed")]


@pytest.mark.parametrize("name", ["result.json", "spec.yaml"])
def test_a_file_that_goes_behind_the_indexs_back_is_missed(tmp_path: Path, name: str) -> None:
    run = make(tmp_path, "a", 1.0)
    assert list_runs(tmp_path)[0].status.state == "done"
    (run.path / name).unlink()
    assert list_runs(tmp_path)[0].status.state == find_run("a", tmp_path).status.state == "lost"


def test_a_result_that_was_written_anew_is_seen(tmp_path: Path) -> None:
    run = make(tmp_path, "a", 1.0)
    list_runs(tmp_path)
    (run.path / "result.json").write_text(json.dumps({"compression": 4.25}))
    assert list_runs(tmp_path)[0].result == {"compression": 4.25}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "arrays").mkdir(parents=True)
    (outside / "log.txt").write_text("a secret")
    (outside / "metrics.jsonl").write_text(json.dumps({"stage": "student", "epoch": 1}) + "\n")
    (outside / "result.json").write_text(json.dumps({"compression": 8.0}))
    np.savez(outside / "arrays/student.npz", logits=np.zeros(3))
    run = make(tmp_path / "runs", "a")
    (run.path / "result.json").unlink()
    for name in ("log.txt", "metrics.jsonl", "result.json", "arrays"):
        (run.path / name).symlink_to(outside / name)
    assert (run.log(), run.metrics(), run.result, run.array_names()) == ("", [], None, [])
    with pytest.raises(RunError, match="no arrays 'student'"):
        run.arrays("student")
    (run.path / "spec.yaml").rename(outside / "spec.yaml")
    (run.path / "spec.yaml").symlink_to(outside / "spec.yaml")
    with pytest.raises(RunError, match="a link that leads out of the run folder"):
        _ = Run(run.path).document


def test_a_root_and_a_run_may_be_reached_through_a_link(tmp_path: Path) -> None:
    make(tmp_path / "disk", "a")
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    assert list_runs(tmp_path / "runs")[0].result == Run(tmp_path / "runs/a").result == {"compression": 2.0}


def test_a_damaged_index_is_not_trusted(tmp_path: Path) -> None:
    make(tmp_path, "a")
    list_runs(tmp_path)
    (tmp_path / ".workbench" / "index.sqlite").write_bytes(b"not a database at all, only text" * 100)
    assert [run.id for run in list_runs(tmp_path)] == ["a"]


@pytest.mark.parametrize(
    "damage",
    [
        'status = \'{"state": "running", "pid": "abc"}\'',
        "status = '[]'",
        "spec = 'half a docu'",
        "spec = '3'",
        "result = NULL",
        "result = '[]'",
    ],
)
def test_a_damaged_row_of_the_index_is_read_from_the_folder_and_mended(tmp_path: Path, damage: str) -> None:
    run = make(tmp_path, "a")
    make(tmp_path, "b", 1.0)
    list_runs(tmp_path)
    with closing(sqlite3.connect(tmp_path / ".workbench" / "index.sqlite")) as database, database:
        database.execute(f"UPDATE runs_{VERSION} SET {damage} WHERE id = 'a'")
    for _ in ("from the folder", "from the index"):
        found = {each.id: each for each in list_runs(tmp_path)}
        assert list(found) == ["b", "a"]
        assert (found["a"].document, found["a"].status, found["a"].result) == (run.document, run.status, run.result)
    assert type(found["a"]) is type(found["b"]) is not Run, "the next look finds both in the index"


def test_a_runs_root_below_a_home_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_RUNS", "~nobody-of-this-name/runs")
    with pytest.raises(UsageError, match="~nobody-of-this-name has no home folder"):
        runs_root()


def test_folders_that_are_no_runs_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a")
    (tmp_path / "other").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "spec.yaml").write_text("[:")
    assert {run.id: run.status.state for run in list_runs(tmp_path)} == {"a": "done", "broken": "lost"}


def test_a_damaged_run_is_shown_as_lost_and_says_why(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        make(tmp_path, name)
    (tmp_path / "a" / "spec.yaml").unlink()
    (tmp_path / "b" / "result.json").write_text("{")
    (tmp_path / "c" / "status.json").write_text('{"state": "running", "pid": "abc"}')
    found = {run.id: run for run in list_runs(tmp_path)}
    assert [found[name].status.state for name in "abc"] == ["lost"] * 3
    assert "spec.yaml cannot be read" in found["a"].status.message
    assert "result.json cannot be read" in found["b"].status.message
    assert found["a"].title == "a"
    assert found["a"].seed is None


def test_an_empty_or_missing_root_has_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_is_found_by_id_by_prefix_and_by_part(tmp_path: Path) -> None:
    for name in ("cora-kd-s0-abc", "cora-kd-s0-abcdef", "cora-lsp-s1-123"):
        make(tmp_path, name)
    assert find_run("cora-kd-s0-abc", tmp_path).id == "cora-kd-s0-abc"
    assert find_run("cora-l", tmp_path).id == "cora-lsp-s1-123"
    assert find_run("123", tmp_path).id == "cora-lsp-s1-123"


@pytest.mark.parametrize("name", ["", "nothing", "cora-kd", "../a", "/etc", "."])
def test_none_or_several_are_refused(tmp_path: Path, name: str) -> None:
    for run in ("cora-kd-s0", "cora-kd-s1"):
        make(tmp_path / "runs", run)
    make(tmp_path, "a")
    with pytest.raises(UsageError):
        find_run(name, tmp_path / "runs")


def test_a_run_says_what_is_missing(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    with pytest.raises(RunError, match="has no arrays 'teacher'"):
        run.arrays("teacher")
    (run.path / "arrays").mkdir()
    (run.path / "arrays" / "teacher.npz").write_bytes(b"PK half")
    with pytest.raises(RunError, match="damaged"):
        run.arrays("teacher")
    with pytest.raises(RunError, match="has no arrays"):
        run.arrays("../../a")


def test_a_half_written_last_line_of_the_metrics_is_skipped(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    (run.path / "metrics.jsonl").write_text('{"stage": "teacher", "epoch": 1}\n{"stage": "stu')
    assert run.metrics() == [{"stage": "teacher", "epoch": 1}]
    assert run.metrics("student") == []


def test_a_title_is_for_people(tmp_path: Path) -> None:
    assert make(tmp_path, "a").title == "cora · gat → gcn · kd+gcrd · seed 3"
