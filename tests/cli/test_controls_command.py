"""``workbench controls`` from the first word to the last number."""

import json

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.cli import controls as controlling
from workbench.runs.control_table import QUESTIONS
from workbench.runs.folder import Run
from workbench.runs.store import run_folders

SMALL = (
    "controls", "builtin-karate", "--teacher", "gcn", "--teacher.hidden-channels", "8", "--student.hidden-channels",
    "2", "--device", "cpu", "--teacher-training.epochs", "5", "--training.epochs", "5", "--seeds", "0-1",
)  # fmt: skip
ROWS = [
    "kd",
    "student alone",
    "student alone, same updates",
    "label smoothing",
    "untrained teacher",
    "label-shuffled teacher",
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two seeds of a method and its controls, run by the command, and where they are."""
    root = tmp_path_factory.mktemp("runs")
    result = CliRunner().invoke(app, [*SMALL, "--json", "--runs", str(root)])
    assert result.exit_code == 0, result.stderr
    return root, json.loads(result.stdout), result.stderr


def test_the_document_has_every_row_and_seed(finished):
    root, document, _ = finished
    assert [row["name"] for row in document["rows"]] == ROWS
    assert document["seeds"] == [0, 1]
    assert document["spec"]["student"]["hidden_channels"] == 2
    for row in document["rows"]:
        for seed, name, value in zip((0, 1), row["runs"], row["values"], strict=True):
            run = Run(root / name)
            assert run.seed == seed
            assert run.result["student"]["metrics"]["test"]["accuracy"] == value
    assert document["rows"][0]["difference"] is None
    assert all(row["difference"]["n"] == 2 for row in document["rows"][1:])


def test_each_row_is_what_its_name_says(finished):
    root, document, _ = finished
    rows = {row["name"]: Run(root / row["runs"][0]) for row in document["rows"]}
    methods = {name: run.document["method"][0]["name"] for name, run in rows.items()}
    assert list(methods.values()) == ["kd", "none", "none", "label-smoothing", "kd", "kd"]
    controls = {name: run.document["teacher_control"] for name, run in rows.items()}
    assert list(controls.values()) == ["none", "none", "none", "none", "untrained", "shuffled"]
    epochs = rows["kd"].result["student"]["epochs"]
    assert rows["student alone, same updates"].document["training"]["epochs"] == epochs
    assert rows["student alone, same updates"].document["training"]["patience"] == 0


def test_progress_goes_to_stderr(finished):
    _, document, progress = finished
    assert all(f"{name}: done" in progress for row in document["rows"] for name in row["runs"])


def test_a_second_call_prints_the_table_and_runs_nothing(finished, command_line):
    root, document, _ = finished
    before = {folder.name: (folder / "result.json").stat().st_mtime_ns for folder in run_folders(root)}
    result = command_line(*SMALL, "--runs", root)
    assert result.exit_code == 0
    assert all(name in result.stdout for name in ROWS)
    assert "kd minus it" in result.stdout
    assert document["notes"][0] in " ".join(result.stdout.split())
    assert {folder.name: (folder / "result.json").stat().st_mtime_ns for folder in run_folders(root)} == before
    assert result.stderr.count("finished before") == 12


def test_python_reads_the_same_table(finished):
    import workbench as wb

    root, document, _ = finished
    short = {"epochs": 5}
    table = wb.controls(
        "builtin-karate", {"name": "gcn", "hidden_channels": 8}, {"name": "gcn", "hidden_channels": 2}, "kd", range(2),
        training=short, teacher_training=short, device="cpu", root=root,
    )  # fmt: skip
    assert table.to_dict() == document


def test_one_seed_makes_no_test_and_that_is_said(finished, command_line):
    root, document, _ = finished
    found = command_line.json(*SMALL[:-1], "1", "--runs", root)
    assert [row["values"] for row in found["rows"]] == [row["values"][1:] for row in document["rows"]]
    assert all(row["difference"]["p"] is None for row in found["rows"][1:])
    assert found["notes"][0].startswith("One seed")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "none"), "method 'none' does not use the teacher"),
        (("--method", "label-smoothing"), "method 'label-smoothing' does not use the teacher"),
        (("--method", "kdd"), "did you mean 'kd'"),
        (("--method", "at", "--kd.alpha", "0.5"), "kd is not among the methods"),
        (("--seeds", "4-0"), "runs backwards"),
        (("--teacher-control", "untrained"), "--teacher-control"),
        (("--detach",), "--detach"),
        (("--compression", "4", "--student.hidden-channels", "8"), "give one of them"),
    ],
)
def test_wrong_usage_is_explained_and_nothing_is_started(command_line, arguments, message):
    assert message in command_line.refuses("controls", "builtin-karate", *arguments)


def test_without_a_dataset_the_command_that_was_typed_is_shown(command_line):
    assert "`workbench controls cora`" in command_line.refuses("controls")
    assert "`workbench distill cora`" in command_line.refuses("distill")


def test_the_help_asks_the_questions_of_the_table(command_line):
    lines = [" ".join(line.split()) for line in command_line("controls", "--help").stdout.splitlines()]
    for name, question in QUESTIONS.items():
        assert f"{name} {question}" in lines


def test_a_spec_that_is_a_control_itself_is_refused(command_line, tmp_path_factory):
    file = tmp_path_factory.mktemp("spec") / "spec.yaml"
    file.write_text("dataset: builtin-karate\nteacher_control: shuffled\n")
    assert "leave it out" in command_line.refuses("controls", "--spec", file)


@pytest.fixture
def no_workers(make_run_folder, monkeypatch):
    """Runs appear as they would have ended: the method fails for the seeds in ``failing``."""
    failing, started = set(), []

    def start(specs, fresh, root):
        runs = []
        for spec in specs:
            state = "failed" if spec.objective.name == "kd" and spec.seed in failing else "done"
            runs.append(Run(make_run_folder(f"run-{len(started)}", state=state, seed=spec.seed)))
            started.append(spec)
        return runs

    monkeypatch.setattr(controlling, "start", start)
    return failing, started


def test_a_run_that_fails_leaves_a_gap_and_is_an_error(no_workers, command_line):
    failing, started = no_workers
    failing.add(1)
    result = command_line(*SMALL, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    rows = {row["name"]: row for row in document["rows"]}
    assert rows["kd"]["values"] == [0.85, None]
    assert rows["student alone"]["values"] == [0.85, 0.85]
    assert rows["student alone"]["difference"]["n"] == 1
    assert rows["student alone, same updates"]["runs"][1] is None
    assert [(spec.seed, spec.training.epochs) for spec in started if spec.training.patience == 0] == [(0, 40)]
    assert "kd: not finished, and so left out, for seed 1." in document["notes"]
    assert "failed" in result.stderr


def test_a_method_that_fails_for_every_seed_still_gives_one_document(no_workers, command_line):
    failing, _ = no_workers
    failing |= {0, 1}
    result = command_line(*SMALL, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["rows"][0]["mean"] is None
    assert all(row["difference"] is None for row in document["rows"])


def test_no_more_processes_wait_at_once_than_there_may_be_seeds(no_workers, command_line, monkeypatch):
    _, started = no_workers
    sizes = []
    monkeypatch.setattr(controlling, "MOST", 4)
    monkeypatch.setattr(controlling, "follow", lambda runs, names: sizes.append((len(runs), names)))
    assert command_line(*SMALL, "--json").exit_code == 0
    assert [size for size, _ in sizes] == [4, 4, 2, 2]
    assert len(started) == 12
    assert sizes[0][1] == ["kd, seed 0", "kd, seed 1", "student alone, seed 0", "student alone, seed 1"]


def test_an_interrupt_leaves_the_runs_and_says_how_to_go_on(no_workers, command_line, monkeypatch):
    def interrupted(runs, names):
        raise KeyboardInterrupt

    monkeypatch.setattr(controlling, "follow", interrupted)
    result = command_line(*SMALL, "--json")
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "the same command goes on from there" in result.stderr
