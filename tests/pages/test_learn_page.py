"""Learn: a card for every method, whose toy moves, whose code is the code, and whose words stay words."""

import ast
import inspect
import re
import subprocess
import sys
from typing import ClassVar, Literal

import pytest
from streamlit.testing.v1 import AppTest

from workbench.analysis.published import PUBLISHED
from workbench.methods import NoDistillation
from workbench.options import describe
from workbench.pages import toys
from workbench.pages.paper_card import STARTS, pure_functions
from workbench.pages.paper_notes import NOTES
from workbench.pages.presets import PRESETS
from workbench.registry import datasets, methods
from workbench.spec import Spec

NAMES = methods.builtin_names()
WITH_A_TOY = [name for name in NAMES if toys.toy_of(name)]
SLIDERS = {  # one slider of every toy: its key, and a value that is not the first one
    "abkd": ("pairs-alignment", 1.0),
    "at": ("excite-factor", 3.0),
    "distill2vec": ("links-lag", 3.0),
    "fitnet": ("hint-turn", 90),
    "gcrd": ("contrast-temperature", 1.0),
    "glnn": ("mlp-weight", 0.5),
    "gsp": ("global-noise", 2.0),
    "kd": ("soft-temperature", 1.0),
    "label-smoothing": ("smooth-share", 0.5),
    "lsp": ("local-place", -2.0),
}


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def tables(app):
    return [frame.value for frame in app.dataframe]


@pytest.mark.parametrize("name", NAMES)
def test_every_method_has_a_card(open_page, texts, name):
    app = open_page("learn", paper=name)
    assert not app.exception
    assert not app.error
    assert not app.toast
    config = methods[name]
    assert app.header[0].value.replace("\\", "") == config.title
    assert [block.value for block in app.latex] == [f"$$\n{part}\n$$" for part in config.formula.split(r", \quad ")]
    if config.paper:
        assert config.paper.url in texts(app)
        assert str(config.paper.year) in texts(app)
    for decision in config.decisions:
        assert decision[:40] in re.sub(r"\\(.)", r"\1", texts(app))


@pytest.mark.parametrize("name", NAMES)
def test_the_code_on_a_card_is_the_code_that_runs(open_page, name):
    app = open_page("learn", paper=name)
    code = next(block.value for block in app.code if "def " in block.value)
    ast.parse(code)
    for function in pure_functions(methods[name]):
        assert inspect.getsource(function) in code + "\n"


@pytest.mark.parametrize(
    ("name", "function"), [("lsp", "lsp_loss"), ("gcrd", "gcrd_loss"), ("kd", "kd_loss"), ("abkd", "abkd_attention")]
)
def test_the_formula_comes_first(name, function):
    assert next(pure_functions(methods[name])).__name__ == function


@pytest.mark.parametrize("name", NAMES)
def test_every_option_stands_with_its_default_and_help(open_page, name):
    app = open_page("learn", paper=name)
    infos = describe(methods[name])
    if not infos:
        return
    table = next(frame for frame in tables(app) if "what it does" in frame)
    assert list(table["option"]) == [info.name for info in infos]
    assert list(table["what it does"]) == [info.help for info in infos]
    assert list(table["default"]) == ["–" if info.default is None else str(info.default) for info in infos]


@pytest.mark.parametrize("name", NAMES)
def test_published_numbers_are_all_there_and_nothing_else(open_page, texts, name):
    app = open_page("learn", paper=name)
    wanted = [str(row) for row in PUBLISHED if name in row.method.split("+")]
    found = [list(frame["printed, %"]) for frame in tables(app) if "printed, %" in frame]
    assert found == ([wanted] if wanted else [])
    assert ("no published number" in texts(app)) == (not wanted)


def test_the_papers_student_alone_stands_beside(open_page):
    frame = next(frame for frame in tables(open_page("learn", paper="gcrd")) if "printed, %" in frame)
    row = frame[
        (frame["dataset"] == "arxiv") & (frame["teacher → student"] == "gat → gcn") & (frame["method"] == "gcrd")
    ]
    assert list(row["printed, %"]) == ["71.64 ± 0.16"]
    assert list(row["student alone, %"]) == ["71.25 ± 0.28"]


@pytest.mark.parametrize("name", WITH_A_TOY)
def test_a_toy_moves_with_its_slider_which_is_in_the_address(open_page, name):
    slider, value = SLIDERS[name]
    app = open_page("learn", paper=name)
    before, first = metrics(app), app.get("plotly_chart")[0].proto.spec
    app.select_slider(key=f"choice-{slider}").set_value(value).run()
    assert not app.exception
    assert metrics(app) != before
    assert app.get("plotly_chart")[0].proto.spec != first
    assert app.query_params[slider] == str(value)
    again = open_page("learn", paper=name, **{slider: str(value)})
    assert metrics(again) == metrics(app)


