"""The Distil page: what is filled in becomes the spec, and every state of a run can be watched."""

import json

import pytest

from workbench.errors import UsageError

RUN = "karate-kd-s0-0123456789ab"
START = "set-up-1"  # prefix of the form's widgets after a starting point was named in the address


def press(app, key):
    return app.button(key=key).click().run()


def test_the_form_is_filled_from_a_starting_point(open_page):
    app = open_page("distil", preset="karate")
    assert not app.exception
    assert app.selectbox(key=f"{START}-dataset").value == "builtin-karate"
    assert app.number_input(key=f"{START}-student-gcn-hidden_channels").value == 2


def test_the_sizes_are_shown_before_the_launch(open_page):
    app = open_page("distil", preset="karate")
    sizes = {metric.label: metric.value for metric in app.metric}
    # GCN with biases on 34 features and 4 classes: 34·h + h + 4·h + 4 parameters.
    assert sizes == {"Teacher": "2,500", "Student": "82", "The student is": "30.5 × smaller"}


@pytest.mark.parametrize(
    ("unit", "value", "width"),
    [("parameters", 200, 5), ("MB", 0.0008, 5), ("× smaller", 10.0, 6)],  # 39·h + 4 parameters at most 200, 200, 250
)
def test_a_budget_chooses_the_widest_student_that_fits(open_page, launched, unit, value, width):
    app = open_page("distil", preset="karate")
    app.segmented_control(key=f"{START}-budget-unit").set_value(unit).run()
    app.number_input(key=f"{START}-budget-{unit}").set_value(value).run()
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Student"] == str(39 * width + 4)
    press(app, "launch")
    assert launched[0].student.hidden_channels == width


def test_a_budget_that_nothing_fits_is_a_message(open_page):
    app = open_page("distil", preset="karate")
    app.segmented_control(key=f"{START}-budget-unit").set_value("parameters").run()
    app.number_input(key=f"{START}-budget-parameters").set_value(5).run()
    assert not app.exception
    assert "raise the budget" in app.error[0].value


def test_a_student_larger_than_its_teacher_is_allowed_and_said(open_page, launched):
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-student-gcn-hidden_channels").set_value(100).run()
    assert "larger than its teacher" in app.warning[0].value
    press(app, "launch")
    assert launched[0].student.hidden_channels == 100


def test_launching_starts_one_run_per_seed_and_goes_to_watch(open_page, launched, texts):
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-seed").set_value(3)
    app.number_input(key=f"{START}-seeds").set_value(2).run()
    press(app, "launch")
    assert not app.exception
    assert [spec.seed for spec in launched] == [3, 4]
    assert (app.query_params["view"], app.query_params["run"]) == ("watch", "launched-0")
    assert r"a note\: \*for\* people" in texts(app)


def test_what_was_filled_in_is_what_is_launched(open_page, launched):
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-method-kd-alpha").set_value(0.25)
    app.number_input(key=f"{START}-training-gcn-learning_rate").set_value(0.02)
    app.checkbox(key=f"{START}-umap").check().run()
    press(app, "launch")
    spec = launched[0]
    assert (spec.method[0].alpha, spec.training.learning_rate, spec.training.epochs, spec.umap) == (
        0.25,
        0.02,
        100,
        True,
    )
    assert spec.teacher_training.learning_rate == 0.01


def test_the_snippets_say_what_would_be_launched(open_page):
    app = open_page("distil", preset="karate")
    python, command = [block.value for block in app.code][:2]
    assert "wb.distill(" in python
    assert command == (
        "workbench distill builtin-karate --teacher gcn --student gcn --method kd "
        "--student.hidden-channels 2 --teacher-training.epochs 100 --training.epochs 100"
    )


def test_a_spec_that_cannot_be_is_a_message_and_cannot_be_launched(open_page):
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-method-kd-temperature").set_value(0.0).run()
    assert not app.exception
    assert "temperature" in app.error[0].value
    assert "launch" not in [button.key for button in app.button]


def test_a_fault_found_at_the_launch_is_a_message(open_page, monkeypatch):
    import workbench.runs.launch as module

    def refuse(*_, **__):
        raise UsageError("the dataset cannot be downloaded: no network")

    monkeypatch.setattr(module, "launch", refuse)
    app = press(open_page("distil", preset="karate"), "launch")
    assert not app.exception
    assert "no network" in app.error[0].value


def test_without_a_method_the_page_asks_for_one(open_page):
    app = open_page("distil", preset="karate")
    app.multiselect(key=f"{START}-methods").set_value([]).run()
    assert not app.exception
    assert "at least one method" in app.error[0].value


