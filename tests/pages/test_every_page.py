"""What holds for every page: it opens whatever there is, however damaged, and what it copies runs."""

import ast
import json
import re
import shlex
import shutil

import numpy as np
import plotly.graph_objects as go
import pytest
from typer.testing import CliRunner

from workbench.cli import app as command_line
from workbench.pages.navigation import PAGES
from workbench.runs.store import demo_runs

MODULES = {path: module for path, (_, _, module) in PAGES.items()}
RUN = "karate-kd-s0-0123456789ab"
EXAMPLES = [run.id for run in demo_runs()]
OF_RUNS = [path for path in MODULES if path not in ("gallery", "distil", "learn")]  # pages that show what runs stored

every_page = pytest.mark.parametrize("page", MODULES)
pages_of_runs = pytest.mark.parametrize("page", OF_RUNS)


def sound(app):
    assert not app.exception, app.exception[0].value
    return app


@every_page
def test_it_opens_without_any_run(open_page, no_examples, page):
    app = sound(open_page(MODULES[page]))
    assert not app.error
    assert app.title[0].value


@every_page
@pytest.mark.parametrize("example", EXAMPLES)
def test_it_opens_with_every_example(open_page, page, example):
    app = sound(open_page(MODULES[page], run=example))
    assert not app.error, app.error[0].value


@every_page
@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost", "done"])
def test_it_opens_with_a_run_in_every_state(open_page, make_run_folder, page, state):
    make_run_folder(state=state)
    sound(open_page(MODULES[page], run=RUN))


@every_page
@pytest.mark.parametrize(
    "value", ["../../etc/passwd", "/etc", "<script>alert(1)</script>", "*_`$x$`_*", "%00", "a" * 5000]
)
def test_no_address_breaks_it_or_leaves_the_run_folders(open_page, make_run_folder, page, value):
    make_run_folder()
    names = ("run", "right-run", "left", "right", "left-epoch", "right-epoch", "step", "node", "view", "copy", "paper")
    app = sound(open_page(MODULES[page], **dict.fromkeys(names, value)))
    raw = [element.value for kind in ("markdown", "error", "warning", "info", "toast") for element in app.get(kind)]
    assert not any("<script>" in str(text) for text in raw)


@every_page
def test_markup_in_a_run_is_shown_as_text(open_page, make_run_folder, page):
    folder = make_run_folder()
    spec = (folder / "spec.yaml").read_text()
    (folder / "spec.yaml").write_text(spec.replace("builtin-karate", "'<img src=x> **bold** :red[x]'"))
    app = sound(open_page(MODULES[page], run=RUN))
    said = [str(element.value) for kind in ("markdown", "subheader", "error", "info") for element in app.get(kind)]
    assert not any(re.search(r"(?<!\\)<img|(?<!\\):red|(?<!\\)\*\*bold", text) for text in said)


def delete_folder(folder):
    shutil.rmtree(folder)


def cut_result(folder):
    (folder / "result.json").write_text((folder / "result.json").read_text()[:100])


def cut_spec(folder):
    (folder / "spec.yaml").write_text("dataset: {")


def empty_result(folder):
    (folder / "result.json").write_text("{}")


def newer_format(folder):
    (folder / "spec.yaml").write_text((folder / "spec.yaml").read_text().replace("format: 1", "format: 99"))


def no_arrays(folder):
    shutil.rmtree(folder / "arrays")


def damaged_arrays(folder):
    for file in (folder / "arrays").glob("*.npz"):
        file.write_bytes(b"PK\x03\x04 half of a file")


def empty_arrays(folder):
    for file in (folder / "arrays").glob("*.npz"):
        np.savez(file, nothing=np.zeros(0))


def short_arrays(folder):
    """As many nodes in one file as in no other one."""
    with np.load(folder / "arrays/student.npz") as stored:
        np.savez(
            folder / "arrays/student.npz", **{name: stored[name][:5] for name in stored.files if stored[name].ndim}
        )


def no_numbers(folder):
    result = json.loads((folder / "result.json").read_text())
    for role in ("teacher", "student"):
        result[role] |= {"metrics": {}, "parameters": None, "bytes": None, "latency_ms": None}
    (folder / "result.json").write_text(json.dumps(result | {"compression": None}))


DAMAGES = [
    delete_folder, cut_result, cut_spec, empty_result, newer_format, no_arrays, damaged_arrays, empty_arrays,
    short_arrays, no_numbers,
]  # fmt: skip


@every_page
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_run_is_a_message(open_page, make_run_folder, page, damage):
    make_run_folder("other-run-0123456789ab", seed=5)
    folder = make_run_folder()
    damage(folder)
    sound(open_page(MODULES[page], run=RUN))


@pages_of_runs
def test_a_run_that_is_deleted_between_two_looks_is_a_message(open_page, make_run_folder, page):
    folder = make_run_folder()
    app = sound(open_page(MODULES[page], run=RUN))
    shutil.rmtree(folder)
    sound(app.run())


def values_of(code):
    """Run Python as a notebook would: the value of every expression that stands on a line of its own."""
    scope, values = {}, []
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Expr):
            values.append(eval(compile(ast.Expression(statement.value), "copied", "eval"), scope))
        else:
            exec(compile(ast.Module([statement], []), "copied", "exec"), scope)
    return values


@pages_of_runs
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_python_that_it_copies_runs_and_makes_its_figures(open_page, page, example):
    app = sound(open_page(MODULES[page], run=example))
    for code in (block.value for block in app.code if block.value.startswith("import workbench")):
        values = values_of(code)
        assert values, "it draws nothing"
        assert all(isinstance(value, go.Figure) for value in values if value is not None)


@pages_of_runs
def test_the_command_that_it_copies_runs(open_page, page):
    app = sound(open_page(MODULES[page], run=EXAMPLES[0]))
    commands = [block.value for block in app.code if re.match(r"workbench (show|runs) ?", block.value)]
    for command in commands:
        found = CliRunner().invoke(command_line, shlex.split(command)[1:])
        assert found.exit_code == 0, found.output
