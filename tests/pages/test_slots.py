"""The two slots: any two models of runs on one graph, in the address, in the same place on every page."""

import pytest
from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from workbench.pages.slots import epoch_film, two_slots
found = two_slots("pictures")
if found:
    left, right = found
    right = epoch_film(right)
    st.title(f"{left.run.id} {left.name} | {right.run.id} {right.name}")
"""
RUN, OTHER = "karate-kd-s0-0123456789ab", "other-run-0123456789ab"


@pytest.fixture
def opened(runs_root):
    def at(**address):
        app = AppTest.from_string(SCRIPT, default_timeout=30)
        app.query_params.update(address)
        return app.run()

    return at


def test_a_run_is_shown_with_its_teacher_left_and_its_student_right(opened, make_run_folder):
    make_run_folder()
    app = opened()
    assert app.title[0].value == f"{RUN} Teacher | {RUN} Student"
    chosen = {name: app.query_params[name] for name in ("run", "left", "right", "right-run")}
    assert chosen == {"run": RUN, "left": "teacher", "right": "student", "right-run": "same"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ({"left": "student"}, f"{RUN} Student | {RUN} Student"),
        ({"left": "student", "left-epoch": "20"}, f"{RUN} Student, epoch 20 | {RUN} Student"),
        ({"right-epoch": "40"}, f"{RUN} Teacher | {RUN} Student, epoch 40"),
        ({"left": "student", "right-run": OTHER}, f"{RUN} Student | {OTHER} Student"),
        ({"right-run": OTHER, "right": "teacher"}, f"{RUN} Teacher | {OTHER} Teacher"),
    ],
)
def test_the_address_chooses_any_two(opened, make_run_folder, address, shown):
    make_run_folder()
    make_run_folder(OTHER, seed=5)
    app = opened(run=RUN, **address)
    assert not app.toast
    assert app.title[0].value == shown


@pytest.mark.parametrize("name", ["run", "left", "right", "right-run", "right-epoch"])
def test_a_wrong_address_falls_back_and_says_so(opened, make_run_folder, name):
    make_run_folder()
    app = opened(**{name: "../../etc/passwd"})
    assert not app.exception
    assert app.title[0].value == f"{RUN} Teacher | {RUN} Student"
    assert len(app.toast) == 1


def test_only_finished_runs_on_the_same_graph_can_stand_on_the_right(opened, make_run_folder):
    make_run_folder()
    make_run_folder(OTHER, seed=5)
    make_run_folder("larger-graph-0123456789ab", nodes=60)
    make_run_folder("going-on-0123456789ab", state="running")
    options = opened(run=RUN).selectbox(key="choice-right-run").options
    assert len(options) == 2
    assert "0123456789ab" in options[1]


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_is_said_to_be_one(opened, make_run_folder, state, texts):
    make_run_folder(state=state)
    app = opened(run=RUN)
    assert not app.title
    assert "no pictures to show" in texts(app)


def test_without_runs_the_page_says_what_to_do(opened, no_examples, texts, monkeypatch):
    app = opened()
    assert not app.title
    assert "distil a first one" in texts(app)


def test_both_slots_have_help(opened, make_run_folder):
    make_run_folder()
    app = opened(left="student")
    assert all(app.selectbox(key=f"choice-{name}").help for name in ("run", "right-run"))
