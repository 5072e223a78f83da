"""Is it real? Which runs are the controls of a run, what they say, and what can be started from the page."""

import json

import pytest
from control_folders import spec_of, write_controls, write_spec_run

from workbench.pages import control_rows
from workbench.registry import methods
from workbench.runs.control_table import ALONE, QUESTIONS, SAME_UPDATES
from workbench.runs.launch import Launch

ROWS = ["kd", *QUESTIONS]
FULL = {row: [0.8, 0.7, 0.6] for row in ROWS} | {"kd": [0.9, 0.86, 0.82]}


@pytest.fixture
def started(monkeypatch):
    """Specs that the page launched, instead of launching them."""
    found = []

    def launch(spec, root=None):
        found.append(spec)
        return Launch(None, "started")

    monkeypatch.setattr("workbench.runs.control_launch.launch", launch)
    return found


def states(app):
    """The table of states: per row, one cell per seed."""
    frame = app.dataframe[-1].value
    return {row[0]: list(row[1:]) for row in frame.itertuples(index=False)}


def table(app):
    return {row[0]: list(row[1:]) for row in app.dataframe[0].value.itertuples(index=False)}


def test_without_a_run_the_page_says_where_to_begin(open_page, texts, no_examples):
    app = open_page("is_it_real")
    assert not app.exception
    assert "There is no run to question yet" in texts(app)


def test_the_first_look_shows_an_example_and_what_is_missing(open_page, examples):
    app = open_page("is_it_real")
    assert not app.exception
    assert not app.error
    assert app.query_params["run"] in {example.id for example in examples}
    assert states(app)[ALONE] == ["missing"]
    assert app.button(key="start-controls").label.startswith("Start ")


def test_finished_controls_are_a_figure_and_a_table(open_page, texts, runs_root):
    run = write_controls(runs_root, FULL)["kd"][1]
    app = open_page("is_it_real", run=run.id)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert list(table(app)) == ROWS
    # 10, 16 and 22 points: 16 on average.
    assert table(app)[ALONE][:2] == ["70.0 ± 10.0", "+16.0"]
    assert states(app)["kd"] == ["✓ 90.0 %", "✓ 86.0 %", "✓ 82.0 %"]
    assert "not corrected for the 5 comparisons" in texts(app).replace("\\", "")
    assert not [button for button in app.button if button.key == "start-controls"], "nothing is missing"


def test_the_seeds_are_those_of_the_method_unless_more_are_wanted(open_page, runs_root):
    run = write_controls(runs_root, {"kd": [0.9, 0.8]})["kd"][0]
    app = open_page("is_it_real", run=run.id)
    assert app.query_params["seeds"] == "2"
    app.select_slider(key="choice-seeds").set_value(4).run()
    assert not app.exception
    assert states(app)["kd"] == ["✓ 90.0 %", "✓ 80.0 %", "missing", "missing"]
    assert states(app)[SAME_UPDATES] == ["missing", "missing", "after the method", "after the method"]


def test_a_run_with_a_large_seed_is_among_its_seeds(open_page, runs_root):
    run = write_spec_run(runs_root, spec_of(seed=41))
    app = open_page("is_it_real", run=run.id, seeds="2")
    assert list(app.dataframe[-1].value.columns) == ["student", "seed 0", "seed 41"]


def test_one_seed_is_no_test_and_that_is_said(open_page, texts, runs_root):
    run = write_controls(runs_root, {row: [0.8] for row in ROWS})["kd"][0]
    app = open_page("is_it_real", run=run.id)
    assert "One seed: differences without a test" in texts(app).replace("\\", "")
    assert table(app)[ALONE][2:4] == ["–", "–"]


@pytest.mark.parametrize("state", ["running", "queued", "failed", "stopped", "lost"])
def test_a_method_that_is_not_finished_is_shown_as_it_stands(open_page, texts, runs_root, state):
    run = write_spec_run(runs_root, spec_of(), state=state)
    app = open_page("is_it_real", run=run.id)
    assert not app.exception
    assert not app.error
    (cell,) = states(app)["kd"]
    assert {"running": "▶ student 62 %", "queued": "… queued"}.get(state, f"✗ {state}") == cell
    assert states(app)[SAME_UPDATES] == ["after the method"]
    assert "Nothing is finished yet" in texts(app)
    assert "1 more, with as many updates" in texts(app)


def test_the_button_starts_what_is_missing_and_only_that(open_page, runs_root, started):
    run = write_controls(runs_root, {"kd": [0.9], ALONE: [0.8]})["kd"][0]
    app = open_page("is_it_real", run=run.id)
    assert app.button(key="start-controls").label == "Start 4 missing runs"
    app.button(key="start-controls").click().run()
    assert not app.exception
    # Early stopping is off in none of them but the student alone with the same updates.
    found = [(made.objective.name, made.teacher_control, made.training.patience > 0) for made in started]
    assert found == [
        ("none", "none", False),
        ("label-smoothing", "none", True),
        ("kd", "untrained", True),
        ("kd", "shuffled", True),
    ]


