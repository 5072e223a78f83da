"""``workbench distill`` from the first word to the last number."""

import json
import math
import time

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.cli import distill as distilling
from workbench.runs.folder import Run

SMALL = (
    "distill", "builtin-karate", "--teacher", "gcn", "--teacher.hidden-channels", "8", "--student.hidden-channels", "2",
    "--device", "cpu", "--teacher-training.epochs", "5", "--training.epochs", "5",
)  # fmt: skip
ENDLESS = (*SMALL, "--training.epochs", "100000", "--training.patience", "0", "--training.keep-every", "0")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two seeds, distilled by the command, and where they are."""
    root = tmp_path_factory.mktemp("runs")
    result = CliRunner().invoke(app, [*SMALL, "--seeds", "0-1", "--json", "--runs", str(root)])
    assert result.exit_code == 0, result.stderr
    return root, json.loads(result.stdout), result.stderr


def test_the_document_has_every_seed(finished):
    _, document, _ = finished
    assert [run["seed"] for run in document["runs"]] == [0, 1]
    for run in document["runs"]:
        assert run["state"] == "done"
        # A GCN of two layers on 34 features and 4 classes, h wide, has 34 h + h + 4 h + 4 parameters.
        assert run["teacher"]["parameters"] == 39 * 8 + 4
        assert run["student"]["parameters"] == 39 * 2 + 4
        assert run["compression"] == pytest.approx(316 / 82, abs=1e-3)
        assert run["seconds"] > 0
        for side in ("teacher", "student"):
            assert set(run[side]["metrics"]) == {"train", "val", "test"}
            assert 0 <= run[side]["metrics"]["test"]["accuracy"] <= 1


def test_the_summary_is_mean_and_sample_deviation_over_seeds(finished):
    _, document, _ = finished
    for side in ("teacher", "student"):
        a, b = (run[side]["metrics"]["test"]["accuracy"] for run in document["runs"])
        found = document["summary"][side]["test"]["accuracy"]
        assert found["mean"] == pytest.approx((a + b) / 2)
        assert found["std"] == pytest.approx(abs(a - b) / math.sqrt(2))
        assert found["n"] == 2


def test_progress_goes_to_stderr_a_line_per_change(finished):
    _, document, progress = finished
    for run in document["runs"]:
        assert f"{run['id']}: done" in progress


def test_a_finished_spec_is_reused_and_said(finished, command_line):
    root, document, _ = finished
    result = command_line(*SMALL, "--seeds", "1", "--runs", root, "--json")
    again = json.loads(result.stdout)
    assert again["runs"] == [document["runs"][1]]
    assert again["summary"]["student"]["test"]["accuracy"]["std"] is None
    assert "finished before" in result.stderr


def test_without_json_a_table_is_printed(finished, command_line):
    root, document, _ = finished
    text = command_line(*SMALL, "--seeds", "0-1", "--runs", root).stdout
    assert all(run["id"] in text for run in document["runs"])
    assert "mean ± std" in text


def test_the_same_spec_gives_the_same_numbers(finished, command_line):
    root, document, _ = finished
    found = command_line.json("rerun", document["runs"][0]["id"], "--check", "--runs", root)
    assert found["equal"] is True
    assert len(found["metrics"]) >= 6


def test_a_student_larger_than_its_teacher_is_said(finished, command_line):
    root, _, _ = finished
    result = command_line(*SMALL, "--student.hidden-channels", "16", "--runs", root)
    assert result.exit_code == 0
    assert "larger than its teacher" in result.stderr


def test_a_detached_run_is_stopped_and_resumed_by_other_commands(command_line):
    result = command_line(*ENDLESS, "--detach", "--json")
    (run,) = json.loads(result.stdout)["runs"]
    assert run["state"] in ("queued", "running")
    _wait_for_epochs(command_line, run["id"])
    assert command_line("stop", run["id"]).exit_code == 0
    assert command_line.json("show", run["id"])["state"] == "stopped"
    assert command_line("resume", run["id"], "--detach").exit_code == 0
    again = command_line(*ENDLESS, "--detach")
    assert f"{run['id']}: already running" in again.stderr
    assert command_line("stop", run["id"]).exit_code == 0


def _wait_for_epochs(command_line, name):
    deadline = time.monotonic() + 60
    while not Run(command_line.folder / "runs" / name).metrics("student"):
        assert time.monotonic() < deadline, Run(command_line.folder / "runs" / name).log()
        time.sleep(0.2)


@pytest.mark.parametrize("state", ["failed", "stopped", "lost"])
def test_a_run_that_did_not_finish_is_an_error_and_the_others_are_reported(make_run_folder, capsys, state):
    runs = [Run(make_run_folder("bad", state=state)), Run(make_run_folder("good", seed=1))]
    assert distilling.follow_and_report(runs, as_json=True) == 1
    written = capsys.readouterr()
    document = json.loads(written.out)
    assert [run["state"] for run in document["runs"]] == [state, "done"]
    assert document["runs"][0]["student"] is None
    assert document["summary"]["student"]["test"]["accuracy"] == {"mean": 0.85, "std": None, "n": 1}
    assert f"bad {state}" in written.err
    assert "RuntimeError: not enough memory" in written.err  # the end of its log


def test_an_interrupt_detaches_and_says_how_to_stop(make_run_folder, monkeypatch, capsys):
    def interrupted(runs):
        raise KeyboardInterrupt

    monkeypatch.setattr(distilling, "follow", interrupted)
    assert distilling.follow_and_report([Run(make_run_folder("a-run", state="running"))], as_json=False) == 130
    message = capsys.readouterr().err
    assert "go on" in message
    assert "workbench stop a-run" in message
