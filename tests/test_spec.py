from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.specs import Request, specs_of
from workbench.errors import UsageError
from workbench.options import Config, Option, describe
from workbench.registry import datasets, methods, models
from workbench.runs.api import distill
from workbench.runs.store import demo_runs
from workbench.spec import Spec, Training

BASE = {"dataset": "builtin-citation", "teacher": "gat", "student": "gcn", "method": "kd"}


def spec(**changes: object) -> Spec:
    return Spec.parse({**BASE, **changes})


def test_a_spec_comes_back_from_yaml_as_it_was() -> None:
    made = spec(method="kd+gcrd", student={"name": "gcn", "hidden_channels": 16}, seed=4, training={"epochs": 7})
    assert Spec.from_yaml(made.to_yaml()) == made
    assert Spec.from_yaml(made.to_yaml()).id == made.id


def test_the_same_spec_said_in_another_way_has_the_same_id() -> None:
    assert spec(method="kd+gcrd").id == spec(method=[methods["kd"](), {"name": "gcrd"}]).id
    assert spec(student="gcn").id == spec(student={"name": "gcn", **models["gcn"].student_preset}).id


def test_the_id_is_the_same_in_another_process() -> None:
    code = f"from workbench.spec import Spec; print(Spec.parse({BASE!r}).id)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == spec().id


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"method": "none"},
        {"student": {"name": "gcn", "hidden_channels": 5}},
        {"teacher": "gcn"},
        {"training": {"epochs": 3}},
        {"dataset": "builtin-digits"},
    ],
)
def test_every_part_changes_the_id(change: dict[str, object]) -> None:
    assert spec(**change).id != spec().id


def test_where_it_runs_and_what_is_drawn_do_not_change_the_id() -> None:
    assert spec(device="cpu", umap=True).id == spec().id


def test_ids_are_those_of_specs_from_before_there_were_controls() -> None:
    """A teacher that is no control leaves no trace in an id: the runs that come with the workbench keep theirs."""
    older = [{key: value for key, value in run.document.items() if key != "teacher_control"} for run in demo_runs()]
    for document in older:
        document.pop("format")
    assert older
    assert [Spec.parse(document, "").id for document in older] == [run.id[-12:] for run in demo_runs()]


def test_a_control_changes_the_run_and_its_teacher() -> None:
    controls = [spec(teacher_control=control) for control in ("none", "untrained", "shuffled")]
    assert controls[0] == spec()
    assert len({made.id for made in controls}) == len({made.teacher_id for made in controls}) == 3
    for made in controls:
        assert made.replace(teacher_control="none").id == spec().id
        assert made.replace(method="none").teacher_id == made.teacher_id
        assert Spec.from_yaml(made.to_yaml()) == made


def test_a_control_is_typed_as_a_flag_or_written_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(yaml.safe_dump({**BASE, "teacher_control": "shuffled"}))
    assert specs_of(Request(spec=file))[0].teacher_control == "shuffled"
    assert specs_of(Request(spec=file, teacher_control="untrained"))[0].teacher_control == "untrained"
    assert specs_of(Request(dataset="builtin-karate"))[0].teacher_control == "none"


def test_a_new_version_of_a_component_changes_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = spec().id
    monkeypatch.setattr(methods["kd"], "version", 1000)
    assert spec().id != before


def test_the_teacher_does_not_depend_on_student_or_method() -> None:
    assert spec(method="none", student="mlp", training={"epochs": 3}).teacher_id == spec().teacher_id
    assert spec(seed=1).teacher_id != spec().teacher_id


