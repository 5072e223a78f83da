"""What holds for every page: it opens whatever there is, however damaged, and what it copies runs."""

import ast
import json
import re
import shlex
import shutil

import numpy as np
import plotly.graph_objects as go
import pytest
import yaml
from typer.testing import CliRunner

from workbench.cli import app as command_line
from workbench.pages.navigation import PAGES
from workbench.runs.store import demo_runs

MODULES = {path: module for path, (_, _, module) in PAGES.items()}
RUN = "karate-kd-s0-0123456789ab"
EXAMPLES = [run.id for run in demo_runs()]
COMPARES = ("embeddings", "layers", "local", "gap")  # pages that name two runs in their figures
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


def test_there_are_examples():
    assert EXAMPLES, "assets/runs is empty: python docs/make_demo_runs.py fills it"


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


def figures(app):
    """The figures on a page, as JSON without its own way of writing ``<`` and ``>``."""
    specs = (chart.proto.spec or chart.proto.figure.spec for chart in app.get("plotly_chart"))
    return [spec.replace("\\u003c", "<").replace("\\u003e", ">") for spec in specs]


MARKUP = "<img src=x> **bold** :red[x] %{x} $y$"
RAW = re.compile(r"(?<!\\)<img|(?<!\\):red|(?<!\\)\*\*bold")


@every_page
def test_markup_in_a_run_is_shown_as_text(open_page, make_run_folder, page):
    make_run_folder("other-run-0123456789ab", seed=5)
    folder = make_run_folder()
    spec = yaml.safe_load((folder / "spec.yaml").read_text())
    spec |= {"dataset": {"name": MARKUP}, "method": [{"name": MARKUP}], "student": {"name": MARKUP}}
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec))
    address = {"run": RUN, "right-run": "other-run-0123456789ab", "right": "student", "left": "student"}
    app = sound(open_page(MODULES[page], **address, **({"view": "watch"} if page == "distil" else {})))
    said = [str(element.value) for kind in ("markdown", "subheader", "error", "info") for element in app.get(kind)]
    assert not any(RAW.search(text) for text in said)
    drawn = figures(app)
    assert not any("<img" in text for text in drawn)
    hovers = [str(trace.get("hovertemplate")) for text in drawn for trace in json.loads(text)["data"]]
    assert not any("%{x} $y$" in hover for hover in hovers)
    if page in COMPARES:
        assert any("&lt;img" in text for text in drawn), "it does not name the method"


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


def arrays(**wrong):
    """A damage: ``graph_y=array`` puts it in the place of ``y`` in ``graph.npz``."""

    def damage(folder):
        for key, array in wrong.items():
            name, _, of = key.partition("_")
            with np.load(folder / f"arrays/{name}.npz") as stored:
                kept = {each: stored[each] for each in stored.files}
            np.savez(folder / f"arrays/{name}.npz", **{**kept, of: array})

    return damage


def spec(**wrong):
    def damage(folder):
        document = yaml.safe_load((folder / "spec.yaml").read_text())
        (folder / "spec.yaml").write_text(yaml.safe_dump({**document, **wrong}))

    return damage


def result(**wrong):
    def damage(folder):
        document = json.loads((folder / "result.json").read_text())
        (folder / "result.json").write_text(json.dumps({**document, **wrong}))

    return damage


def metrics(content):
    return lambda folder: (folder / "metrics.jsonl").write_bytes(content)


NO_ATTENTION = {"teacher_attention_0": np.zeros((0, 2)), "teacher_attention_edge_index_0": np.zeros((2, 0), dtype=int)}
TEXT = {"metrics": {"test": {"accuracy": "x"}}, "parameters": "many", "bytes": [], "latency_ms": {}, "best_epoch": "x"}
DAMAGES = {
    damage.__name__: damage
    for damage in (
        delete_folder, cut_result, cut_spec, empty_result, newer_format, no_arrays, damaged_arrays, empty_arrays,
        short_arrays, no_numbers,
    )
} | {
    "dataset_as_text": spec(dataset="builtin-karate"),
    "no_method": spec(method=None),
    "seed_as_text": spec(seed="one"),
    "results_as_text": result(compression="big", seconds="long", teacher=TEXT, student=TEXT, dataset=[]),
    "results_as_lists": result(compression=[2], seconds={}, teacher=[1], student="x", dataset="x"),
}  # fmt: skip
OF_NODES = {  # of what only these pages read
    "float_edges": arrays(graph_edge_index=np.zeros((2, 5))),
    "edges_in_a_row": arrays(graph_edge_index=np.arange(5)),
    "edges_in_columns": arrays(graph_edge_index=np.zeros((5, 2), dtype=int)),
    "classes_in_rows": arrays(graph_y=np.zeros((30, 4), dtype=int)),
    "no_attention": arrays(**NO_ATTENTION),
    "layers_as_text": arrays(teacher_num_hidden=np.array("two")),
    "features_as_text": arrays(student_embedding=np.full((30, 2), "x"), teacher_hidden_0=np.full((30, 2), "x")),
    "no_classes": arrays(student_logits=np.zeros((30, 0))),
}
OF_EPOCHS = {
    "binary_metrics": metrics(b"\xff\xfe\x00"),
    "list_in_metrics": metrics(b"[1, 2]\n3\nnull\n"),
    "text_in_metrics": metrics(b'{"stage": "student", "epoch": "x", "terms": [1], "val": 3}\n'),
}
EVERY_DAMAGE = DAMAGES | OF_NODES | OF_EPOCHS
DAMAGED_PAGES = [
    *((page, name) for page in MODULES for name in DAMAGES),
    *((page, name) for page in COMPARES for name in OF_NODES),
    *((page, name) for page in ("distil", "layers") for name in OF_EPOCHS),
]


@pytest.mark.parametrize(("page", "damage"), DAMAGED_PAGES)
def test_a_damaged_run_is_a_message(open_page, make_run_folder, page, damage):
    make_run_folder("other-run-0123456789ab", seed=5)
    EVERY_DAMAGE[damage](make_run_folder())
    sound(open_page(MODULES[page], run=RUN, **({"view": "watch"} if page == "distil" else {})))


@pytest.mark.parametrize("damage", EVERY_DAMAGE)
def test_a_form_that_starts_from_a_damaged_run_opens(open_page, make_run_folder, damage):
    EVERY_DAMAGE[damage](make_run_folder())
    sound(open_page(MODULES["distil"], copy=RUN))


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


@every_page
@pytest.mark.parametrize("example", EXAMPLES)
def test_it_opens_with_every_example_and_the_python_that_it_copies_makes_its_figures(open_page, page, example):
    app = sound(open_page(MODULES[page], run=example))
    assert not app.error, app.error[0].value
    if page not in OF_RUNS:
        return
    made = []
    for code in (block.value for block in app.code if block.value.startswith("import workbench")):
        values = values_of(code)
        assert values, "it draws nothing"
        assert all(isinstance(value, go.Figure) for value in values if value is not None)
        made += [value for value in values if value is not None]
    if figures(app):
        assert made, "there is a figure on the page, and no Python that makes it"


@pages_of_runs
def test_the_command_that_it_copies_runs(open_page, page):
    app = sound(open_page(MODULES[page], run=EXAMPLES[0]))
    commands = [block.value for block in app.code if re.match(r"workbench (show|runs) ?", block.value)]
    for command in commands:
        found = CliRunner().invoke(command_line, shlex.split(command)[1:])
        assert found.exit_code == 0, found.output
