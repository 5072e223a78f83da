"""What is taken where a person says nothing, what fits together, and that ids of older runs are what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.methods import KD, Distill2Vec
from workbench.models import DySATConfig, GCNConfig
from workbench.parts import USUAL, parse_dataset, parse_method, preset_documents, with_usual_parts
from workbench.registry import datasets, methods, models
from workbench.spec import Online, Spec, Training

SNAPSHOTS = "builtin-communities"


def names(spec: Spec) -> tuple[str, ...]:
    return spec.teacher.name, spec.student.name, *(part.name for part in spec.method)


@pytest.fixture
def presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual preset and another one, of a dataset of snapshots."""
    found: dict[str, dict[str, Any]] = {
        "usual": {
            "teacher": {"name": "dysat", "hidden_channels": 24, "heads": 3},
            "training": {"epochs": 7, "learning_rate": 0.5},
            "online": {"plain": False, "walks": 4},
        },
        "tiny": {
            "dataset": {"nodes": 60},
            "training": {"epochs": 2},
            "method": "none",
            "student": {"name": "dysat", "heads": 1},
        },
    }
    monkeypatch.setattr(datasets[SNAPSHOTS], "presets", found)


# What is usual.


@pytest.mark.parametrize(
    ("dataset", "task", "parts"),
    [
        ("cora", "node classification", ("gat", "gcn", "kd")),
        ("builtin-shapes", "graph classification", ("dgcnn", "dgcnn", "lsp")),
        (SNAPSHOTS, "link prediction", ("dysat", "dysat", "distill2vec")),
    ],
)
def test_every_task_has_its_usual_parts(dataset: str, task: Task, parts: tuple[str, ...]) -> None:
    assert datasets[dataset].card.task == task
    assert tuple(USUAL[task].values()) == parts
    assert names(Spec.parse({"dataset": dataset})) == parts


@pytest.mark.parametrize("name", datasets.builtin_names())
def test_the_presets_of_every_dataset_are_specs(name: str) -> None:
    """Alone and with each preset; the parts fit the task."""
    needs = {"own": {"path": "a"}, "own-events": {"path": "a.csv"}}.get(name, {})
    for preset in (None, *datasets[name].presets):
        made = Spec.parse({"dataset": {"name": name, **needs}, "preset": preset})
        assert Spec.from_yaml(made.to_yaml()) == made
        assert Spec.from_yaml(made.to_yaml()).id == made.id


def test_what_was_said_is_taken() -> None:
    made = Spec.parse(
        {"dataset": "cora", "teacher": "gcn", "student": GCNConfig(hidden_channels=3), "method": KD(alpha=0.5)}
    )
    assert names(made) == ("gcn", "gcn", "kd")
    assert (made.student.hidden_channels, made.method[0].alpha) == (3, 0.5)  # type: ignore[attr-defined]
    assert names(Spec.parse({"dataset": "cora", "student": "mlp"})) == ("gat", "mlp", "kd")


def test_nothing_is_filled_in_without_a_dataset() -> None:
    for values in ({}, {"dataset": "coar"}, {"dataset": {"nodes": 3}}, {"dataset": None}):
        assert with_usual_parts({**values, "seed": 1}) == {**values, "seed": 1}
    with pytest.raises(UsageError, match=r"dataset: .*did you mean 'cora'"):
        Spec.parse({"dataset": "coar"})


# Presets.


def test_the_usual_preset_fills_what_was_left_out(presets: None) -> None:
    made = Spec.parse({"dataset": SNAPSHOTS})
    assert made.teacher.model_dump().items() >= {"hidden_channels": 24, "heads": 3, "window": 5}.items()  # 5: teachers'
    assert (made.training.epochs, made.training.learning_rate, made.training.batch_size) == (7, 0.5, 512)
    assert made.online == Online(plain=False, walks=4)
    assert names(made) == ("dysat", "dysat", "distill2vec")


def test_what_was_said_comes_before_a_preset(presets: None) -> None:
    made = Spec.parse({
        "dataset": SNAPSHOTS,
        "teacher": {"name": "dysat", "heads": 2},
        "training": {"epochs": 3},
        "online": {"walks": 9},
    })  # fmt: skip
    assert made.teacher.model_dump().items() >= {"hidden_channels": 24, "heads": 2}.items()
    assert (made.training.epochs, made.training.learning_rate) == (3, 0.5)
    assert made.online == Online(plain=False, walks=9)


