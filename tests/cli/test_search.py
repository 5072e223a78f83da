"""``workbench search`` from the first word to the kept file, and ``--preset tuned``."""

import json
import sys

import pytest
import yaml
from typer.testing import CliRunner

from workbench.cli import app
from workbench.runs import search as searching

MODELS = ("--teacher", "gcn", "--student", "gcn", "--student.hidden-channels", "2", "--device", "cpu")
SHORT = ("--teacher-training.epochs", "4", "--training.epochs", "4")
SEARCH = ("search", "builtin-karate", *MODELS, *SHORT, "--method", "lsp", "--method", "none", "--lsp.kernel", "l2")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A search of two methods by the command: where, its document, its progress, and the file that it kept."""
    folder = tmp_path_factory.mktemp("search")
    kept = folder / "tuned" / "karate.yaml"
    options = ["--trials", "3", "--seeds", "0-1", "--keep", str(kept), "--runs", str(folder / "runs"), "--json"]
    result = CliRunner().invoke(app, [*SEARCH, *options])
    assert result.exit_code == 0, result.stderr
    return folder, json.loads(result.stdout), result.stderr, kept


def test_the_document_has_every_method_with_the_same_budget(finished):
    _, document, _, _ = finished
    assert (document["dataset"], document["seeds"], document["trials"]) == ("builtin-karate", [0, 1], 3)
    lsp, none = document["methods"]
    assert [each["method"] for each in document["methods"]] == ["lsp", "none"]
    assert [each["trials"] for each in document["methods"]] == [3, 3]
    assert lsp["searched"] == ["lsp.weight", "lsp.sigma"]  # the kernel was given
    assert none["searched"] == ["training.learning_rate", "training.weight_decay", "student.dropout"]
    for each in document["methods"]:
        scores = [tried["validation"] for tried in each["tried"]]
        assert each["default_validation"] == scores[0]
        assert each["validation"] == max(scores)
        assert "test" not in json.dumps({**each, "study": "its folder"})


def test_progress_goes_to_stderr_a_line_per_configuration(finished):
    _, _, progress, _ = finished
    for method in ("lsp", "none"):
        for number in (1, 2, 3):
            assert f"{method}: trial {number} of 3" in progress


def test_the_same_command_prints_the_table_of_what_is_there(finished, command_line):
    folder, document, _, _ = finished
    result = command_line(*SEARCH, "--trials", "3", "--seeds", "0-1", "--runs", folder / "runs")
    assert result.exit_code == 0
    assert "trial" not in result.stderr
    for each in document["methods"]:
        assert f"{100 * each['validation']:.1f} %" in result.stdout
    assert "best options" in result.stdout


def test_the_trials_are_not_among_the_runs(finished, command_line):
    folder, _, _, _ = finished
    assert command_line.json("runs", "--runs", folder / "runs") == []


def test_the_kept_options_are_the_preset_and_their_budget_is_said(finished, command_line, monkeypatch):
    _, document, _, kept = finished
    monkeypatch.setenv("WORKBENCH_TUNED", str(kept))
    short = ("--teacher", "gcn", "--student", "gcn", "--method", "lsp", "--device", "cpu", "--training.epochs", "2")
    result = command_line("distill", "builtin-karate", *short, "--preset", "tuned", "--json")
    assert result.exit_code == 0, result.stderr
    assert "the best of 3 configurations on validation, seeds 0, 1" in result.stderr
    (run,) = json.loads(result.stdout)["runs"]
    spec = yaml.safe_load((command_line.folder / "runs" / run["id"] / "spec.yaml").read_text())
    best = document["methods"][0]["options"]
    assert {f"lsp.{name}": spec["method"][0][name] for name in ("weight", "sigma")} == best
    assert spec["method"][0]["kernel"] == "l2"
    assert spec["student"]["hidden_channels"] == 2
    assert (spec["training"]["epochs"], spec["teacher_training"]["epochs"]) == (2, 4)


def test_the_preset_is_refused_where_nothing_was_tuned(command_line):
    message = command_line.refuses("distill", "builtin-karate", "--method", "at", "--preset", "tuned")
    assert "no tuned configuration of at on builtin-karate, gat → gcn" in message
    assert "workbench search builtin-karate --teacher gat --student gcn --method at --keep" in message


def test_the_preset_is_refused_with_a_budget_of_parameters(finished, command_line, monkeypatch):
    monkeypatch.setenv("WORKBENCH_TUNED", str(finished[3]))
    named = ("distill", "builtin-karate", "--teacher", "gcn", "--method", "lsp", "--preset", "tuned")
    assert "leave the budget out" in command_line.refuses(*named, "--budget-parameters", "100")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("--trials", "0"), "trials"),
        (("--jobs", "0"), "jobs"),
        (("--seeds", "1-0"), "backwards"),
        (("--also", "teacher"), "training"),
        (("--method", "lsp"), "twice"),
        (("--method", "ls"), "did you mean 'lsp'"),
        (("--keep", "tuned.txt"), "YAML"),
        (("--gsp.weight", "3"), "gsp is not among the methods"),
        (("--lsp.weight", "-3"), "≥ 0"),
    ],
)
def test_wrong_usage_is_a_message_and_writes_nothing(command_line, typed, message):
    assert message in command_line.refuses(*SEARCH, *typed)


def test_a_missing_optuna_is_a_message(command_line, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "[hpo]" in command_line.refuses(*SEARCH)


def test_an_interrupted_search_says_how_to_go_on(command_line, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(searching, "work", interrupt)
    result = command_line(*SEARCH)
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr
    assert result.stdout == ""