def test_the_second_stage_starts_by_itself_once_the_method_is_finished(open_page, runs_root, monkeypatch):
    from workbench.runs import control_launch

    found = []

    def launch(spec, root=None):
        found.append(spec)
        return Launch(write_spec_run(runs_root, spec), "started")

    monkeypatch.setattr(control_launch, "launch", launch)
    failed = write_spec_run(runs_root, spec_of(), state="failed")
    app = open_page("is_it_real", run=failed.id, seeds="2")
    monkeypatch.setattr(
        control_launch, "launch", lambda spec, root=None: None if spec.id == failed.spec.id else launch(spec)
    )
    app.button(key="start-controls").click().run()
    assert not app.exception
    assert [spec.seed for spec in found if spec.training.patience == 0] == [1], "that of seed 0 has to wait"
    assert states(app)[SAME_UPDATES] == ["after the method", "✓ 50.0 %"]
    assert states(app)["kd"] == ["✗ failed", "✓ 50.0 %"], "what failed is not started again and again"


def test_a_control_that_was_deleted_does_not_come_back_by_itself(open_page, runs_root, started):
    run = write_controls(runs_root, {"kd": [0.9], ALONE: [0.8]})["kd"][0]
    app = open_page("is_it_real", run=run.id)
    app.button(key="start-controls").click().run()
    app.run()
    assert len(started) == 4, "nothing has come of them, as if their folders had been deleted"
    assert app.button(key="start-controls").label == "Start 4 missing runs"


def test_what_cannot_be_started_is_said_once(open_page, runs_root, monkeypatch):
    from workbench.errors import UsageError

    def refuse(spec, root=None):
        raise UsageError("device 'cuda' is not there: choose cpu")

    monkeypatch.setattr("workbench.runs.control_launch.launch", refuse)
    app = open_page("is_it_real", run=write_spec_run(runs_root, spec_of()).id)
    app.button(key="start-controls").click().run()
    assert not app.exception
    assert [error.value.replace("\\", "") for error in app.error] == ["device 'cuda' is not there: choose cpu"]
    app.run()
    assert not app.error, "it is not tried again"


def test_live_runs_have_rows_of_their_own(open_page, texts, runs_root):
    spec = spec_of()
    write_spec_run(runs_root, spec.replace(method="none"), state="running")
    app = open_page("is_it_real", run=write_spec_run(runs_root, spec).id)
    assert not app.exception
    assert [expander.label for expander in app.expander if "way" in expander.label] == ["Runs on their way (1)"]
    assert states(app)[ALONE] == ["▶ student 62 %"]


@pytest.mark.parametrize("damage", ["{half", '{"student": {}}', '{"student": {"metrics": 3}, "teacher": 4}', "[]"])
def test_a_damaged_result_is_left_out(open_page, runs_root, damage):
    rows = write_controls(runs_root, FULL)
    (rows[ALONE][0].path / "result.json").write_text(damage)
    app = open_page("is_it_real", run=rows["kd"][0].id)
    assert not app.exception
    assert table(app)[ALONE][0] == "65.0 ± 7.1", "of 70 and 60"


def test_metrics_that_were_not_finite_are_dashes(open_page, runs_root, lose_numbers):
    rows = write_controls(runs_root, FULL)
    lose_numbers(rows[ALONE][0].path)
    app = open_page("is_it_real", run=rows["kd"][0].id)
    assert not app.exception
    assert states(app)[ALONE][0] == "✓ –"


def test_missing_arrays_are_nothing_to_this_page(open_page, runs_root):
    rows = write_controls(runs_root, FULL)
    for file in (rows["kd"][0].path / "arrays").iterdir():
        file.unlink()
    app = open_page("is_it_real", run=rows["kd"][0].id)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("seeds", ["0", "many", "11", "-1", "<b>"])
def test_a_wrong_number_of_seeds_falls_back_with_a_message(open_page, runs_root, seeds):
    run = write_controls(runs_root, {"kd": [0.9, 0.8]})["kd"][0]
    app = open_page("is_it_real", run=run.id, seeds=seeds)
    assert not app.exception
    assert app.query_params["seeds"] == "2"
    assert len(app.toast) == 1


@pytest.mark.parametrize("wrong", ["nobody", "../../etc/passwd"])
def test_a_run_that_there_is_not_falls_back_with_a_message(open_page, runs_root, wrong):
    write_controls(runs_root, {"kd": [0.9]})
    app = open_page("is_it_real", run=wrong)
    assert not app.exception
    assert len(app.toast) == 1