@pytest.mark.parametrize("name", WITH_A_TOY)
def test_the_copied_python_makes_the_picture_on_the_screen(open_page, name):
    app = open_page("learn", paper=name)
    (python,) = (block.value for block in app.code if block.value.startswith("from workbench.plots import toys"))
    lines = python.splitlines()
    space = {}
    exec("\n".join([*lines[:-1], f"figure = {lines[-1]}"]), space)
    shown, drawn = app.get("plotly_chart")[0].proto.spec, space["figure"].to_json()
    assert shown.count('"type":"heatmap"') == drawn.count('"type":"heatmap"')
    assert len(shown) == pytest.approx(len(drawn), rel=0.02)


def test_the_page_opens_with_lsp_and_wrong_addresses_fall_back(open_page):
    assert open_page("learn").query_params["paper"] == "lsp"
    for wrong in ("nothing", "<b>", "../kd"):
        app = open_page("learn", paper=wrong)
        assert not app.exception
        assert app.query_params["paper"] == "lsp"
        assert len(app.toast) == 1


@pytest.mark.parametrize(("slider", "wrong"), [("local-place", "far"), ("local-kernel", "<i>"), ("local-width", "-1")])
def test_a_wrong_slider_in_the_address_falls_back_with_a_message(open_page, slider, wrong):
    app = open_page("learn", paper="lsp", **{slider: wrong})
    assert not app.exception
    assert len(app.toast) == 1
    assert app.query_params[slider] != wrong


def test_another_paper_leaves_no_sliders_of_the_last_one_in_the_address(open_page):
    app = open_page("learn", paper="lsp")
    app.button_group(key="choice-paper").set_value("kd").run()
    assert not app.exception
    assert app.query_params["paper"] == "kd"
    assert not [key for key in app.query_params if key.startswith("local-")]
    assert "soft-temperature" in app.query_params


def test_a_width_is_asked_for_where_the_kernel_has_one(open_page):
    assert "choice-local-width" not in [
        s.key for s in open_page("learn", paper="lsp", **{"local-kernel": "poly"}).select_slider
    ]
    assert "choice-local-width" in [s.key for s in open_page("learn", paper="lsp").select_slider]


def test_a_lecturer_hides_what_is_in_the_way(runs_root):
    script = (
        "from workbench.pages import class_mode\nclass_mode.begin()\nfrom workbench.pages.learn import show\nshow()\n"
    )
    app = AppTest.from_string(script, default_timeout=60)
    hide = "paper,local-kernel,local-width,local-order,code,tables,downloads,notes"
    app.query_params.update({"paper": "lsp", "local-place": "-2.0", "mode": "class", "hide": hide})
    app.run()
    assert not app.exception
    assert [slider.key for slider in app.select_slider] == ["choice-local-place"]
    assert not app.selectbox
    assert not app.dataframe
    assert app.query_params["local-place"] == "-2.0"


@pytest.fixture
def toy_method():
    """A method of somebody else: no paper, no toy, a name with markup."""

    class Plugin(NoDistillation):
        """One *line*."""

        title: ClassVar[str] = "A <b>plug</b>-in"
        formula: ClassVar[str] = "x^2"
        name: Literal["a-plug-in"] = "a-plug-in"

    methods.register(Plugin)
    yield Plugin
    methods._classes.pop("a-plug-in")


def test_adding_a_method_adds_a_card(open_page, texts, toy_method):
    app = open_page("learn", paper="a-plug-in")
    assert not app.exception
    assert not app.toast
    assert r"\<b\>plug\</b\>" in texts(app) + app.header[0].value
    assert "no toy" in texts(app)
    assert app.latex[0].value == "$$\nx^2\n$$"


def test_every_published_method_has_a_toy_and_notes():
    """A new method that brings no toy is no fault, a built-in one is: this page is where people learn it."""
    assert set(WITH_A_TOY) == {name for name in NAMES if methods[name].paper}
    assert set(NOTES) == set(WITH_A_TOY)
    assert set(SLIDERS) == set(WITH_A_TOY)


def test_sliders_of_two_toys_have_no_names_in_common():
    prefixes = [toys.toy_of(name).prefix for name in WITH_A_TOY]
    assert len(set(prefixes)) == len(prefixes)
    assert all(re.fullmatch(r"[a-z][a-z-]*-", prefix) for prefix in prefixes), "so that they can be hidden"


@pytest.mark.parametrize("page", ["learn", "is_it_real", "paper_card", "toys.local_structure"])
def test_importing_a_page_needs_no_torch(page):
    code = f"import sys, workbench.pages.{page}; print([m for m in ('torch', 'scipy', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_notes_name_exists():
    """Options in notes are those of their methods, or of a model."""
    for name, notes in NOTES.items():
        options = {info.name for info in describe(methods[name])}
        for text in (*notes.deviations, *notes.questions):
            for option in re.findall(r"`(\w+)=", text):
                assert option in options, (name, option)


@pytest.mark.parametrize("task", STARTS)
def test_trying_a_method_starts_from_a_preset_that_fits_its_task(task):
    preset, dataset, teacher, student = STARTS[task]
    assert PRESETS[preset].document["dataset"] == dataset
    assert datasets[dataset].card.task == task
    for name in NAMES:
        if task in methods[name].tasks:
            assert Spec.parse({"dataset": dataset, "teacher": teacher, "student": student, "method": name})
