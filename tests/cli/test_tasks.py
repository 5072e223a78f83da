"""Commands on datasets of every task: presets, what is usual, and what cannot be combined."""

import json

import pytest
import yaml

from workbench.cli.flags import split_flags
from workbench.cli.specs import Request, specs_of
from workbench.parts import USUAL
from workbench.registry import datasets, methods, models

PRESETS = {
    "usual": {"teacher": {"name": "gcn", "hidden_channels": 24}, "training": {"epochs": 30}},
    "quick": {
        "dataset": {"graph_seed": 3},
        "teacher": {"name": "gat", "heads": 2},
        "method": [{"name": "gcrd", "weight": 0.5}],
        "training": {"epochs": 7, "learning_rate": 0.02},
    },
}


@pytest.fixture
def presets(monkeypatch):
    monkeypatch.setattr(datasets["builtin-citation"], "presets", PRESETS)


def spec(*dotted, **request):
    (found,) = specs_of(Request(flags=split_flags(dotted)[0], **request))
    return found


@pytest.mark.parametrize("dataset", ["builtin-citation", "builtin-shapes", "builtin-communities"])
def test_what_is_left_out_is_what_is_usual_for_the_task(dataset):
    found = spec(dataset=dataset)
    usual = USUAL[datasets[dataset].card.task]
    names = (found.teacher.name, found.student.name, found.objective.name)
    assert names == (usual["teacher"], usual["student"], usual["method"])


def test_a_preset_fills_what_was_not_typed(presets):
    found = spec(dataset="builtin-citation", preset="quick")
    assert (found.dataset.graph_seed, found.teacher.name, found.teacher.heads) == (3, "gat", 2)
    assert (found.objective.name, found.method[0].weight) == ("gcrd", 0.5)
    assert (found.training.epochs, found.training.learning_rate) == (7, 0.02)


def test_without_a_name_the_usual_preset_is_taken(presets):
    found = spec(dataset="builtin-citation")
    assert (found.teacher.name, found.teacher.hidden_channels, found.training.epochs) == ("gcn", 24, 30)
    assert found.objective.name == "kd"


def test_what_was_typed_counts_more_than_a_preset(presets):
    found = spec("--training.epochs", "9", "--teacher.heads", "3", dataset="builtin-citation", preset="quick")
    assert (found.training.epochs, found.training.learning_rate, found.teacher.heads) == (9, 0.02, 3)
    other = spec(dataset="builtin-citation", preset="quick", teacher="sage", method="kd")
    assert (other.teacher.name, other.objective.name, other.training.epochs) == ("sage", "kd", 7)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("dataset: builtin-citation\npreset: quick\ntraining: {epochs: 8}\n")
    return path


def test_a_spec_file_may_name_a_preset(presets, file):
    found = spec(spec=file)
    assert (found.teacher.name, found.training.epochs, found.training.learning_rate) == ("gat", 8, 0.02)
    assert "preset" not in yaml.safe_load(found.to_yaml())


def test_a_preset_of_the_file_stays_with_its_dataset(presets, file):
    assert spec(spec=file, dataset="builtin-karate").training.epochs == 8
    assert spec(spec=file, preset="usual").teacher.name == "gcn"


def test_dotted_options_set_how_snapshots_are_followed(tmp_path):
    found = spec("--online.restart", "true", "--online.last", "5", "--no-online.plain", dataset="builtin-communities")
    assert (found.protocol.restart, found.protocol.last, found.protocol.plain) == (True, 5, False)
    (tmp_path / "spec.yaml").write_text("dataset: builtin-communities\nonline: {walks: 3, restart: true}\n")
    found = spec("--no-online.restart", spec=tmp_path / "spec.yaml")
    assert (found.protocol.walks, found.protocol.restart) == (3, False)


def test_a_budget_of_snapshots_is_for_the_nodes_at_the_last_step(capsys):
    from workbench.datasets import load_dataset

    # DySAT of N nodes, width d, h heads and T snapshots: N d + (2 d + 2 h) + T d + 3 d² + (d² + d) parameters
    nodes = load_dataset("builtin-communities").seen(6)
    size = nodes * 8 + (2 * 8 + 2 * 4) + 3 * 8 + 4 * 8 * 8 + 8
    options = ("--student.heads", "4", "--student.window", "2", "--online.last", "6")
    assert spec(*options, dataset="builtin-communities", budget_parameters=size).student.hidden_channels == 8
    assert spec(*options, dataset="builtin-communities", budget_parameters=size - 1).student.hidden_channels == 4
    assert f"{size:,} parameters" in capsys.readouterr().err


def test_a_budget_of_point_clouds_is_met():
    found = spec("--dataset.shapes-per-class", "5", dataset="builtin-shapes", budget_parameters=5000)
    wider = found.student.replace(hidden_channels=found.student.hidden_channels + 1)
    assert found.student.count_parameters(3, 10) <= 5000 < wider.count_parameters(3, 10)


