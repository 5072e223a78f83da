"""A command made from a spec gives that spec again, whatever it sets."""

import shlex

import pytest

from workbench.cli.flags import split_flags
from workbench.cli.specs import Request, specs_of
from workbench.errors import UsageError
from workbench.registry import datasets
from workbench.runs.measured import without_seed
from workbench.runs.spec_command import command_of, seed_text
from workbench.spec import Spec

KARATE = {"dataset": "builtin-karate"}
CHANGES = {
    "nothing": {},
    "models": {"teacher": {"name": "sage", "hidden_channels": 9}, "student": {"name": "mlp", "batch_norm": True}},
    "a model with training of its own": {"teacher": "gcnii", "student": {"name": "gcnii", "num_layers": 3}},
    "a sum": {"method": [{"name": "kd", "alpha": 0.3}, {"name": "lsp", "kernel": "poly"}]},
    "trainings": {
        "training": {"epochs": 3, "deterministic": False, "gradient_clip": 1.5},
        "teacher_training": {"learning_rate": 0.0123456789},
    },
    "a control": {"teacher_control": "shuffled"},
    "what changes no result": {"training": {"keep_every": 0, "lens_every": 3}, "umap": True},
    "the usual of the other": {"training": {"weight_decay": 5e-4}, "teacher_training": {"weight_decay": 5e-5}},
    "options of the dataset": {"dataset": {"name": "builtin-citation", "graph_seed": 7}},
    "snapshots": {"dataset": "builtin-communities", "online": {"restart": True, "last": 5}},
    "point clouds": {"dataset": "builtin-shapes", "student": {"name": "dgcnn", "k": 5}},
}


def read(command):
    """The specs of a command, by the very functions that the command line reads it with."""
    program, verb, dataset, *words = shlex.split(command)
    assert (program, verb) == ("workbench", "distill")
    flags, rest = split_flags(words)
    given = {
        word.removeprefix("--").replace("-", "_"): value for word, value in zip(rest[::2], rest[1::2], strict=True)
    }
    return specs_of(Request(dataset, flags=flags, **given))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_command_of_a_spec_gives_the_spec_again(change):
    spec = Spec.parse({**KARATE, **change})
    (again,) = read(command_of(spec.model_dump(mode="json"), [0]))
    assert without_seed(again.model_dump(mode="json")) == without_seed(spec.model_dump(mode="json"))


def test_only_what_is_no_default_is_said():
    spec = Spec.parse({**KARATE, "student": {"name": "gcn", "hidden_channels": 7}, "seed": 4, "device": "cpu"})
    assert command_of(spec.model_dump(mode="json"), [4, 0, 1, 2], "cpu") == (
        "workbench distill builtin-karate --teacher gat --student gcn --method kd --student.hidden-channels 7 "
        "--seeds 0-2,4 --device cpu"
    )


PRESETS = [(name, preset) for name in datasets for preset in datasets[name].presets]


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_the_spec_of_every_preset_comes_back(name, preset, monkeypatch):
    monkeypatch.setattr("workbench.cli.specs.require_data", lambda spec: None)
    spec = Spec.parse({"dataset": name, "preset": preset})
    command = command_of(spec.model_dump(mode="json"), [0])
    (again,) = read(command)
    assert without_seed(again.model_dump(mode="json")) == without_seed(spec.model_dump(mode="json"))
    assert len(shlex.split(command)) < 40


def test_a_path_of_ones_own_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.cli.specs.require_data", lambda spec: None)
    folder = tmp_path / "my graph"
    folder.mkdir()
    spec = Spec.parse({"dataset": str(folder)})
    (again,) = read(command_of(spec.model_dump(mode="json"), [0]))
    assert again.dataset == spec.dataset


def test_what_is_no_spec_is_refused():
    with pytest.raises(UsageError):
        command_of({"dataset": {"name": "gone"}, "teacher": {"name": "gcn"}}, [0])


@pytest.mark.parametrize(("seeds", "text"), [([0], "0"), ([3, 1, 2], "1-3"), ([7, 0, 1, 9], "0-1,7,9")])
def test_seeds_are_written_as_ranges(seeds, text):
    assert seed_text(seeds) == text
