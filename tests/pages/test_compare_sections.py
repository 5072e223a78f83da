"""Robustness and similarity on the Compare page: shown, asked for, on their way, failed, damaged, and copied."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
from damages import change_arrays
from robust_folders import LEVELS, write_robustness_file
from typer.testing import CliRunner

import workbench as wb
from workbench.cli import app as command_line
from workbench.plots.robustness_curves import robustness
from workbench.plots.similarity_figures import similarity_bars
from workbench.runs.folder import Run
from workbench.runs.robustness import FAILED, measure_robustness
from workbench.runs.robustness_plan import Plan
from workbench.runs.similarity_table import similarity_table


@pytest.fixture
def add(make_run_folder):
    """``add(0)`` writes a finished run of that seed that has been measured; ``measured=False`` one that has not."""

    def write(seed, measured=True, weights=False, **more):
        folder = make_run_folder(f"karate-kd-s{seed}-0123456789ab", seed=seed)
        if measured:
            write_robustness_file(folder, {"teacher": 0.9, "alone": 0.6, "student": 0.7 + seed / 100}, **more)
        if weights:
            cache = folder.parent / ".workbench/teachers/some-teacher"
            cache.mkdir(parents=True, exist_ok=True)
            (cache / "teacher.safetensors").write_bytes(b"weights")
            (folder / "student.safetensors").write_bytes(b"weights")
            (folder / "teacher").write_text(json.dumps({"cache": "some-teacher", "sha256": "0"}))
        return folder

    return write


@pytest.fixture
def started(monkeypatch):
    """Workers are recorded instead of started."""
    calls = []
    monkeypatch.setattr("workbench.runs.launch.start_worker", lambda run, *task: calls.append((run.id, *task)))
    return calls


def compare(open_page, **address):
    app = open_page("compare", whose="mine", **address)
    assert not app.exception, app.exception[0].value
    return app


def headers(app):
    return [header.value for header in app.subheader]


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def copied(app, view):
    """The figure that Python on the page makes of that view, and the command beside it."""
    codes = [block.value for block in app.code]
    (at,) = [at for at, code in enumerate(codes) if f"wb.plots.{view}(" in code]
    *setting_up, last = codes[at].splitlines()
    space = {}
    exec("\n".join(setting_up), space)
    return json.loads(eval(last, space).to_json()), codes[at + 1]


def frame(app, *columns):
    """The table that has these columns."""
    (found,) = [frame.value for frame in app.dataframe if set(columns) <= set(frame.value.columns)]
    return found


def test_without_measurement_and_without_weights_there_is_no_robustness(open_page, add):
    add(0, measured=False)
    assert "Robustness" not in headers(compare(open_page))


def test_what_was_measured_is_drawn_with_a_table(open_page, add):
    for seed in (0, 1):
        add(seed)
    app = compare(open_page)
    assert "Robustness" in headers(app)
    names = {trace.get("name") for trace in figures(app)[2]["data"]}
    assert {"Teacher gcn", "Student alone · gcn", "KD · gcn → gcn"} <= names
    table = frame(app, "mean over levels").set_index("model")
    student = [np.mean([(0.7 + s / 100) * (1 - level / 2) + 0.01 * (level > 0) for s in (0, 1)]) for level in LEVELS]
    shown = [table.loc["KD · gcn → gcn", f"at {level:g}"] for level in LEVELS]
    assert shown == pytest.approx([100 * of for of in student], abs=0.01)
    assert table.loc["KD · gcn → gcn", "drop at 1"] == pytest.approx(100 * (student[0] - student[-1]), abs=0.01)
    assert table.loc["KD · gcn → gcn", "over"] == "2 training seeds"


@pytest.mark.parametrize("kind", ["remove_edges", "add_edges", "noisy_features"])
def test_the_kind_lives_in_the_address_and_what_is_copied_does_the_same(open_page, add, monkeypatch, kind):
    monkeypatch.setattr(wb.plots, "robustness", robustness, raising=False)
    for seed in (0, 1):
        add(seed)
    app = compare(open_page, disturbance=kind)
    assert app.query_params["disturbance"] == kind
    made, command = copied(app, "robustness")
    assert made == figures(app)[2]
    assert f"--kinds {kind}" in command
    assert "--levels 0,0.5,1" in command
    assert "--seeds 2" in command


def test_another_kind_can_be_chosen(open_page, add):
    add(0)
    app = compare(open_page)
    assert app.query_params["disturbance"] == "remove_edges"
    app.segmented_control(key="choice-disturbance").set_value("add_edges").run()
    assert not app.exception
    assert app.query_params["disturbance"] == "add_edges"
    assert "edges added" in figures(app)[2]["layout"]["xaxis"]["title"]["text"]


def test_a_wrong_kind_falls_back_and_says_so(open_page, add):
    add(0)
    app = compare(open_page, disturbance="<nodes>")
    assert "\\<nodes\\>" in app.toast[0].value
    assert app.query_params["disturbance"] == "remove_edges"


def test_a_damaged_file_is_a_message_that_names_the_command(open_page, add, texts):
    (add(0) / "robustness.json").write_text('{"format": 1}')
    app = compare(open_page)
    assert len(figures(app)) == 2
    assert "is damaged" in app.error[0].value
    assert "workbench robustness" in app.error[0].value.replace("\\", "")


def test_runs_measured_at_different_levels_are_a_message(open_page, add):
    add(0)
    add(1, levels=(0.0, 0.3))
    app = compare(open_page)
    assert "different levels" in app.error[0].value
    assert len(figures(app)) == 2


def test_what_has_not_been_measured_is_offered_and_started_once(open_page, add, started, texts):
    add(0)
    missing = add(1, measured=False, weights=True)
    app = compare(open_page)
    assert len(figures(app)) == 3
    assert f"workbench robustness {missing.name}" in [code.value for code in app.code]
    app.button(key="measure-robustness").click().run()
    assert not app.exception
    assert started == [(missing.name, "robustness")]


def test_one_of_several_is_chosen_in_the_address(open_page, add, started, texts):
    for seed in (1, 2):
        add(seed, measured=False, weights=True)
    app = compare(open_page, measure="karate-kd-s2-0123456789ab")
    assert "2 of these runs have not been measured" in texts(app)
    app.button(key="measure-robustness").click().run()
    assert started == [("karate-kd-s2-0123456789ab", "robustness")]


def test_a_failed_measurement_says_why(open_page, add, texts):
    folder = add(0, measured=False, weights=True)
    status = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps({**status, "warnings": [f"{FAILED}: <b>no</b> memory"]}))
    app = compare(open_page)
    assert "\\<b\\>no" in app.warning[0].value
    assert app.button(key="measure-robustness")


def test_a_class_cannot_start_anything(add, runs_root):
    from streamlit.testing.v1 import AppTest

    add(0, measured=False, weights=True)
    script = "from workbench.pages import class_mode, compare\nclass_mode.begin()\ncompare.show()\n"
    app = AppTest.from_string(script, default_timeout=60)
    app.query_params.update({"whose": "mine", "mode": "class", "hide": "launch,code"})
    app.run()
    assert not app.exception
    assert not [button for button in app.button if button.key == "measure-robustness"]


@pytest.fixture
def worker():
    """A process of this one that looks like the worker that measures a run."""
    processes = []

    def start(folder):
        code = "import time; time.sleep(60)"
        processes.append(subprocess.Popen([sys.executable, "-c", code, str(folder), "robustness"]))

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_while_a_run_is_measured_the_page_says_how_far_it_is(open_page, add, worker):
    folder = add(0, measured=False, weights=True)
    worker(folder)
    with (folder / "log.txt").open("a") as log:
        log.write("12:34:56 robustness: 40 %\n")
    app = compare(open_page)
    (bar,) = app.get("progress")
    assert bar.proto.value == 40
    assert not [button for button in app.button if button.key == "measure-robustness"]


def test_the_similarity_is_read_on_request_alone(open_page, add, monkeypatch):
    add(0, measured=False)
    app = compare(open_page)
    assert "Similarity" in headers(app)
    assert len(figures(app)) == 2
    app.toggle(key="choice-similarity").set_value(True).run()
    assert not app.exception
    assert app.query_params["similarity"] == "True"
    assert len(figures(app)) == 3


def test_the_similarity_in_the_address_is_drawn_with_a_table_and_copied(open_page, add, monkeypatch):
    monkeypatch.setattr(wb.plots, "similarity_bars", similarity_bars, raising=False)
    folders = [add(seed, measured=False) for seed in (0, 1)]
    change_arrays(folders[1], "student", embedding=np.random.default_rng(0).normal(size=(30, 2)))
    app = compare(open_page, similarity="True")
    made, command = copied(app, "similarity_bars")
    assert made == figures(app)[2]
    (row,) = similarity_table([Run(folder) for folder in folders]).rows
    table = frame(app, "Linear CKA")
    assert table["Linear CKA"].tolist() == pytest.approx([row.summary("cka").mean], abs=1e-4)
    assert table["n"].tolist() == [2]
    found = CliRunner().invoke(command_line, shlex.split(command)[1:])
    assert found.exit_code == 0, found.output
    assert f"{row.summary('cka').mean:.3f}" in found.stdout


def test_a_run_with_damaged_arrays_is_left_out_of_the_similarity_and_named(open_page, add):
    add(0, measured=False)
    (add(1, measured=False) / "arrays/student.npz").write_bytes(b"PK\x03\x04 half of a file")
    app = compare(open_page, similarity="True")
    assert "1 run could not be compared" in app.warning[0].value
    assert frame(app, "Linear CKA")["n"].tolist() == [1]


def test_runs_on_snapshots_have_neither_section(open_page, make_snapshot_folder):
    make_snapshot_folder()
    app = compare(open_page)
    assert headers(app) == ["Score against cost", "Every seed"]


def test_the_command_and_the_python_of_real_runs_give_what_is_shown(open_page, runs_root, monkeypatch):
    monkeypatch.setattr(wb.plots, "robustness", robustness, raising=False)
    short = {"epochs": 2, "patience": 0, "keep_every": 0}
    run = wb.distill("builtin-karate", "gcn", "gcn", "kd", training=short, teacher_training=short, device="cpu")
    measure_robustness(run, Plan(levels=(0.5,), seeds=1))
    app = compare(open_page, disturbance="add_edges")
    made, command = copied(app, "robustness")
    assert made == figures(app)[2]
    found = CliRunner().invoke(command_line, [*shlex.split(command)[1:], "--json"])
    assert found.exit_code == 0, found.output
    (dataset,) = json.loads(found.stdout)["datasets"]
    table = frame(app, "mean over levels").set_index("model")
    for curve in dataset["curves"]["add_edges"]:
        assert table.loc[curve["name"], "at 0.5"] == pytest.approx(100 * curve["mean"][1], abs=0.01)
