"""The set-up form serves every task: choices, presets, sizes and snippets follow the dataset."""

import json
import shlex

import pytest
from typer.testing import CliRunner

from workbench.cli import app as command_line
from workbench.datasets.load import load_dataset
from workbench.parts import USUAL
from workbench.registry import datasets, methods, models
from workbench.spec import Spec

START = "set-up-1"
DATASETS = {"builtin-citation": "node classification", "builtin-shapes": "graph classification"}
DATASETS |= {"builtin-communities": "link prediction", "builtin-motifs": "graph classification"}
PRESETS = {
    "usual": {"training": {"epochs": 31}},
    "quick": {
        "dataset": {"k": 3},
        "teacher": {"name": "gat", "heads": 2},
        "student": {"name": "sage", "hidden_channels": 5},
        "method": [{"name": "gcrd", "weight": 0.5}],
        "training": {"epochs": 7},
    },
}


@pytest.fixture
def presets(monkeypatch):
    monkeypatch.setattr(datasets["builtin-digits"], "presets", PRESETS)


@pytest.fixture
def launched(monkeypatch):
    """Specs that the button would have launched."""
    specs = []

    def launch(spec, **_):
        specs.append(spec)
        raise ValueError  # enough is known

    monkeypatch.setattr("workbench.runs.launch.launch", launch)
    return specs


def choose(app, dataset, start=START):
    app.selectbox(key=f"{start}-dataset").set_value(dataset).run()
    assert not app.exception
    assert not app.error
    return app


def ending(app, end):
    """The one widget whose key ends so."""
    (found,) = [element for element in app if str(getattr(element, "key", None)).endswith(end)]
    return found


def names(widget):
    return [option.rsplit("(", 1)[-1].rstrip(")") for option in widget.options]


@pytest.mark.parametrize(("dataset", "task"), DATASETS.items())
def test_models_and_methods_to_choose_from_are_those_of_the_task(open_page, dataset, task):
    app = choose(open_page("distil", preset="karate"), dataset)
    fitting = [name for name in models if models[name].fits(datasets[dataset])]
    assert ("dgcnn" in fitting, "gine" in fitting) == (dataset == "builtin-shapes", dataset == "builtin-motifs")
    for role in ("-teacher", "-student"):
        assert names(ending(app, role)) == fitting
    titles = [methods[name].title or name for name in methods if task in methods[name].tasks]
    assert ending(app, "-methods").options == titles


@pytest.mark.parametrize("dataset", ["builtin-shapes", "builtin-communities"])
def test_a_dataset_of_another_task_brings_what_is_usual_there(open_page, dataset):
    app = choose(open_page("distil", preset="karate"), dataset)
    usual = USUAL[DATASETS[dataset]]
    assert (ending(app, "-teacher").value, ending(app, "-student").value) == (usual["teacher"], usual["student"])
    assert ending(app, "-methods").value == [usual["method"]]
    assert [block.value for block in app.code][1].startswith(f"workbench distill {dataset} --teacher")


def test_a_dataset_of_the_same_task_keeps_what_was_chosen(open_page):
    app = open_page("distil", preset="karate")
    app.selectbox(key=f"{START}-teacher").set_value("sage").run()
    choose(app, "builtin-citation")
    assert app.selectbox(key=f"{START}-teacher").value == "sage"
    assert app.number_input(key=f"{START}-student-gcn-hidden_channels").value == 2


def test_what_was_entered_is_there_again_after_a_look_at_another_dataset(open_page):
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-student-gcn-hidden_channels").set_value(7).run()
    choose(app, "builtin-communities")
    choose(app, "builtin-karate")
    assert app.number_input(key=f"{START}-student-gcn-hidden_channels").value == 7


def test_the_usual_preset_of_a_dataset_fills_the_form_and_says_nothing_in_the_snippet(open_page):
    app = open_page("distil", preset="communities")
    assert not app.exception
    assert not app.error
    spec = Spec.parse({"dataset": "builtin-communities"})
    shown = {role: ending(app, f"-{role}-dysat-hidden_channels").value for role in ("teacher", "student")}
    assert shown == {role: getattr(spec, role).hidden_channels for role in shown}
    assert ending(app, "-training-dysat-epochs").value == spec.training.epochs
    command = app.code[1].value
    assert command == "workbench distill builtin-communities --teacher dysat --student dysat --method distill2vec"


def test_a_preset_fills_the_form_and_is_named_in_the_snippets(open_page, presets, launched):
    app = choose(open_page("distil", preset="karate"), "builtin-digits")
    assert ending(app, "-training-gcn-epochs").value == 31
    ending(app, "-preset-builtin-digits").set_value("quick").run()
    assert (ending(app, "-teacher").value, ending(app, "-student").value) == ("gat", "sage")
    assert ending(app, "-teacher-gat-heads").value == 2
    assert ending(app, "-method-gcrd-weight").value == 0.5
    assert ending(app, "-dataset-builtin-digits-k").value == 3
    python, command = [block.value for block in app.code][:2]
    assert "preset='quick'" in python
    assert "--preset quick" in command
    assert "--training" not in command
    ending(app, "-training-sage-epochs").set_value(9).run()
    assert "--training.epochs 9" in app.code[1].value
    app.button(key="launch").click().run()
    (spec,) = launched
    assert (spec.dataset.k, spec.teacher.heads, spec.training.epochs) == (3, 2, 9)
    assert spec.method[0].weight == 0.5


