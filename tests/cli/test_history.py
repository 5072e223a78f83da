"""Runs that are on disk: listed, shown, and judged."""

import json

import pytest

from workbench.cli.rerun import compare, print_comparison
from workbench.cli.results import print_report, report
from workbench.runs.folder import Run


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


@pytest.mark.parametrize(("control", "words"), [("shuffled", "(labels shuffled)"), ("untrained", "(untrained)")])
def test_a_control_is_shown_as_one(command_line, make_run_folder, control, words):
    folder = make_run_folder("karate-control")
    plain = command_line("show", "karate").stdout
    assert words not in plain
    document = json.loads((folder / "result.json").read_text())
    document["teacher"] |= {"control": control}
    if control == "shuffled":
        document["teacher"]["labels_still_true"] = {"train": 0.25, "val": 0.375}
    (folder / "result.json").write_text(json.dumps(document))
    text = command_line("show", "karate").stdout
    assert f"teacher: gcn {words}" in " ".join(text.split())
    assert ("against its permuted labels, of which 25.0 % and 37.5 % stayed true" in text) == (control == "shuffled")
    (entry,) = command_line.json("runs")
    assert entry["teacher"]["control"] == control
    assert "control" not in entry["student"]


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


@pytest.fixture
def without_numbers(make_run_folder):
    """A finished run of which no metric of the student was finite."""
    folder = make_run_folder("karate-lost")
    result = json.loads((folder / "result.json").read_text())
    result["student"]["metrics"] = {split: {"accuracy": None, "loss": None} for split in ("train", "val", "test")}
    (folder / "result.json").write_text(json.dumps(result))
    return Run(folder)


@pytest.mark.parametrize("command", [("runs",), ("show", "karate-lost")])
def test_metrics_that_were_not_finite_are_dashes(command_line, without_numbers, command):
    text = command_line(*command).stdout
    assert "91.2 %" in text  # the teacher
    assert "–" in text
    assert "None" not in text
    assert command_line.json(*command)


def test_the_mean_is_over_the_seeds_that_have_a_number(without_numbers, make_run_folder, capsys):
    document = report([without_numbers, *(Run(make_run_folder(f"karate-{seed}", seed=seed)) for seed in (1, 2))])
    assert document["summary"]["student"]["test"]["accuracy"] == {"mean": pytest.approx(0.85), "std": 0, "n": 2}
    assert document["summary"]["student"]["test"]["loss"] == {"mean": None, "std": None, "n": 0}
    print_report(document)
    first, *_, last = (line for line in capsys.readouterr().out.splitlines() if "±" in line or "karate-lost" in line)
    assert " – " in first
    assert "85.0 % ± 0.0" in last


def test_a_table_without_any_number_is_a_table_of_dashes(without_numbers, capsys):
    print_report(report([without_numbers, without_numbers]))
    means = next(line for line in capsys.readouterr().out.splitlines() if "mean ± std" in line)
    assert " – " in means


def test_a_metric_that_was_not_finite_equals_another_one_only(make_run_folder, without_numbers):
    lost, found = without_numbers.result, json.loads((make_run_folder() / "result.json").read_text())
    assert all(row["equal"] for row in compare(lost, lost, 1e-6))
    for old, new in ((lost, found), (found, lost)):
        differing = {row["model"] for row in compare(old, new, 1e-6) if not row["equal"]}
        same = {row["model"] for row in compare(old, new, 1e-6) if row["equal"]}
        assert (differing, same) == ({"student"}, {"teacher"})


def test_a_comparison_without_numbers_is_printed(without_numbers, capsys):
    print_comparison({"metrics": compare(without_numbers.result, without_numbers.result, 1e-6)})
    assert "–" in capsys.readouterr().out
