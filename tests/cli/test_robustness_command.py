"""``workbench robustness`` and ``workbench similarity``: real runs, every output, wrong usage."""

import json
import shutil

import pytest

import workbench as wb

SHORT = {"epochs": 3, "patience": 0, "keep_every": 0}
FEW = ("--levels", "0.5,1", "--seeds", "2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    options = {"training": SHORT, "teacher_training": SHORT, "device": "cpu", "root": root}
    return [
        wb.distill("builtin-karate", "gcn", "gcn", method, seed, **options)
        for method in ("kd", "none")
        for seed in (0, 1)
    ]


@pytest.fixture
def runs(trained, command_line):
    """Two seeds of KD, and two of the student alone, where the command line looks for them."""
    shutil.copytree(trained[0].path.parent, command_line.folder / "runs")
    return [run.id for run in trained]


def test_a_run_is_measured_stored_and_printed(command_line, runs):
    document = command_line.json("robustness", runs[0], *FEW)
    assert document["levels"] == [0.0, 0.5, 1.0]
    assert document["runs"] == [runs[0]]
    (dataset,) = document["datasets"]
    assert set(dataset["curves"]) == {"remove_edges", "add_edges", "noisy_features"}
    stored = json.loads((command_line.folder / "runs" / runs[0] / "robustness.json").read_text())
    for kind, curves in dataset["curves"].items():
        assert [curve["role"] for curve in curves] == ["teacher", "alone", "student"]
        for curve in curves:
            rows = stored["models"][curve["role"]]["accuracy"][kind]
            assert curve["mean"] == pytest.approx([sum(column) / 2 for column in zip(*rows, strict=True)])
            assert curve["drops"] == pytest.approx([curve["mean"][0] - at for at in curve["mean"]])
    result = command_line.json("show", runs[0])["result"]
    assert curves[2]["mean"][0] == pytest.approx(result["student"]["metrics"]["test"]["accuracy"])


def test_every_finished_run_can_be_measured_at_once(command_line, runs):
    command_line.json("robustness", "--all", "--kinds", "remove-edges", *FEW)
    found = command_line("robustness", "--all", "--kinds", "remove_edges", *FEW)
    assert found.exit_code == 0
    assert "builtin-karate: test accuracy in %, by share of the edges removed" in found.stdout
    assert found.stdout.count("2 training seeds") == 3
    assert "Teacher gcn" in found.stdout
    assert "edges added" not in found.stdout
    assert all((command_line.folder / "runs" / run / "robustness.json").is_file() for run in runs)


def test_progress_goes_to_stderr(command_line, runs):
    found = command_line("robustness", runs[1], "--json", *FEW)
    assert json.loads(found.stdout)
    assert f"{runs[1]}: remove_edges, seed 0" in found.stderr


def test_of_all_runs_those_that_cannot_be_measured_are_left_out_and_said(command_line, runs):
    (command_line.folder / "runs" / runs[0] / "student.safetensors").unlink()
    found = command_line("robustness", "--all", "--json", *FEW)
    assert found.exit_code == 0
    document = json.loads(found.stdout)
    assert list(document["left_out"]) == [runs[0]]
    assert runs[0] not in document["runs"]
    assert f"left out: run {runs[0]} has no student.safetensors" in found.stderr
    named = command_line("robustness", runs[0], *FEW)
    assert (named.exit_code, named.stdout) == (1, "")
    assert "has no student.safetensors" in named.stderr


def test_where_nothing_could_be_measured_the_exit_code_says_so(command_line, make_run_folder, runs_root):
    make_run_folder()
    found = command_line("robustness", "--all", "--runs", runs_root, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["datasets"] == []


def test_a_damaged_file_is_said_and_made_anew(command_line, runs):
    file = command_line.folder / "runs" / runs[0] / "robustness.json"
    file.write_text("{")
    found = command_line("robustness", runs[0], *FEW)
    assert found.exit_code == 1
    assert f"`workbench robustness {runs[0]} --fresh` makes it anew" in found.stderr
    assert command_line.json("robustness", runs[0], "--fresh", *FEW)["runs"] == [runs[0]]


@pytest.mark.parametrize("command", ["robustness", "similarity"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the runs, or give --all"),
        (("some", "--all"), "name the runs, or give --all"),
        (("nothing",), "no run 'nothing'"),
        (("--all",), "no run is finished yet"),
    ],
)
def test_runs_that_are_none_are_explained(command_line, command, arguments, message):
    assert message in command_line.refuses(command, *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kinds", "nodes"), "unknown kind of disturbance 'nodes'"),
        (("--kinds", "remove"), "did you mean 'remove_edges'"),
        (("--kinds", ","), "no kind of disturbance is given"),
        (("--levels", "low"), "levels are numbers with commas"),
        (("--levels", "0,2"), "at most 1"),
        (("--levels", "0"), "one level above 0"),
        (("--levels", "-1"), "from 0 on"),
        (("--seeds", "0"), "between 1 and 100 seeds"),
        (("--seeds", "two"), "--seeds"),
    ],
)
def test_a_wrong_plan_is_explained(command_line, arguments, message):
    assert message in command_line.refuses("robustness", "--all", *arguments)


@pytest.mark.parametrize("command", ["robustness", "similarity"])
def test_a_run_that_is_not_finished_is_refused(command_line, make_run_folder, runs_root, command):
    make_run_folder(state="failed")
    found = command_line(command, "karate", "--runs", runs_root)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "is failed: only a finished run" in found.stderr


def test_similarity_is_printed_with_mean_and_spread(command_line, runs):
    document = command_line.json("similarity", "--all")
    assert [len(row["runs"]) for row in document["rows"]] == [2, 2]
    for row in document["rows"]:
        values = [run["values"]["cka"] for run in row["runs"]]
        assert row["cka"]["mean"] == pytest.approx(sum(values) / 2)
        assert row["cka"]["std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    text = command_line("similarity", *runs[:2]).stdout
    assert "Linear CKA" in text
    assert "KD · gcn → gcn" in text
    assert "Student alone" not in text


def test_runs_without_embeddings_are_left_out_of_the_similarity(command_line, make_snapshot_folder, runs_root):
    folder = make_snapshot_folder()
    found = command_line("similarity", "--all", "--runs", runs_root, "--json")
    assert found.exit_code == 1
    document = json.loads(found.stdout)
    assert document["rows"] == []
    assert list(document["left_out"]) == [folder.name]
    assert "left out" in found.stderr