COMMUNITIES = ("distill", "builtin-communities")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("distill", "builtin-karate", "--preset", "quick"), "dataset 'builtin-karate' has no preset 'quick'"),
        (("distill", "modelnet10", "--preset", "quik"), "did you mean 'quick'"),
        (("controls", "builtin-karate", "--preset", "quick"), "has no preset 'quick'"),
        (("distill", "builtin-karate", "--online.restart", "true"), "online settings are for snapshots"),
        ((*COMMUNITIES, "--online.restrat", "true"), "did you mean 'restart'"),
        ((*COMMUNITIES, "--online.last", "-1"), "a whole number ≥ 0"),
        (("distill", "enron", "--teacher", "gat"), "teacher 'gat' is made for node classification"),
        ((*COMMUNITIES, "--teacher", "dysta"), "did you mean 'dysat'"),
        ((*COMMUNITIES, "--student", "dgcnn"), "student 'dgcnn' is made for graph classification"),
        ((*COMMUNITIES, "--method", "kd"), "method 'kd' cannot be used for link prediction"),
        ((*COMMUNITIES, "--student.hidden-channels", "17"), "take a multiple of 2"),
        (("distill", "builtin-karate", "--method", "distill2vec"), "cannot be used for node classification"),
        (("distill", "enron"), "put Dynamic/Enron/edges.csv.gz below the data root"),
        (("distill", "modelnet10"), "Nothing is downloaded"),
    ],
)
def test_what_does_not_go_together_is_explained(command_line, arguments, message):
    assert message.lower() in command_line.refuses(*arguments).lower()


@pytest.mark.parametrize("text", ["online: fast", "preset: 3", "preset: [quick]"])
def test_a_file_with_something_else_in_their_place_is_explained(command_line, tmp_path_factory, text):
    path = tmp_path_factory.mktemp("spec") / "spec.yaml"
    path.write_text(f"dataset: builtin-communities\n{text}\n")
    assert "expected a" in command_line.refuses("distill", "--spec", path)


def test_a_data_root_that_cannot_be_written_does_not_matter_where_nothing_is_downloaded(
    command_line, tmp_path_factory, monkeypatch
):
    file = tmp_path_factory.mktemp("roots") / "file"
    file.write_text("")
    monkeypatch.setenv("WORKBENCH_DATA", str(file))
    assert "is missing: put" in command_line.refuses("distill", "enron")


def test_datasets_are_listed_by_task_with_what_is_counted_of_them(command_line):
    lines = [line.split() for line in command_line("datasets").stdout.splitlines() if line.strip()]
    rows = {line[0]: line for line in lines}
    # what is published of Enron and ModelNet10, see their cards
    assert rows["enron"][-4:-1] == ["143", "16", "2,347"]
    assert rows["modelnet10"][-4:-1] == ["4,899", "1,024", "10"]
    assert rows["enzymes"][-6:-1] == ["600", "19,580", "74,564", "21", "6"]
    heads = [line for line in lines if line[0] == "name"]
    assert [line[2:] for line in heads] == [
        ["nodes", "edges", "features", "classes", "on", "disk"],
        ["nodes", "node_types", "edges", "relations", "classes", "on", "disk"],
        ["graphs", "nodes", "edges", "features", "classes", "on", "disk"],
        ["shapes", "points", "classes", "on", "disk"],
        ["nodes", "snapshots", "links", "on", "disk"],
    ]


def test_a_datasets_card_lists_its_presets_with_what_they_set(command_line, presets):
    document = command_line.json("datasets", "builtin-citation")
    assert document["presets"] == json.loads(json.dumps(PRESETS))
    text = " ".join(command_line("datasets", "builtin-citation").stdout.split())
    assert "usual options --teacher gcn --teacher.hidden-channels 24 --training.epochs 30" in text
    assert "preset quick --dataset.graph-seed 3 --teacher gat --teacher.heads 2 --method gcrd --gcrd.weight 0.5" in text


def test_a_card_says_what_is_to_be_done_for_data_that_is_never_downloaded(command_line):
    text = " ".join(command_line("datasets", "enron").stdout.split())
    assert "to do put Dynamic/Enron/edges.csv.gz below the data root" in text
    assert command_line.json("datasets", "cora")["wanted"] == ""


def test_a_card_of_snapshots_lists_the_online_options(command_line):
    assert "--online.walk-length" in command_line("datasets", "enron").stdout
    assert "--online" not in command_line("datasets", "cora").stdout


def test_models_and_methods_say_which_tasks_they_serve(command_line):
    assert {each["name"]: each["task"] for each in command_line.json("models")} == {
        name: models[name].task for name in models
    }
    assert {each["name"]: set(each["tasks"]) for each in command_line.json("methods")} == {
        name: set(methods[name].tasks) for name in methods
    }
    assert "link prediction" in command_line("models", "dysat").stdout
    assert "graph classification, node classification" in command_line("methods", "lsp").stdout
    for kind in ("models", "methods"):
        assert "link prediction" in command_line(kind).stdout