def test_a_named_preset_comes_before_the_usual_one(presets: None) -> None:
    made = Spec.parse({"dataset": SNAPSHOTS, "preset": "tiny"})
    assert made.dataset.nodes == 60  # type: ignore[attr-defined]
    assert (made.training.epochs, made.training.learning_rate) == (2, 0.5)
    assert names(made) == ("dysat", "dysat", "none")
    assert made.student.heads == 1  # type: ignore[attr-defined]
    said = Spec.parse({"dataset": {"name": SNAPSHOTS, "nodes": 90}, "preset": "tiny", "method": "distill2vec"})
    assert said.dataset.nodes == 90  # type: ignore[attr-defined]
    assert names(said) == ("dysat", "dysat", "distill2vec")
    assert Spec.parse({"dataset": SNAPSHOTS, "preset": "usual"}) == Spec.parse({"dataset": SNAPSHOTS})


def test_a_name_alone_takes_the_presets_options(presets: None) -> None:
    named, left_out = (Spec.parse({"dataset": SNAPSHOTS, **more}) for more in ({"teacher": "dysat"}, {}))
    assert named == left_out


def test_config_objects_are_taken_as_they_are(presets: None) -> None:
    given: dict[str, Any] = {"teacher": DySATConfig(heads=2), "training": Training(epochs=5), "online": Online(walks=2)}
    made = Spec.parse({"dataset": SNAPSHOTS, "preset": "tiny", "method": Distill2Vec(gamma=0.1), **given})
    assert {name: getattr(made, name) for name in given} == given
    assert made.method == (Distill2Vec(gamma=0.1),)
    dataset = datasets[SNAPSHOTS](nodes=70)
    assert Spec.parse({"dataset": dataset, "preset": "tiny"}).dataset == dataset


def test_options_of_the_presets_model_are_not_given_to_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"usual": {"student": {"name": "gcn", "hidden_channels": 5}, "method": {"name": "kd", "alpha": 0.25}}}
    monkeypatch.setattr(datasets["builtin-karate"], "presets", found)
    made = Spec.parse({"dataset": "builtin-karate"})
    assert (made.student.hidden_channels, made.method[0].alpha) == (5, 0.25)  # type: ignore[attr-defined]
    other = Spec.parse({"dataset": "builtin-karate", "student": "mlp", "method": {"name": "glnn"}})
    assert other.student == models["mlp"](**models["mlp"].student_preset)
    assert names(other) == ("gat", "mlp", "glnn")
    same = Spec.parse({"dataset": "builtin-karate", "method": {"name": "kd", "temperature": 2.0}})
    assert (same.method[0].alpha, same.method[0].temperature) == (0.25, 2.0)  # type: ignore[attr-defined]


def test_a_preset_that_there_is_not_is_refused_with_those_there_are(presets: None) -> None:
    with pytest.raises(
        UsageError, match=r"'builtin-communities' has no preset 'tyny': did you mean 'tiny'\?.*usual, tiny"
    ):
        Spec.parse({"dataset": SNAPSHOTS, "preset": "tyny"})
    with pytest.raises(UsageError, match="dataset 'cora' has no preset 'quick': it has none"):
        Spec.parse({"dataset": "cora", "preset": "quick"})
    assert preset_documents(datasets["cora"], None) == []


def test_values_that_were_given_are_not_changed(presets: None) -> None:
    given: dict[str, Any] = {"dataset": SNAPSHOTS, "preset": "tiny", "training": {"epochs": 3}}
    with_usual_parts(given)
    assert given == {"dataset": SNAPSHOTS, "preset": "tiny", "training": {"epochs": 3}}


def test_a_preset_is_kept_through_a_change_of_something_else(presets: None) -> None:
    made = Spec.parse({"dataset": SNAPSHOTS, "preset": "tiny"})
    assert made.replace(seed=4).replace(seed=0) == made


