"""``workbench table``: what it prints, what it writes, and a row made again by its own command."""

import csv
import json
import shlex

import pytest


def test_every_format_and_a_file(command_line, make_run_folder, tmp_path):
    make_run_folder("karate-done")
    make_run_folder("karate-failed", state="failed")
    text = command_line("table").stdout
    assert "| KD |" in text
    assert "85.0" in text
    assert "`karate-done`" in text
    assert "karate-failed" not in text
    assert "\\begin{tabular}" in command_line("table", "--format", "latex").stdout
    (teacher, student) = command_line.json("table")
    assert (teacher["method"], student["method"], student["runs"]) == ("teacher", "kd", ["karate-done"])
    file = tmp_path / "table.csv"
    result = command_line("table", "done", "--format", "csv", "--output", file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 rows written" in result.stderr
    assert [row["method"] for row in csv.DictReader(file.open())] == ["teacher", "kd"]


def test_an_empty_root_says_what_to_do_and_papers_shows_what_nobody_has_run(command_line):
    result = command_line("table")
    assert result.exit_code == 0
    assert "no run is finished yet" in result.stderr
    (row,) = [row for row in command_line.json("table", "--papers", "--dataset", "mag") if row["method"] == "gcrd"]
    assert (row["paper"], row["paper_std"], row["verdict"], row["command"]) == (46.42, 0.20, "not run", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "xls"), "unknown format 'xls'"),
        (("--format", "csv", "--json"), "two formats"),
        (("--dataset", "cora"), "no row is of dataset 'cora'"),
        (("--output", "nowhere/table.md"), "is no file in a folder that is there"),
        (("nobody",), "no run 'nobody'"),
    ],
)
def test_what_cannot_be_shown_is_refused(command_line, arguments, message):
    assert message in command_line.refuses("table", *arguments)


def test_a_run_that_is_not_finished_is_refused(command_line, make_run_folder):
    make_run_folder("karate-failed", state="failed")
    result = command_line("table", "karate-failed")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not finished" in result.stderr


@pytest.mark.slow
def test_a_row_is_made_again_by_its_command_with_the_same_numbers(command_line, runs_root, tmp_path, monkeypatch):
    short = {"epochs": 5, "patience": 0}
    import workbench as wb

    for seed in (0, 2):
        for method in ("none", [{"name": "kd", "temperature": 2.0}, {"name": "gcrd"}]):
            wb.distill(
                "builtin-karate",
                student={"name": "gcn", "hidden_channels": 3},
                method=method,
                training=short,
                teacher_training=short,
                seed=seed,
                device="cpu",
            )
    (before,) = [row for row in command_line.json("table") if row["method"] == "kd+gcrd"]
    assert (before["n"], before["pairs"]) == (2, 2)
    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path / "again"))
    program, *arguments = shlex.split(before["command"])
    assert program == "workbench"
    made = command_line.json(*arguments)
    scores = {run["seed"]: 100 * run["student"]["metrics"]["test"]["accuracy"] for run in made["runs"]}
    assert sorted(scores) == before["seeds"] == [0, 2]
    assert sum(scores.values()) / 2 == pytest.approx(before["mean"], abs=1e-3)
    (after,) = [row for row in json.loads(command_line("table", "--json").stdout) if row["method"] == "kd+gcrd"]
    assert (after["mean"], after["std"], after["command"]) == (before["mean"], before["std"], before["command"])
