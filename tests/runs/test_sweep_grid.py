"""What a sweep file means: which runs, in which order, and what is said of a fault in it."""

from itertools import groupby
from pathlib import Path

import pytest
import yaml

from workbench.errors import UsageError
from workbench.runs import sweep_grid
from workbench.runs.sweep_grid import read_sweep, sweep_of

GRID = {
    "datasets": ["builtin-karate", "builtin-citation"],
    "teachers": "gat",
    "students": ["gcn", {"name": "gcn", "hidden_channels": 3}],
    "methods": ["none", "kd", "kd+gcrd"],
    "seeds": "0-4",
    "device": "cpu",
}


def specs_of(**document):
    return sweep_of(document, "sweep.yaml").specs


def refusal(**document):
    with pytest.raises(UsageError) as caught:
        specs_of(**document)
    return str(caught.value)


def test_a_grid_has_a_run_for_every_combination():
    specs = specs_of(**GRID)
    assert len(specs) == 2 * 1 * 2 * 3 * 5 == len({spec.id for spec in specs})
    assert {spec.seed for spec in specs} == {0, 1, 2, 3, 4}
    assert {spec.objective.name for spec in specs} == {"none", "kd", "kd+gcrd"}


def test_runs_that_share_a_teacher_stand_together_and_the_order_is_always_the_same():
    specs = specs_of(**GRID)
    blocks = [teacher for teacher, _ in groupby(spec.teacher_id for spec in specs)]
    assert len(blocks) == len(set(blocks)) == 2 * 5, "a teacher per dataset and seed"
    assert [spec.id for spec in specs] == [spec.id for spec in specs_of(**GRID)]


def test_entries_that_repeat_a_teacher_far_below_join_its_other_runs():
    entries = [{"method": m, "teacher": t} for m, t in (("kd", "gcn"), ("kd", "gat"), ("none", "gcn"))]
    specs = specs_of(dataset="builtin-karate", runs=entries)
    assert [(s.teacher.name, s.objective.name) for s in specs] == [("gcn", "kd"), ("gcn", "none"), ("gat", "kd")]


def test_a_run_that_is_named_twice_is_there_once():
    document = {"dataset": "builtin-karate", "methods": ["kd", {"name": "kd"}], "runs": [{"method": "kd", "seed": 0}]}
    assert len(specs_of(**document)) == 1


def test_what_is_left_out_is_usual_for_the_dataset():
    (spec,) = specs_of(dataset="builtin-karate")
    assert (spec.teacher.name, spec.student.name, spec.objective.name, spec.seed) == ("gat", "gcn", "kd", 0)


def test_settings_are_common_to_all_runs():
    training = {"epochs": 7}
    for spec in specs_of(**GRID, training=training, teacher_training={"epochs": 9}):
        assert (spec.training.epochs, spec.teacher_training.epochs, spec.device) == (7, 9, "cpu")


def test_an_entry_of_runs_is_a_grid_of_its_own_over_the_common_part():
    specs = specs_of(**GRID, runs=[{"student": "mlp", "method": "glnn"}])
    own = [spec for spec in specs if spec.student.name == "mlp"]
    assert len(specs) == 60 + 2 * 5
    assert {(s.dataset.name, s.teacher.name, s.objective.name, s.seed) for s in own} == {
        (dataset, "gat", "glnn", seed) for dataset in GRID["datasets"] for seed in range(5)
    }


def test_without_a_common_method_there_are_only_the_entries():
    common = {"dataset": "builtin-karate", "seeds": [3, 5], "training": {"epochs": 7, "learning_rate": 0.5}}
    entries = [{"method": "none"}, {"method": ["kd", "gcrd"], "seed": 1, "training": {"learning_rate": 0.25}}]
    specs = specs_of(**common, runs=entries)
    found = [(s.objective.name, s.seed, s.training.epochs, s.training.learning_rate) for s in specs]
    assert found == [("none", 3, 7, 0.5), ("none", 5, 7, 0.5), ("kd+gcrd", 1, 7, 0.25)]