# What fits together.


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"dataset": "cora", "teacher": "dysat"},
            "teacher 'dysat' is made for link prediction and dataset 'cora' for node",
        ),
        ({"dataset": SNAPSHOTS, "student": "gcn"}, "student 'gcn' is made for node .* take one of dysat"),
        ({"dataset": "builtin-shapes", "student": "dysat"}, "student 'dysat' is made for link .* take one of dgcnn"),
        ({"dataset": "cora", "method": "distill2vec"}, "'distill2vec' cannot be used for node .*one of abkd, at.*kd"),
        (
            {"dataset": SNAPSHOTS, "method": "kd"},
            "'kd' cannot be used for link prediction: take one of distill2vec, none",
        ),
        ({"dataset": "builtin-shapes", "method": "glnn"}, "'glnn' cannot be used for graph classification"),
        (
            {"dataset": "cora", "online": {"walks": 3}},
            "online settings are for snapshots, and dataset 'cora' is for node",
        ),
    ],
)
def test_parts_of_another_task_are_refused_with_those_that_fit(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Spec.parse(values)


def test_every_model_and_method_fits_a_task() -> None:
    tasks = set(USUAL)
    assert {models[name].task for name in models} == tasks
    for name in methods:
        assert methods[name].tasks
        assert methods[name].tasks <= tasks


# Paths.


@pytest.mark.parametrize(
    ("path", "kind"),
    [("events.csv", "own-events"), ("data/events.csv.gz", "own-events"), ("data/graph", "own"), ("graph.npz", "own")],
)
def test_a_path_is_a_graph_or_a_list_of_events(path: str, kind: str) -> None:
    assert parse_dataset(path).name == parse_dataset(Path(path)).name == kind


def test_a_folder_that_is_called_like_a_table_is_a_graph(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert parse_dataset(tmp_path / "folder.csv").name == "own"


def test_events_of_ones_own_are_learned_from_as_snapshots() -> None:
    made = Spec.parse({"dataset": "data/events.csv"})
    assert (made.dataset.name, *names(made)) == ("own-events", "dysat", "dysat", "distill2vec")


# Identity.


OLDER = [
    ({"dataset": "cora"}, "4ad0f4eda65a", "54fcf62d70ed"),
    (
        {
            "dataset": "builtin-citation",
            "teacher": {"name": "gcnii", "num_layers": 8},
            "student": "mlp",
            "method": "glnn",
            "seed": 3,
        },
        "90fa6a42647a",
        "7c4ef176eb38",
    ),
    (
        {
            "dataset": "builtin-karate",
            "teacher": "gcn",
            "student": {"name": "sage", "hidden_channels": 4},
            "method": "kd+gcrd",
            "training": {"epochs": 9, "gradient_clip": 1.0},
        },
        "b45d18b27401",
        "974f779fbf8b",
    ),
    (
        {"dataset": "pubmed", "teacher": "gin", "student": "gatv2", "method": "lsp", "teacher_control": "shuffled"},
        "a03ee6fa1506",
        "6c58bf65cb60",
    ),
]


@pytest.mark.parametrize(("values", "run", "teacher"), OLDER, ids=lambda value: value if isinstance(value, str) else "")
def test_ids_are_those_from_before_there_were_mini_batches_and_snapshots(
    values: dict[str, Any], run: str, teacher: str
) -> None:
    """Computed by the version before; a run folder of then is found again."""
    made = Spec.parse(values)
    assert (made.id, made.teacher_id) == (run, teacher)
    assert "online" not in made.to_yaml()


def test_a_size_of_mini_batches_changes_the_id() -> None:
    plain, batched = (Spec.parse({"dataset": "cora", "training": {"batch_size": size}}) for size in (None, 8))
    assert plain.id == Spec.parse({"dataset": "cora"}).id != batched.id
    assert plain.teacher_id == batched.teacher_id


def test_online_settings_change_the_run_and_those_of_a_teacher_also_the_teacher() -> None:
    plain = Spec.parse({"dataset": SNAPSHOTS})
    assert plain.protocol == Online()
    assert Spec.parse({"dataset": SNAPSHOTS, "online": {}}).id == plain.id, "said or not, the settings are the usual"
    for change in ({"restart": True}, {"last": 5}, {"plain": False}):
        changed = Spec.parse({"dataset": SNAPSHOTS, "online": change})
        assert changed.id != plain.id
        assert changed.teacher_id == plain.teacher_id, "a teacher has learned before"
    for change in ({"walks": 3}, {"negatives": 2}, {"predict": "all"}):
        changed = Spec.parse({"dataset": SNAPSHOTS, "online": change})
        assert changed.id != plain.id
        assert changed.teacher_id != plain.teacher_id


@pytest.mark.parametrize("given", ["kd", ["kd"], [{"name": "kd"}], {"name": "kd"}, None])
@pytest.mark.parametrize("dataset", ["ppi", "molhiv"])
def test_a_datasets_own_setting_of_a_method_holds_in_whichever_way_the_method_is_named(dataset, given):
    filled = with_usual_parts({"dataset": dataset, "method": given})["method"]
    (part,) = parse_method(filled)
    assert (part.alpha, part.temperature) == (0.5, 1.0)


def test_in_a_sum_it_holds_for_its_own_part_and_what_is_said_goes_first():
    kd, gcrd = parse_method(with_usual_parts({"dataset": "ppi", "method": "kd+gcrd"})["method"])
    assert (kd.alpha, kd.temperature, gcrd.name) == (0.5, 1.0, "gcrd")
    (said,) = parse_method(with_usual_parts({"dataset": "ppi", "method": [{"name": "kd", "alpha": 0.7}]})["method"])
    assert (said.alpha, said.temperature) == (0.7, 1.0)
