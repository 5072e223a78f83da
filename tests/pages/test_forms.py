"""Forms made from options, and the snippets and words made for people."""

import shlex

import pytest
from streamlit.testing.v1 import AppTest

from workbench.options import describe
from workbench.pages.snippets import distil_as_command, distil_as_python
from workbench.pages.wording import count, duration, milliseconds, percent, plain, size, story, times
from workbench.registry import methods, models

DOCUMENT = {
    "dataset": {"name": "cora"},
    "teacher": {"name": "gat"},
    "student": {"name": "gcn", "hidden_channels": 16, "batch_norm": True},
    "method": [{"name": "kd", "alpha": 0.8}, {"name": "gcrd"}],
    "training": {"epochs": 50, "gradient_clip": None},
    "device": "auto",
    "umap": False,
}

FORM = """
import streamlit as st
from workbench.pages.forms import option_form
from workbench.registry import {kind}s
st.session_state["found"] = option_form({kind}s["{name}"], "form", {defaults!r}, {start!r})
"""


def form(kind, name, defaults=None, start=None):
    app = AppTest.from_string(
        FORM.format(kind=kind, name=name, defaults=defaults, start=start), default_timeout=60
    ).run()
    assert not app.exception
    return app


@pytest.mark.parametrize(("kind", "name"), [("model", n) for n in models] + [("method", n) for n in methods])
def test_every_component_has_a_form_that_changes_nothing_by_itself(kind, name):
    app = form(kind, name)
    assert app.session_state["found"] == {}
    registry = {"model": models, "method": methods}[kind]
    drawn = {
        element.key for group in (app.number_input, app.toggle, app.selectbox, app.text_input) for element in group
    }
    assert drawn == {f"form-{info.name}" for info in describe(registry[name])}


def test_only_what_differs_from_the_defaults_is_returned():
    app = form("model", "gcn", defaults={"hidden_channels": 4})
    assert app.number_input(key="form-hidden_channels").value == 4
    app.number_input(key="form-num_layers").set_value(3).run()
    assert app.session_state["found"] == {"num_layers": 3}


def test_a_form_starts_with_given_values():
    app = form("model", "gcn", start={"hidden_channels": 9})
    assert app.session_state["found"] == {"hidden_channels": 9}


def test_bounds_of_an_option_are_bounds_of_its_field():
    field = form("model", "gcn").number_input(key="form-hidden_channels")
    assert (field.min, field.max) == (1, 8192)


def test_the_command_says_what_differs_from_the_defaults():
    words = shlex.split(distil_as_command(DOCUMENT, [0, 1, 2]))
    assert words[:2] == ["workbench", "distill"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options == {
        "--teacher": "gat",
        "--student": "gcn",
        "--method": "kd+gcrd",
        "--seeds": "0-2",
        "--student.hidden-channels": "16",
        "--student.batch-norm": "true",
        "--kd.alpha": "0.8",
        "--training.epochs": "50",
        "--training.gradient-clip": "none",
    }


def test_the_python_snippet_calls_distill_with_the_same_things():
    seen = []

    class Workbench:
        @staticmethod
        def distill(*arguments, **options):
            seen.append((arguments, options))

    code = distil_as_python(DOCUMENT, [4]).replace("import workbench as wb", "")
    exec(code, {"wb": Workbench})
    ((dataset,), options) = seen[0]
    assert dataset == "cora"
    assert options == {
        "teacher": "gat",
        "student": DOCUMENT["student"],
        "method": [{"name": "kd", "alpha": 0.8}, "gcrd"],
        "training": DOCUMENT["training"],
        "seed": 4,
    }


@pytest.mark.parametrize(("name", "path"), [("own", "my graph"), ("own-events", "mine/events.csv.gz")])
def test_ones_own_data_is_known_by_its_path(name, path):
    document = {**DOCUMENT, "dataset": {"name": name, "path": path}}
    assert shlex.split(distil_as_command(document))[2] == path
    assert f"wb.distill(\n    {path!r}," in distil_as_python(document)


def test_a_preset_and_the_online_protocol_are_part_of_both_snippets():
    document = {**DOCUMENT, "preset": "quick", "online": {"restart": True, "last": None}}
    words = shlex.split(distil_as_command(document))
    assert words[words.index("--preset") + 1] == "quick"
    assert words[words.index("--online.restart") + 1] == "true"
    assert words[words.index("--online.last") + 1] == "none"
    python = distil_as_python(document)
    assert "preset='quick'" in python
    assert "online={'restart': True, 'last': None}" in python


def test_several_seeds_are_a_loop_in_python():
    seen = []
    workbench = type("Workbench", (), {"distill": staticmethod(lambda *_, **options: seen.append(options["seed"]))})
    exec(distil_as_python(DOCUMENT, [1, 2]).replace("import workbench as wb", ""), {"wb": workbench})
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (percent(0.81234), "81.2 %"),
        (percent(None), "–"),
        (count(9999), "9,999"),
        (count(294_403), "294 k"),
        (count(1_234_567), "1.23 M"),
        (size(328), "328 B"),
        (size(16_400), "16.4 kB"),
        (size(2_500_000), "2.5 MB"),
        (times(12.345), "12.3 ×"),
        (times(141.4), "141 ×"),
        (milliseconds(0.8519), "0.85 ms"),
        (milliseconds(None), "–"),
        (duration(8.4), "8 s"),
        (duration(75), "1 min 15 s"),
        (duration(3700), "1 h 1 min"),
        (plain("a_b *c* $x$"), r"a\_b \*c\* \$x\$"),
    ],
)
def test_numbers_and_names_are_written_for_people(written, expected):
    assert written == expected


@pytest.mark.parametrize(
    ("teacher", "student", "ratio", "expected"),
    [
        (0.8, 0.75, 10.0, "The student is 10.0 × smaller and 5.0 points worse than its teacher."),
        (0.8, 0.82, 10.0, "The student is 10.0 × smaller and 2.0 points better than its teacher."),
        (0.8, 0.8, 0.5, "The student is 2.0 × larger and as accurate as its teacher."),
        (0.8, 0.9, 1.01, "The student is equally large and 10.0 points better than its teacher."),
        (0.0, 0.5, 10.0, "The student is 10.0 × smaller and 50.0 points better than its teacher."),
        (None, 0.5, 10.0, "This run has not been measured completely."),
        (0.8, None, 10.0, "This run has not been measured completely."),
        (0.8, 0.5, None, "This run has not been measured completely."),
    ],
)
def test_a_story_is_told_by_the_numbers(teacher, student, ratio, expected):
    result = {
        "teacher": {"metrics": {"test": {"accuracy": teacher}}},
        "student": {"metrics": {"test": {"accuracy": student}}},
        "compression": ratio,
    }
    assert story(result) == expected


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("untrained", "5.0 points better than its untrained teacher."),
        ("shuffled", "5.0 points better than its teacher, which was trained on permuted labels."),
    ],
)
def test_a_story_names_the_control(control, expected):
    teacher, student = ({"metrics": {"test": {"accuracy": score}}} for score in (0.7, 0.75))
    found = story({"teacher": {**teacher, "control": control}, "student": student, "compression": 10.0})
    assert found == f"The student is 10.0 × smaller and {expected}"