def test_the_example_of_the_docstring_is_a_sweep(planetoid_root):
    text = sweep_grid.__doc__.split("::\n", 1)[1].split("\n\nEvery key", 1)[0]
    found = sweep_of(yaml.safe_load(text))
    grid = 2 * 2 * 1 * 4 * 10  # datasets, teachers, students, methods, seeds
    assert found.name == "citation"
    assert len(found.specs) == grid + 2 * 2 * 10 + 2


@pytest.mark.parametrize(
    ("given", "seeds"),
    [(3, [3]), ([1, 0], [1, 0]), ("0-2,7", [0, 1, 2, 7]), (["0-1", 5], [0, 1, 5])],
)
def test_seeds_may_be_a_number_a_list_or_ranges(given, seeds):
    assert sorted(spec.seed for spec in specs_of(dataset="builtin-karate", seeds=given)) == sorted(seeds)


def test_a_combination_of_different_tasks_is_refused_or_left_out():
    tasks = {"datasets": ["builtin-karate", "builtin-communities"], "teachers": "gcn", "students": "gcn"}
    message = refusal(**tasks, methods="kd")
    assert message.startswith("sweep.yaml: builtin-communities × gcn × gcn × kd: ")
    assert "skip_unsuitable" in message
    (spec,) = specs_of(**tasks, methods="kd", skip_unsuitable=True)
    assert spec.dataset.name == "builtin-karate"
    assert "every combination" in refusal(
        dataset="builtin-communities", teacher="gcn", student="gcn", method="kd", skip_unsuitable=True
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"teachers": ["gat", "gta"]}, "sweep.yaml: teachers[1]: "),
        ({"students": {"name": "gcn", "hiden_channels": 4}}, "sweep.yaml: students: "),
        ({"methods": ["none", "kd+gcrdd"]}, "sweep.yaml: methods[1]: "),
        ({"methods": [{"name": "kd", "alpha": 7}]}, "sweep.yaml: methods[0]: "),
        ({"datasets": "korra"}, "sweep.yaml: datasets: "),
        ({"datasets": []}, "sweep.yaml: datasets: "),
        ({"seeds": "5-1"}, "sweep.yaml: seeds: "),
        ({"seeds": [0, -1]}, "sweep.yaml: seeds[1]: "),
        ({"seeds": True}, "sweep.yaml: seeds: "),
        ({"sedes": 1}, "sweep.yaml: sedes: "),
        ({"method": "kd"}, "sweep.yaml: method: "),
        ({"training": {"epochs": -1}}, "sweep.yaml: builtin-karate × gat × gcn × none: training.epochs"),
        ({"training": 5}, "sweep.yaml: training: "),
        ({"runs": [{"method": "kd"}, {"student": "gnc"}]}, "sweep.yaml: runs[1].student: "),
        ({"runs": [{"name": "kd"}]}, "sweep.yaml: runs[0].name: "),
        ({"runs": ["kd"]}, "sweep.yaml: runs[0]: "),
        ({"runs": []}, "sweep.yaml: runs: "),
        ({"skip_unsuitable": "maybe"}, "sweep.yaml: skip_unsuitable: "),
        ({"format": 99}, "sweep.yaml: "),
        ({"name": 7}, "sweep.yaml: name: "),
    ],
)
def test_a_fault_is_said_with_its_place(change, place):
    grid = {**GRID, "datasets": "builtin-karate", "students": "gcn", "seeds": 0}
    assert refusal(**{**grid, **change}).startswith(place)


def test_a_file_with_too_many_runs_is_refused(monkeypatch):
    monkeypatch.setattr(sweep_grid, "LARGEST", 10)
    assert "more than 10 runs" in refusal(dataset="builtin-karate", methods=["none", "kd"], seeds="0-5")


def test_a_dataset_is_needed():
    assert refusal(methods="kd").startswith("sweep.yaml: datasets: is missing")


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "\x00"])
def test_what_is_no_sweep_is_refused(tmp_path: Path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"mine\.yaml"):
        read_sweep(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_sweep(tmp_path / "nothing.yaml")


def test_a_sweep_is_called_like_its_file_or_as_it_says(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("dataset: builtin-karate\n")
    assert read_sweep(file).name == "mine"
    file.write_text("dataset: builtin-karate\nname: yours\n")
    assert read_sweep(file).name == "yours"