def test_presets_fill_what_was_left_out_by_role() -> None:
    made = spec(teacher="gcn", student="gcn")
    assert made.teacher.hidden_channels == models["gcn"].teacher_preset["hidden_channels"]  # type: ignore[attr-defined]
    assert made.student.hidden_channels == models["gcn"].student_preset["hidden_channels"]  # type: ignore[attr-defined]
    assert made.teacher_training.learning_rate == 0.01
    assert spec().teacher_training.learning_rate == 0.005, "GAT trains with its own rate"
    assert spec(teacher_training={"learning_rate": 0.1}).teacher_training.learning_rate == 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "coar"}, "did you mean 'cora'"),
        ({"teacher": "gatt"}, "did you mean 'gat'"),
        ({"method": "kd+gcdr"}, "did you mean 'gcrd'"),
        ({"method": "kd+kd"}, "stands twice"),
        ({"method": "kd+glnn"}, "both set the weight of the task loss"),
        ({"method": []}, "a method is missing"),
        ({"student": {"name": "gcn", "hiden_channels": 4}}, "did you mean 'hidden_channels'"),
        ({"student": {"name": "gcn", "hidden_channels": 0}}, "greater than or equal to 1"),
        ({"student": {"name": "gcn", "dropout": float("nan")}}, "finite number"),
        ({"student": {"hidden_channels": 4}}, "a name or a mapping with a name"),
        ({"training": {"epochs": "many"}}, "valid integer"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"sed": 1}, "did you mean 'seed'"),
        ({"teacher_control": "random"}, "'none', 'untrained' or 'shuffled'"),
        ({"method": {"name": "kd", "alpha": 1.5}}, "less than or equal to 1"),
    ],
)
def test_a_wrong_spec_is_refused_in_words(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        spec(**change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"teacher": {"name": "gat", "heads": 0}}, "teacher.heads: "),
        ({"student": {"name": "gcn", "hidden_channels": 0}}, "student.hidden_channels: "),
        ({"student": {"name": "gcn", "width": 4}}, "student: unknown option 'width'"),
        ({"student": {"hidden_channels": 4}}, "student: "),
        ({"dataset": {"name": "own", "undirected": "maybe"}}, "dataset.undirected: "),
        ({"method": ["kd", {"name": "gcrd", "weight": -1}]}, "method: gcrd.weight: "),
        ({"teacher_training": {"epochs": 0}}, "teacher_training.epochs: "),
    ],
)
def test_a_fault_is_said_in_the_part_that_has_it(change: dict[str, object], place: str, tmp_path: Path) -> None:
    document = {**BASE, **change}
    file = tmp_path / "spec.yaml"
    file.write_text(yaml.safe_dump(document))
    doors: dict[str, Callable[[], object]] = {
        "distill": lambda: distill(**document, device="cpu", root=tmp_path),  # type: ignore[arg-type]
        "a.yaml": lambda: Spec.from_yaml(file.read_text(), "a.yaml"),
        str(file): lambda: specs_of(Request(spec=file)),
    }
    for where, door in doors.items():
        with pytest.raises(UsageError) as caught:
            door()
        assert place in str(caught.value), where
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_an_unknown_model_is_said_with_its_role(role: str) -> None:
    with pytest.raises(UsageError, match=f"{role}: unknown model 'gatt'"):
        spec(**{role: "gatt"})


def test_every_fault_of_a_part_is_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        spec(teacher={"name": "gat", "heads": 0, "dropout": 2}, student={"name": "gcn", "hidden_channels": 0})
    places = [line.split(":")[0] for line in str(caught.value).splitlines()]
    assert places == ["Spec.teacher.heads", "Spec.teacher.dropout", "Spec.student.hidden_channels"]


def test_a_name_that_is_too_long_for_a_file_is_an_unknown_name() -> None:
    with pytest.raises(UsageError, match="unknown dataset 'aaa"):
        spec(dataset="a" * 300)


@pytest.mark.parametrize("change", [{"lens_every": 0}, {"lens_every": 7}, {"cuda_graph": True}])
def test_what_is_looked_at_and_how_fast_it_goes_do_not_change_the_id(change: dict[str, object]) -> None:
    other = spec(training=change, teacher_training=change)
    assert (other.id, other.teacher_id) == (spec().id, spec().teacher_id)
    assert Spec.from_yaml(other.to_yaml()) == other


def test_the_pictures_of_the_student_do_not_change_the_teacher() -> None:
    every, other = spec(teacher_training={"keep_every": 1}), spec(teacher_training={"keep_every": 2})
    assert (every.id, every.teacher_id) == (other.id, other.teacher_id), "a teacher stores no pictures"
    assert spec(training={"keep_every": 1}).id != spec(training={"keep_every": 2}).id


@pytest.mark.parametrize(
    "text", ["", "[", "a: b: c", "- 1", "format: 99\ndataset: cora", "!!python/object:os.system {}"]
)
def test_what_is_not_a_spec_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Spec.from_yaml(text)


@given(
    alpha=st.floats(0, 1),
    width=st.integers(1, 8192),
    seed=st.integers(0, 2**31 - 1),
    epochs=st.integers(1, 100_000),
)
def test_any_valid_spec_survives_yaml(alpha: float, width: int, seed: int, epochs: int) -> None:
    made = spec(
        method={"name": "kd", "alpha": alpha},
        student={"name": "gcn", "hidden_channels": width},
        seed=seed,
        training={"epochs": epochs},
    )
    again = Spec.from_yaml(made.to_yaml())
    assert again == made
    assert again.id == made.id


def test_every_option_of_every_component_carries_help() -> None:
    configs = [registry[name] for registry in (datasets, models, methods) for name in registry]
    bare = [f"{config.__name__}.{o.name}" for config in [*configs, Training] for o in describe(config) if not o.help]
    assert bare == []


def test_an_option_is_described_as_plain_data() -> None:
    class Example(Config):
        rate: float | None = Option(0.5, help="A rate.", gt=0, le=1)

    (rate,) = describe(Example)
    assert (rate.kind, rate.optional, rate.low, rate.low_exclusive, rate.high) == ("float", True, 0, True, 1)


def test_what_was_left_empty_is_called_missing() -> None:
    with pytest.raises(UsageError) as caught:
        spec(dataset={"name": "own", "path": None})
    assert "path is missing: give a value" in str(caught.value)
