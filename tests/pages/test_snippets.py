"""What can be copied from the Distil page is the run that its button launches, to the last option."""

import json
import shlex

import pytest
from typer.testing import CliRunner

from workbench.cli import app as command_line

START = "set-up-1"
TEACHER, STUDENT = f"{START}-teacher", f"{START}-student"

# What a person changes on the form that begins with the karate club, in this order.
NOTHING = {}
USUAL_OF_THE_OTHER = {
    f"{START}-training-gcn-weight_decay": 5e-4,  # usual for a teacher
    f"{START}-teacher_training-gcn-weight_decay": 5e-5,  # usual for a student
}
MUCH = {
    TEACHER: "gat",
    f"{TEACHER}-gat-heads": 2,
    STUDENT: "mlp",
    f"{STUDENT}-mlp-hidden_channels": 5,
    f"{STUDENT}-mlp-batch_norm": True,
    f"{START}-methods": ["kd", "gcrd"],
    f"{START}-method-kd-alpha": 0.3,
    f"{START}-method-kd-convention": "code",
    f"{START}-training-mlp-epochs": 3,
    f"{START}-training-mlp-learning_rate": 0.0123456789,
    f"{START}-training-mlp-optimizer": "adamw",
    f"{START}-training-mlp-gradient_clip": 1.5,
    f"{START}-training-mlp-deterministic": False,
    f"{START}-teacher_training-gat-epochs": 2,
    f"{START}-teacher_control": "shuffled",
    f"{START}-seed": 7,
    f"{START}-device": "cpu",
}
BUDGET = {f"{START}-budget-unit": "parameters", f"{START}-budget-parameters": 200}


def widget(app, key):
    (found,) = [element for element in app if getattr(element, "key", None) == key]
    return found


def fill(app, changes):
    for key, value in changes.items():
        widget(app, key).set_value(value).run()
        assert not app.exception
        assert not app.error
    return app


@pytest.fixture
def no_worker(monkeypatch):
    def start(run, *_):
        raise AssertionError(f"{run.id} is another run")

    monkeypatch.setattr("workbench.runs.launch.start_worker", start)


@pytest.mark.parametrize("changes", [NOTHING, USUAL_OF_THE_OTHER, MUCH, BUDGET])
def test_python_the_command_and_the_button_are_one_run(open_page, no_worker, changes):
    short = {f"{START}-training-gcn-epochs": 3, f"{START}-teacher_training-gcn-epochs": 2}
    app = fill(open_page("distil", preset="karate"), short | changes)
    python, command = [block.value for block in app.code][:2]
    space = {}
    exec(python, space)
    run = space["run"]
    assert run.status.state == "done"
    for field, model in (("training", run.spec.student.name), ("teacher_training", run.spec.teacher.name)):
        for option, value in getattr(run.spec, field):
            entered = widget(app, f"{START}-{field}-{model}-{option}").value
            assert (None if entered == "" else entered) == value

    app.button(key="launch").click().run()
    assert not app.exception
    assert app.query_params["run"] == run.id

    result = CliRunner().invoke(command_line, [*shlex.split(command)[1:], "--json"])
    assert result.exit_code == 0, result.stderr
    assert [found["id"] for found in json.loads(result.stdout)["runs"]] == [run.id]


def test_a_student_is_trained_as_students_usually_are_and_a_teacher_as_teachers(open_page, no_worker):
    app = fill(open_page("distil", preset="karate"), NOTHING)
    python, command = [block.value for block in app.code][:2]
    assert "weight_decay" not in python + command
    app = fill(app, USUAL_OF_THE_OTHER)
    python, command = [block.value for block in app.code][:2]
    assert "'weight_decay': 0.0005" in python
    assert "--training.weight-decay 0.0005" in command
    assert "--teacher-training.weight-decay 5e-05" in command


@pytest.mark.parametrize("control", ["none", "untrained"])
def test_a_copied_run_is_the_same_run(open_page, no_worker, control):
    import workbench as wb

    given = {"epochs": 2, "weight_decay": 5e-4}
    student = {"name": "gcn", "hidden_channels": 3}
    options = {"training": given, "teacher_training": given, "teacher_control": control}
    run = wb.distill("builtin-karate", "gcn", student, "kd", 4, **options)
    app = open_page("distil", copy=run.id)
    app.button(key="launch").click().run()
    assert not app.exception
    assert app.query_params["run"] == run.id
