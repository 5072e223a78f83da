"""A run is copied into the form although it is of another version, was edited, or cannot be shown there at all."""

import math

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from workbench.options import OptionInfo
from workbench.pages.forms import fault
from workbench.pages.starts import from_run
from workbench.registry import methods, models
from workbench.spec import Training

RUN = "karate-kd-s0-0123456789ab"
START = "set-up-1"
WIDTH = f"{START}-student-gcn-hidden_channels"
ALPHA = f"{START}-method-kd-alpha"
EPOCHS = f"{START}-training-gcn-epochs"
IN_CLASS = """
from workbench.pages import class_mode
class_mode.begin()
from workbench.pages.distil import show
show()
"""


@pytest.fixture
def edited(make_run_folder):
    """``edited("student", hidden_channels=0)``: a finished run, of which somebody has edited a part of the spec."""

    def edit(part, **changes):
        file = make_run_folder(RUN) / "spec.yaml"
        document = yaml.safe_load(file.read_text())
        place = {"": document, "method": document["method"][0]}.get(part) or document[part]
        place.update(changes)
        file.write_text(yaml.safe_dump(document))

    return edit


USUAL = {  # what stands there where a spec says nothing; not what the run says
    WIDTH: models["gcn"].student_preset.get("hidden_channels", models["gcn"].model_fields["hidden_channels"].default),
    ALPHA: methods["kd"].model_fields["alpha"].default,
    EPOCHS: Training().epochs,
}
OF_THE_RUN = {WIDTH: 2, ALPHA: 0.5, EPOCHS: 40}


@pytest.mark.parametrize(
    ("part", "option", "value", "field", "reason"),
    [
        ("student", "hidden_channels", "many", WIDTH, "is no whole number"),
        ("student", "hidden_channels", 2.5, WIDTH, "is no whole number"),
        ("student", "hidden_channels", True, WIDTH, "is no whole number"),
        ("student", "hidden_channels", None, WIDTH, "is no value"),
        ("student", "hidden_channels", 0, WIDTH, "is below 1"),
        ("student", "hidden_channels", 9000, WIDTH, "is above 8192"),
        ("method", "alpha", "half", ALPHA, "is no finite number"),
        ("method", "alpha", [1], ALPHA, "is no finite number"),
        ("method", "alpha", math.inf, ALPHA, "is no finite number"),
        ("method", "alpha", math.nan, ALPHA, "is no finite number"),
        ("method", "alpha", 7.0, ALPHA, "is above 1"),
        ("training", "epochs", 10**30, EPOCHS, "is too large"),
        ("training", "epochs", 10**400, EPOCHS, "is too large"),
    ],
)
def test_a_value_that_a_field_cannot_show_is_said_and_the_usual_one_stands_there(
    open_page, edited, part, option, value, field, reason
):
    edited(part, **{option: value})
    app = open_page("distil", copy=RUN)
    assert not app.exception
    assert app.number_input(key=field).value == USUAL[field]
    (warning,) = app.warning
    assert warning.value.endswith(reason)
    assert option.replace("_", " ") in warning.value
    assert USUAL[field] != OF_THE_RUN[field]
    for other in OF_THE_RUN.keys() - {field}:
        assert app.number_input(key=other).value == OF_THE_RUN[other]
    assert any(button.key == "launch" for button in app.button)


@pytest.mark.parametrize(
    ("part", "option", "value"),
    [
        ("", "umap", "x"),
        ("", "preset", 3),
        ("", "preset", ["a"]),
        ("", "teacher_control", ["x"]),
        ("training", "optimizer", "<b>magic</b>"),
        ("training", "deterministic", "yes"),
        ("student", "of_another_version", 1),
        ("dataset", "of_another_version", {"a": [1]}),
    ],
)
def test_every_other_kind_of_value_is_checked_too(open_page, edited, part, option, value):
    edited(part, **{option: value})
    app = open_page("distil", copy=RUN)
    assert not app.exception
    assert not app.error
    (warning,) = app.warning
    assert option.replace("_", " ") in warning.value
    assert "<" not in warning.value.replace(r"\<", "")


