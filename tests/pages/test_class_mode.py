"""Class mode: only the chosen controls, on every page, until it is ended; and the links that begin it."""

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from workbench.pages import class_mode

SCRIPT = """
import streamlit as st
from workbench.pages import class_mode, shown
from workbench.pages.frame import as_code, choose, note
class_mode.begin()
st.title(choose(st.selectbox, "Letter", "letter", ["a", "b"]))
note("how to read it")
shown.table({"x": [1, 2]}, "numbers", "numbers")
as_code("import workbench", "workbench runs")
"""


def opened(**address):
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    app.query_params.update(address)
    return app.run()


def test_without_the_mode_everything_is_there():
    app = opened(hide="letter,code,notes,tables,downloads,share")
    assert [len(kind) for kind in (app.selectbox, app.caption, app.dataframe)] == [1, 1, 1]
    assert app.code[0].value == "import workbench"
    assert len(app.get("download_button")) == 2


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        ("letter", lambda app: not app.selectbox),
        ("code", lambda app: "import workbench" not in [block.value for block in app.code]),
        ("notes", lambda app: not app.caption),
        ("tables", lambda app: not app.dataframe),
        ("downloads", lambda app: not app.get("download_button")),
        ("share", lambda app: not app.multiselect),
    ],
)
def test_what_is_hidden_is_gone_and_nothing_else(part, gone):
    app = opened(mode="class", hide=part)
    assert not app.exception
    assert gone(app)
    everything = opened(mode="class")
    assert not gone(everything)


def test_a_hidden_control_keeps_the_value_of_the_address():
    app = opened(mode="class", hide="letter", letter="b")
    assert app.title[0].value == "b"
    assert app.run().title[0].value == "b"  # it is not forgotten although it is not drawn


def test_a_wrong_value_of_a_hidden_control_falls_back_with_a_message():
    app = opened(mode="class", hide="letter", letter="z")
    assert app.title[0].value == "a"
    assert "no letter" in app.toast[0].value


def test_the_mode_goes_along_to_a_page_whose_address_does_not_name_it():
    app = opened(mode="class", hide="letter,code")
    for name in ("mode", "hide"):
        del app.query_params[name]
    app.run()
    assert not app.selectbox
    assert (app.query_params["mode"], app.query_params["hide"]) == ("class", "code,letter")


def test_the_mode_can_be_ended():
    app = opened(mode="class", hide="letter")
    app.query_params["mode"] = "full"
    app.run()
    assert len(app.selectbox) == 1
    assert "mode" not in app.query_params
    assert not app.toast


def test_an_unknown_mode_shows_everything_and_says_so():
    app = opened(mode="<b>", hide="letter")
    assert len(app.selectbox) == 1
    assert "no such mode" in app.toast[0].value


@pytest.mark.parametrize("words", ["../x", "a b", "<i>"])
def test_names_that_are_none_are_left_aside_with_a_message(words):
    app = opened(mode="class", hide=f"letter,{words}")
    assert not app.exception
    assert not app.selectbox
    assert "none of a control" in app.toast[0].value


def test_the_builder_offers_what_is_on_the_page_and_makes_the_link():
    app = opened(letter="b")
    (builder,) = app.multiselect
    assert "Letter" in builder.options
    builder.select("letter").select("code").run()
    link = app.code[-1].value
    assert parse_qs(link.partition("?")[2]) == {"letter": ["b"], "mode": ["class"], "hide": ["letter,code"]}
    followed = opened(**{name: values[0] for name, values in parse_qs(link.partition("?")[2]).items()})
    assert followed.title[0].value == "b"
    assert not followed.selectbox


def test_every_part_that_can_be_hidden_has_a_name_of_the_right_form():
    assert all(name.replace("-", "").isalpha() and name.islower() for name in class_mode.PARTS)


WHOLE = """
from workbench.pages import class_mode
class_mode.begin()
from workbench.pages.{page} import show
show()
"""


@pytest.fixture
def in_class(runs_root):
    def at(page, hide, **address):
        app = AppTest.from_string(WHOLE.format(page=page), default_timeout=60)
        app.query_params.update({"mode": "class", "hide": hide, **address})
        app.run()
        assert not app.exception
        return app

    return at


BOXES = ("dataset", "teacher", "student", "method")


@pytest.mark.parametrize("box", BOXES)
def test_a_box_of_the_form_can_be_left_out_and_its_part_stays_as_it_began(in_class, box):
    def command(app):
        return next(block.value for block in app.code if block.value.startswith("workbench distill"))

    whole, without = in_class("distil", "notes", preset="karate"), in_class("distil", box, preset="karate")
    headings = {heading.value.lower() for heading in without.subheader}
    assert box in {heading.value.lower() for heading in whole.subheader}
    assert box not in headings
    assert "gcn" in command(without)
    assert "--student.hidden-channels 2" in command(without)
    assert command(without) == command(whole)


def test_a_class_can_be_kept_from_launching(in_class):
    assert any(button.label == "Launch" for button in in_class("distil", "notes", preset="karate").button)
    assert not any(button.label == "Launch" for button in in_class("distil", "launch", preset="karate").button)


@pytest.mark.parametrize("state", ["running", "failed", "stopped"])
def test_a_class_can_be_kept_from_stopping_resuming_and_deleting(in_class, make_run_folder, state):
    make_run_folder(state=state)
    labels = {"Stop", "Resume", "Delete"}
    assert labels & {button.label for button in in_class("distil", "notes", view="watch").button}
    assert not labels & {button.label for button in in_class("distil", "launch", view="watch").button}


def test_the_buttons_of_a_film_can_be_hidden_and_its_step_stays(in_class, make_run_folder):
    make_run_folder()
    app = in_class("embeddings", "film,right-epoch,speed", **{"right-epoch": "20"})
    assert not app.select_slider
    assert not any(button.label in ("Play", "Pause") for button in app.button)
    assert "epoch=20" in app.code[0].value