def test_two_methods_that_both_set_the_task_are_refused(open_page):
    app = open_page("distil", preset="karate")
    app.multiselect(key=f"{START}-methods").set_value(["kd", "glnn"]).run()
    assert not app.exception
    assert "both set the weight" in app.error[0].value


@pytest.mark.parametrize("address", [{"preset": "<no-such>"}, {"copy": "no-such-run"}])
def test_an_unknown_starting_point_falls_back_with_a_message(open_page, address):
    app = open_page("distil", **address)
    assert not app.exception
    assert "5\\-minute demo" in app.warning[0].value or "5-minute demo" in app.warning[0].value


def test_a_run_can_be_copied_into_the_form(open_page, make_run_folder):
    make_run_folder()
    app = open_page("distil", copy=RUN)
    assert not app.exception
    assert app.number_input(key=f"{START}-method-kd-alpha").value == 0.5
    assert app.number_input(key=f"{START}-training-gcn-epochs").value == 40


@pytest.mark.parametrize("state", ["queued", "running", "done", "failed", "stopped", "lost"])
def test_a_run_of_any_state_can_be_watched(open_page, make_run_folder, state):
    make_run_folder(state=state)
    app = open_page("distil", view="watch", run=RUN)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    labels = {button.label for button in app.button}
    alive, done = {"Stop"}, {"Change it and run again", "Delete"}
    assert labels == {"queued": alive, "running": alive, "done": done}.get(state, {"Resume", "Delete"})


def test_a_run_that_looked_through_the_lens_shows_it_and_says_what_below_zero_means(open_page, texts, make_run_folder):
    metrics = make_run_folder(state="running") / "metrics.jsonl"
    records = [json.loads(line) for line in metrics.read_text().splitlines()]
    for record in records:
        if record["stage"] == "student" and record["epoch"] % 10 == 0:
            record["terms"]["kd"]["cosine"] = -0.5
    metrics.write_text("".join(json.dumps(record) + "\n" for record in records))
    app = open_page("distil", view="watch", run=RUN)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert "below 0 this term pulls against the labels" in texts(app)


def test_a_failure_says_why_and_shows_the_log(open_page, make_run_folder):
    make_run_folder(state="failed")
    app = open_page("distil", view="watch", run=RUN)
    assert "not enough memory" in app.error[0].value
    assert "RuntimeError" in app.code[0].value


def test_stop_and_resume_reach_the_run(open_page, make_run_folder, monkeypatch):
    import workbench.runs.launch as module

    called = []
    monkeypatch.setattr(module, "stop", lambda run: called.append(("stop", run.id)))
    monkeypatch.setattr(module, "resume", lambda run: called.append(("resume", run.id)))
    make_run_folder(state="running")
    press(open_page("distil", view="watch", run=RUN), f"stop-{RUN}")
    make_run_folder("stopped-run", state="stopped")
    press(open_page("distil", view="watch", run="stopped-run"), "resume-stopped-run")
    assert called == [("stop", RUN), ("resume", "stopped-run")]


def test_resuming_what_cannot_be_resumed_is_a_message(open_page, make_run_folder, monkeypatch):
    import workbench.runs.launch as module

    def refuse(run):
        raise UsageError("made from live Python objects")

    monkeypatch.setattr(module, "resume", refuse)
    make_run_folder(state="stopped")
    app = press(open_page("distil", view="watch", run=RUN), f"resume-{RUN}")
    assert not app.exception
    assert "live Python objects" in app.error[0].value


def test_without_runs_watching_says_what_to_do(open_page, texts, no_examples):
    app = open_page("distil", view="watch")
    assert not app.exception
    assert "No run has been started" in texts(app)


def test_without_runs_of_ones_own_watching_shows_an_example_and_says_so(open_page, texts, examples):
    app = open_page("distil", view="watch")
    assert not app.exception
    assert "No run of your own has been started yet; this is an example" in texts(app)
    assert app.get("plotly_chart")


def test_a_run_of_ones_own_is_watched_before_any_example(open_page, texts, make_run_folder, examples):
    make_run_folder(state="queued")
    app = open_page("distil", view="watch")
    assert app.selectbox(key="choice-run").value == RUN
    assert "this is an example" not in texts(app)


def test_numbers_that_were_not_finite_are_dashes(open_page, make_run_folder, lose_numbers):
    lose_numbers(make_run_folder())
    app = open_page("distil", view="watch", run=RUN)
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert (shown["Teacher, test accuracy"], shown["Student, test accuracy"]) == ("–", "–")
    assert len(app.get("plotly_chart")) == 1


def test_a_run_without_records_yet_is_watched_without_curves(open_page, make_run_folder):
    (make_run_folder(state="queued") / "metrics.jsonl").unlink()
    app = open_page("distil", view="watch", run=RUN)
    assert not app.exception
    assert not app.get("plotly_chart")