@pytest.mark.parametrize(
    "changes", [{"method": "none"}, {"method": "label-smoothing"}, {"teacher_control": "shuffled"}]
)
def test_a_control_is_no_method(open_page, texts, runs_root, changes):
    method = write_spec_run(runs_root, spec_of())
    control = write_spec_run(runs_root, spec_of(**changes))
    app = open_page("is_it_real", run=control.id)
    assert not app.exception
    assert "is a control itself" in texts(app)
    assert app.query_params["run"] == method.id


def test_a_run_on_snapshots_has_its_student_alone_beside(open_page, texts, make_snapshot_folder, no_examples):
    folder = make_snapshot_folder()
    app = open_page("is_it_real", run=folder.name)
    assert not app.exception
    assert "trains the student alone beside the distilled one" in texts(app)
    assert "There is no run to question yet" in texts(app)


def test_point_clouds_have_controls(open_page, make_cloud_folder, no_examples):
    folder = make_cloud_folder()
    app = open_page("is_it_real", run=folder.name)
    assert not app.exception
    assert not app.error
    assert list(states(app)) == ["lsp", *QUESTIONS]


def test_a_run_of_live_objects_is_explained(open_page, texts, make_run_folder, no_examples):
    folder = make_run_folder()
    text = (folder / "spec.yaml").read_text().replace("name: builtin-karate", "name: live")
    (folder / "spec.yaml").write_text(text)
    app = open_page("is_it_real", run=folder.name)
    assert not app.exception
    assert "was made from live Python objects" in texts(app)


@pytest.mark.parametrize(
    "damage",
    [
        "{half",
        "a: b",
        "- 1",
        "",
        "seed: many\ndataset: {name: x}\nteacher: {name: y}\nstudent: {name: z}\nmethod: []\n",
    ],
)
def test_a_damaged_spec_is_explained(open_page, texts, make_run_folder, no_examples, damage):
    folder = make_run_folder()
    (folder / "spec.yaml").write_text(damage)
    app = open_page("is_it_real", run=folder.name)
    assert not app.exception
    assert "cannot be read" in texts(app)


def test_an_option_of_another_version_is_a_message(open_page, make_run_folder, no_examples):
    folder = make_run_folder()
    text = (folder / "spec.yaml").read_text().replace("alpha: 0.5", "alfa: 0.5")
    (folder / "spec.yaml").write_text(text)
    app = open_page("is_it_real", run=folder.name)
    assert not app.exception
    assert len(app.error) == 1
    assert "alfa" in app.error[0].value


def test_markup_in_a_name_stays_text(open_page, texts, make_run_folder, no_examples):
    folder = make_run_folder()
    text = (folder / "spec.yaml").read_text().replace("- alpha", "- name: <b>x</b>\n- alpha")
    (folder / "spec.yaml").write_text(text)
    app = open_page("is_it_real", run=folder.name)
    assert not app.exception
    assert "<b>x" not in texts(app)


def test_the_copied_python_makes_the_figure_on_the_screen(open_page, runs_root):
    from workbench.plots.control_intervals import controls

    run = write_controls(runs_root, FULL)["kd"][0]
    app = open_page("is_it_real", run=run.id)
    python, command, *_ = (block.value for block in app.code)
    assert python.splitlines()[-1] == "wb.plots.controls(run, seeds=[0, 1, 2])"
    shown = json.loads(app.get("plotly_chart")[0].proto.spec)
    drawn = json.loads(controls(run, seeds=[0, 1, 2]).to_json())
    assert [trace.get("x") for trace in shown["data"]] == [trace.get("x") for trace in drawn["data"]]
    assert command == f"workbench controls --spec {run.path / 'spec.yaml'} --seeds 0-2"


def test_a_lecturer_can_hide_the_choice_of_seeds(open_page, runs_root):
    run = write_controls(runs_root, FULL)["kd"][0]
    script = "from workbench.pages import class_mode\nclass_mode.begin()\n"
    app = open_page("is_it_real", run=run.id, seeds="3")
    assert [slider.key for slider in app.select_slider] == ["choice-seeds"]
    from streamlit.testing.v1 import AppTest

    hidden = AppTest.from_string(script + "from workbench.pages.is_it_real import show\nshow()\n", default_timeout=60)
    hidden.query_params.update({"run": run.id, "seeds": "3", "mode": "class", "hide": "seeds,tables"})
    hidden.run()
    assert not hidden.exception
    assert not hidden.select_slider
    assert not hidden.dataframe
    assert hidden.query_params["seeds"] == "3"


def test_the_controls_that_the_page_knows_are_those_of_the_registry():
    assert set(control_rows.CONTROLS) == {name for name in methods.builtin_names() if methods[name].control}


def test_every_control_is_told():
    assert list(control_rows.HOW) == list(QUESTIONS)
