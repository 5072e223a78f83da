"""``workbench sweep``: what it lists, prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app

FILE = """
datasets: builtin-karate
teachers: gcn
students: gcn
methods: [none, kd]
seeds: 0-1
device: cpu
training: {epochs: 5, keep_every: 0}
teacher_training: {epochs: 5, keep_every: 0}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "grid.yaml"
    path.write_text(FILE)
    return path


def workbench(*arguments: object):
    return CliRunner().invoke(app, ["sweep", *map(str, arguments)])


def test_a_dry_run_lists_every_run_and_writes_nothing(file, runs_root):
    result = workbench(file, "--dry-run", "--json", "--slots", 3)
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (document["name"], document["slots"]) == ("grid", 3)
    assert [run["state"] for run in document["runs"]] == ["missing"] * 4
    assert [(run["spec"]["method"], run["spec"]["seed"]) for run in document["runs"]] == [
        ("none", 0),
        ("kd", 0),
        ("none", 1),
        ("kd", 1),
    ]
    assert list(runs_root.iterdir()) == []


def test_a_dry_run_tells_what_is_finished_and_what_goes_on(file, runs_root, make_run_folder):
    ids = [run["id"] for run in json.loads(workbench(file, "--dry-run", "--json").stdout)["runs"]]
    for id, state in zip(ids, ("done", "running", "failed"), strict=False):
        make_run_folder(id, state=state)
    result = workbench(file, "--dry-run")
    rows = result.stdout.splitlines()[1:]
    for word, row in zip(("finished", "going on", "failed, goes on", "to run"), rows, strict=True):
        assert f" {word} " in row
    assert "4 runs, 1 finished, 3 to run" in result.stderr


@pytest.mark.slow
def test_a_sweep_prints_one_document_and_is_not_run_twice(file, runs_root, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    first = workbench(file, "--slots", 2, "--json")
    assert first.exit_code == 0, first.stderr
    document = json.loads(first.stdout)
    assert [run["state"] for run in document["runs"]] == ["done"] * 4
    for run in document["runs"]:
        stored = json.loads((runs_root / run["id"] / "result.json").read_text())
        assert run["student"]["metrics"] == stored["student"]["metrics"]
    assert "4 of 4 done" in first.stderr
    stamps = {file: file.stat().st_mtime_ns for file in runs_root.glob("builtin*/*")}
    again = workbench(file, "--slots", 2)
    assert again.exit_code == 0
    assert "4 of them finished already" in again.stderr
    assert "±" in again.stdout
    assert {file: file.stat().st_mtime_ns for file in runs_root.glob("builtin*/*")} == stamps


def test_a_run_that_fails_is_named_and_the_exit_code_is_one(file, runs_root, make_run_folder, monkeypatch):
    ids = [run["id"] for run in json.loads(workbench(file, "--dry-run", "--json").stdout)["runs"]]

    def carry_out(sweep, engine, told):
        for id in sweep.jobs:
            make_run_folder(id, state="failed" if id == ids[2] else "done")

    monkeypatch.setattr("workbench.runs.sweep.carry_out_sweep", carry_out)
    result = workbench(file)
    assert result.exit_code == 1
    assert f"{ids[2]} failed: not enough memory" in result.stderr
    assert result.stderr.count(" failed: ") == 1


def test_ctrl_c_says_how_it_goes_on(file, runs_root, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.runs.sweep.carry_out_sweep", interrupted)
    result = workbench(file)
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("datasets: korra", "grid.yaml: datasets: "),
        ("methods: kd", "grid.yaml: datasets: is missing"),
        ("dataset: builtin-karate\ndevice: cuda:77", "device 'cuda:77' is not on this machine"),
        ("a: [", "is not readable YAML"),
        ("dataset: builtin-karate\nmethod: fitnet\nstudent: {name: gcn, num_layers: 1}", "fitnet"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(file, runs_root, text, said):
    file.write_text(text)
    result = workbench(file)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert list(runs_root.iterdir()) == []


def test_ray_without_a_cluster_is_refused_with_what_to_do(file, runs_root, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    result = workbench(file, "--engine", "ray")
    assert result.exit_code == 2
    assert "ray start --head" in result.stderr


def test_a_file_that_is_not_there_is_refused(tmp_path):
    result = workbench(tmp_path / "nothing.yaml")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
