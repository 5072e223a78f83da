"""Runs that are on disk: listed, shown, and judged."""

import json

from workbench.cli.rerun import compare


def test_an_empty_root_says_what_to_do(command_line, runs_root):
    result = command_line("runs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "workbench distill" in result.stderr
    assert command_line.json("runs") == []


def test_runs_are_listed_with_their_state_and_scores(command_line, make_run_folder):
    make_run_folder("karate-done")
    make_run_folder("karate-failed", state="failed")
    document = {entry["id"]: entry for entry in command_line.json("runs")}
    assert document["karate-done"]["state"] == "done"
    assert document["karate-done"]["student"]["metrics"]["test"]["accuracy"] == 0.85
    assert document["karate-failed"]["state"] == "failed"
    assert document["karate-failed"]["student"] is None
    text = command_line("runs").stdout
    assert "karate-done" in text
    assert "85.0 %" in text
    assert "failed" in text


def test_runs_of_another_folder_are_listed_by_option(command_line, make_run_folder, runs_root, monkeypatch):
    make_run_folder("karate-done")
    monkeypatch.delenv("WORKBENCH_RUNS")
    assert [entry["id"] for entry in command_line.json("runs", "--runs", runs_root)] == ["karate-done"]


def test_a_run_is_found_by_a_part_of_its_id_and_shown_in_full(command_line, make_run_folder):
    make_run_folder("karate-done")
    document = command_line.json("show", "done")
    assert document["id"] == "karate-done"
    assert document["spec"]["teacher"] == {"name": "gcn", "hidden_channels": 16}
    assert document["result"]["compression"] == 12.345
    text = command_line("show", "karate").stdout
    assert "12,345" in text
    assert "91.2 %" in text


def test_an_unfinished_run_is_shown_without_a_result(command_line, make_run_folder):
    make_run_folder("karate-failed", state="failed")
    assert command_line.json("show", "karate")["result"] is None
    assert "not enough memory" in command_line("show", "karate").stdout


def test_a_run_that_has_ended_cannot_be_stopped_and_a_done_one_not_resumed(command_line, make_run_folder):
    make_run_folder("karate-done")
    for command in ("stop", "resume"):
        result = command_line(command, "karate-done")
        assert result.exit_code == 2
        assert "karate-done is" in result.stderr


def test_only_a_finished_run_is_compared_with_a_new_one(command_line, make_run_folder):
    make_run_folder("karate-failed", state="failed")
    result = command_line("rerun", "karate-failed", "--check")
    assert result.exit_code == 2
    assert "only a finished run" in result.stderr


def test_metrics_are_equal_within_the_tolerance(make_run_folder):
    old = json.loads((make_run_folder() / "result.json").read_text())
    new = json.loads(json.dumps(old))
    new["student"]["metrics"]["test"]["accuracy"] += 0.01
    differing = [(row["model"], row["split"]) for row in compare(old, new, 1e-6) if not row["equal"]]
    assert differing == [("student", "test")]
    assert all(row["equal"] for row in compare(old, new, 0.02))