def test_what_the_form_shows_of_a_preset_is_what_would_run(open_page, launched):
    app = choose(open_page("distil", preset="karate"), "modelnet10")
    ending(app, "-preset-modelnet10").set_value("quick").run()
    assert not app.exception
    app.button(key="launch").click().run()
    (spec,) = launched
    assert spec == Spec.parse({"dataset": "modelnet10", "preset": "quick"})
    assert ending(app, "-dataset-modelnet10-points").value == spec.dataset.points == 256


def size(nodes, width, heads, snapshots):
    """Parameters of DySAT: N d + (2 d + 2 h) + T d + 3 d² + (d² + d)."""
    return nodes * width + 2 * width + 2 * heads + snapshots * width + 4 * width**2 + width


def test_sizes_on_snapshots_are_for_the_nodes_that_each_model_knows(open_page):
    app = open_page("distil", preset="communities")
    spec = Spec.parse({"dataset": "builtin-communities"})
    data = load_dataset("builtin-communities")
    teacher, student = spec.teacher, spec.student
    # The teacher learns from as many snapshots as its window holds, the student follows to the last but one.
    known, there = data.seen(teacher.window - 1), data.seen(len(data) - 2)
    shown = {metric.label: metric.value for metric in app.metric}
    large = size(known, teacher.hidden_channels, teacher.heads, teacher.window + 1)
    assert shown["Teacher"] == f"{large:,}"
    small = size(there, student.hidden_channels, student.heads, student.window + 1)
    assert shown["Student"] == f"{small:,}"
    ending(app, "-online-last").set_value(6).run()
    earlier = small - (there - data.seen(6)) * student.hidden_channels
    assert {metric.label: metric.value for metric in app.metric}["Student"] == f"{earlier:,}"


def test_a_budget_on_snapshots_is_met(open_page, launched):
    app = open_page("distil", preset="communities")
    ending(app, "-budget-unit").set_value("parameters").run()
    ending(app, "-budget-parameters").set_value(4000).run()
    assert not app.exception
    assert not app.error
    app.button(key="launch").click().run()
    student, data = launched[0].student, load_dataset("builtin-communities")
    sizes = [
        size(data.seen(len(data) - 2), width, student.heads, student.window + 1)
        for width in (student.hidden_channels, student.hidden_channels + student.heads)
    ]
    assert sizes[0] <= 4000 < sizes[1]


def test_sizes_on_point_clouds_are_for_three_coordinates(open_page):
    app = open_page("distil", preset="shapes")
    assert not app.exception
    spec = Spec.parse({"dataset": "builtin-shapes"})
    shown = {metric.label: metric.value for metric in app.metric}
    for role in ("teacher", "student"):
        assert shown[role.capitalize()] == f"{getattr(spec, role).count_parameters(3, 10):,}"


def test_the_online_protocol_is_filled_in_and_copied(open_page, launched):
    app = open_page("distil", preset="communities")
    ending(app, "-online-restart").set_value(True).run()
    ending(app, "-online-walks").set_value(4).run()
    python, command = [block.value for block in app.code][:2]
    assert "online={'restart': True, 'walks': 4}" in python
    assert "--online.restart true --online.walks 4" in command
    app.button(key="launch").click().run()
    assert (launched[0].protocol.restart, launched[0].protocol.walks) == (True, 4)


@pytest.mark.parametrize(("dataset", "task"), DATASETS.items())
def test_what_only_one_task_has_is_only_asked_there(open_page, dataset, task):
    app = choose(open_page("distil", preset="karate"), dataset)
    keys = [str(getattr(element, "key", None)) for element in app]
    assert any(key.endswith("-online-restart") for key in keys) == (task == "link prediction")
    assert any(key.endswith("-umap") for key in keys) == (task == "node classification")
    assert ("shuffled" in ending(app, "-teacher_control").options) == (task != "link prediction")


TINY = {
    "-dataset-builtin-communities-nodes": 80,
    "-dataset-builtin-communities-snapshots": 6,
    "-teacher-dysat-window": 2,
    "-teacher-dysat-hidden_channels": 8,
    "-student-dysat-hidden_channels": 4,
    "-teacher_training-dysat-epochs": 1,
    "-training-dysat-epochs": 1,
    "-online-last": 2,
    "-online-plain": False,
}


def test_python_the_command_and_the_button_are_one_run_on_snapshots(open_page, runs_root, monkeypatch):
    def refuse(run, *_):
        raise AssertionError(f"{run.id} is another run")

    monkeypatch.setattr("workbench.runs.launch.start_worker", refuse)
    app = open_page("distil", preset="communities")
    for end, value in TINY.items():
        ending(app, end).set_value(value).run()
        assert not app.exception
    python, command = [block.value for block in app.code][:2]
    space = {}
    exec(python, space)
    run = space["run"]
    app.button(key="launch").click().run()
    assert not app.exception
    assert app.query_params["run"] == run.id
    result = CliRunner().invoke(command_line, [*shlex.split(command)[1:], "--json"])
    assert [found["id"] for found in json.loads(result.stdout)["runs"]] == [run.id]
    copied = open_page("distil", copy=run.id)
    copied.button(key="launch").click().run()
    assert not copied.exception
    assert copied.query_params["run"] == run.id