def test_what_was_left_out_is_said_until_the_form_starts_with_something_else(open_page, edited):
    edited("student", hidden_channels="many", num_layers=0)
    app = open_page("distil", copy=RUN)
    app.number_input(key=WIDTH).set_value(5).run()
    first, *lost = app.warning[0].value.split("  \n")  # each on a line of its own
    assert "what is usual stands there" in first
    assert [line.partition(r"\:")[0] for line in lost] == ["student, hidden channels", "student, num layers"]
    app.query_params.clear()
    app.query_params["preset"] = "karate"
    app.run()
    assert not app.warning


@pytest.mark.parametrize("seed", [2**31 - 101, 2**31 - 100, 2**31 - 5, 2**31 - 1])
def test_a_seed_that_leaves_no_room_for_a_hundred_is_lowered(open_page, edited, seed):
    edited("", seed=seed)
    app = open_page("distil", copy=RUN)
    assert not app.exception
    assert app.number_input(key=f"{START}-seed").value == 2**31 - 101
    assert [str(seed) in warning.value for warning in app.warning] == [True] * (seed > 2**31 - 101)
    app.number_input(key=f"{START}-seeds").set_value(100).run()
    assert not app.exception
    assert not app.error


def test_the_examples_are_copied_without_loss(examples):
    for run in examples:
        assert from_run(run.document) == (run.document, [])


UNKNOWN = {
    "a live dataset": ("dataset", "live", "live Python object as its dataset"),
    "a live teacher": ("teacher", "live", "live Python object as its teacher"),
    "an unknown dataset": ("dataset", "zzz", "unknown dataset 'zzz'"),
    "an unknown teacher": ("teacher", "zzz", "unknown model 'zzz'"),
    "an unknown student": ("student", "zzz", "unknown model 'zzz'"),
    "an unknown method": ("method", "zzz", "unknown method 'zzz'"),
}


@pytest.mark.parametrize("hide", ["notes", "dataset", "teacher", "student", "method", "training"])
@pytest.mark.parametrize("case", UNKNOWN)
def test_a_run_of_what_is_not_known_here_is_refused_with_a_message_also_in_class_mode(edited, runs_root, case, hide):
    part, name, message = UNKNOWN[case]
    edited(part, name=name)
    app = AppTest.from_string(IN_CLASS, default_timeout=60)
    app.query_params.update({"mode": "class", "hide": hide, "copy": RUN})
    app.run()
    assert not app.exception
    assert not app.error
    (warning,) = app.warning
    assert message in warning.value
    assert r"The form starts with “5\-minute demo” instead" in warning.value
    assert "builtin-citation" in app.code[0].value


@pytest.mark.parametrize(
    ("hide", "part", "option"),
    [("student", "student", "hidden_channels"), ("training", "training", "epochs"), ("method", "method", "alpha")],
)
def test_a_damaged_value_in_a_hidden_box_is_said_and_left_out(edited, runs_root, hide, part, option):
    edited(part, **{option: "many"})
    app = AppTest.from_string(IN_CLASS, default_timeout=60)
    app.query_params.update({"mode": "class", "hide": hide, "copy": RUN})
    app.run()
    assert not app.exception
    assert not app.error
    assert option.replace("_", " ") in app.warning[0].value
    assert "many" not in app.code[0].value


def test_another_method_in_the_address_takes_the_place_of_an_unknown_one(open_page, edited):
    edited("method", name="zzz")
    app = open_page("distil", copy=RUN, method="none")
    assert not app.exception
    assert not app.warning
    assert app.number_input(key=WIDTH).value == 2


@pytest.mark.parametrize(
    ("bounds", "value", "reason"),
    [
        ({"low": 0}, 0.0, ""),
        ({"low": 0, "low_exclusive": True}, 0.0, "is not above 0"),
        ({"low": 0, "low_exclusive": True}, 5e-324, ""),
        ({"high": 1}, 1, ""),
        ({"high": 1, "high_exclusive": True}, 1.0, "is not below 1"),
        ({"high": 1}, 1.5, "is above 1"),
        ({}, None, "is no value"),
        ({"optional": True}, None, ""),
        ({}, -(10**400), "is no finite number"),
    ],
)
def test_bounds_are_told_apart_from_what_lies_beyond_them(bounds, value, reason):
    assert fault(OptionInfo("x", "float", 0.5, "", **bounds), value) == reason
