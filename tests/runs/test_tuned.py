"""Tuned configurations: kept in files, and taken where a person leaves options out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.errors import UsageError
from workbench.runs import api, search_study
from workbench.runs.folder import Run
from workbench.runs.search import Searched, found, studies_of, work_here
from workbench.runs.tuned import TUNED_ROOT, Tuned, all_tuned, keep, read_tuned, tuned_of, with_tuned
from workbench.spec import Spec

PACKAGE = Path(search_study.__file__).resolve().parents[1] / "tuned"
PARTS: dict[str, Any] = {
    "dataset": "builtin-karate",
    "teacher": "gcn",
    "student": {"name": "gcn", "hidden_channels": 2},
}
ENTRY = {
    "dataset": {"name": "builtin-karate"},
    "teacher": {"name": "gcn"},
    "student": {"name": "gcn", "hidden_channels": 2, "dropout": 0.25},
    "method": [{"name": "lsp", "weight": 37.5, "kernel": "poly"}],
    "training": {"epochs": 50, "learning_rate": 0.02},
    "searched": ["lsp.weight", "lsp.kernel", "training.learning_rate", "student.dropout"],
    "trials": 12,
    "seeds": [0, 1],
    "metric": "accuracy",
    "validation": 0.75,
    "default_validation": 0.5,
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own file with one configuration."""
    path = tmp_path / "own.yaml"
    keep([Tuned.parse(ENTRY)], path)
    monkeypatch.setenv(TUNED_ROOT, str(path))
    return path


@pytest.fixture
def searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Searched:
    """A search whose scores grow with the weight of the method."""

    def planted(spec: Spec, root: Path) -> Run:
        folder = tmp_path / "planted" / spec.id
        folder.mkdir(parents=True)
        weight = sum(getattr(part, "weight", 0.0) for part in spec.method)
        (folder / "metrics.jsonl").write_text(
            f'{{"stage": "student", "epoch": 1, "val": {{"accuracy": {weight / 1e4}}}}}\n'
        )
        return Run(folder)

    monkeypatch.setattr(search_study, "trial_run", planted)
    spec = Spec.parse({**PARTS, "method": "gsp", "training": {"epochs": 7}, "device": "cpu"})
    (study,) = studies_of([spec], [0, 1], tmp_path / "runs", ["training"])
    work_here([study], 12)
    return found(study)


def test_what_a_search_found_is_kept_and_is_its_best_spec(searched: Searched, tmp_path: Path) -> None:
    kept = tuned_of(searched)
    keep([kept], tmp_path / "new" / "karate.yaml")
    assert read_tuned(tmp_path / "new" / "karate.yaml") == [kept]
    best = searched.spec
    assert searched.best is not searched.default
    assert (kept.spec.method, kept.spec.student, kept.spec.teacher) == (best.method, best.student, best.teacher)
    pictures = {"keep_every": best.training.keep_every, "lens_every": best.training.lens_every}
    assert kept.spec.training.replace(**pictures) == best.training
    assert (kept.trials, kept.seeds, kept.metric) == (12, [0, 1], "accuracy")
    assert kept.validation == pytest.approx(getattr(best.method[0], "weight") / 1e4)  # noqa: B009 - of this method
    assert kept.default_validation == pytest.approx(100.0 / 1e4)
    assert kept.options == searched.options


def test_only_what_differs_from_the_usual_is_written(searched: Searched) -> None:
    kept = tuned_of(searched)
    assert kept.teacher == {"name": "gcn"}
    assert kept.teacher_training == {}
    assert set(kept.training) == {"epochs", "learning_rate", "weight_decay"}
    assert set(kept.student) == {"name", "hidden_channels", "dropout"}


def test_keeping_again_replaces_the_same_components_and_leaves_others(own: Path) -> None:
    student = {"name": "gcn", "hidden_channels": 2, "dropout": 0.5}  # the dropout was searched
    better = Tuned.parse({**ENTRY, "student": student, "validation": 0.8})
    other = Tuned.parse({**ENTRY, "method": [{"name": "kd"}], "searched": ["kd.alpha"]})
    keep([better, other], own)
    assert {each.method[0]["name"]: each.validation for each in read_tuned(own)} == {"kd": 0.75, "lsp": 0.8}


def test_the_preset_fills_in_what_was_left_out(own: Path) -> None:
    document, source = with_tuned({"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "lsp"})
    spec = Spec.parse(document)
    assert spec.method[0].model_dump() | {"weight": 37.5, "kernel": "poly"} == spec.method[0].model_dump()
    assert (spec.training.epochs, spec.training.learning_rate) == (50, 0.02)
    assert spec.student.model_dump()["hidden_channels"] == 2
    assert spec.student.model_dump()["dropout"] == 0.25
    for word in ("12 configurations", "seeds 0, 1", "75.0 %", "untuned 50.0 %", "lsp.weight 37.5", "validation"):
        assert word in source.sentence


def test_what_is_given_counts_more(own: Path) -> None:
    given = {**PARTS, "method": {"name": "lsp", "kernel": "l2"}, "training": {"epochs": 9}, "seed": 3}
    spec = Spec.parse(with_tuned({**given, "preset": "tuned"})[0])
    dumped = spec.method[0].model_dump()
    assert (dumped["kernel"], dumped["weight"]) == ("l2", 37.5)
    assert (spec.training.epochs, spec.training.learning_rate, spec.seed) == (9, 0.02, 3)


def test_distill_takes_the_preset(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "run_here", lambda spec, *rest: spec)
    spec: Any = api.distill("builtin-karate", "gcn", "gcn", "lsp", seed=4, preset="tuned", device="cpu")
    assert spec.method[0].model_dump()["weight"] == 37.5
    assert (spec.training.learning_rate, spec.seed, spec.device) == (0.02, 4, "cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "kd"}, "no tuned configuration of kd on builtin-karate, gcn → gcn.*--method kd --keep FILE.yaml"),
        ({"student": {"name": "gcn", "hidden_channels": 4}}, "student.hidden_channels 2 .got 4."),
        ({"teacher": {"name": "gcn", "num_layers": 3}}, "teacher.num_layers"),
        ({"dataset": "builtin-citation"}, "no tuned configuration of lsp on builtin-citation, gcn → gcn"),
        ({"method": "lspp"}, "did you mean 'lsp'"),
    ],
)
def test_another_combination_is_refused(own: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_tuned({**PARTS, "method": "lsp", **changes})


@pytest.mark.parametrize("text", ["", "[]", "tuned: 3", "tuned: [{dataset: cora}]", "format: 9\ntuned: []", "a: ["])
def test_a_damaged_file_is_a_message(own: Path, text: str) -> None:
    own.write_text(text)
    with pytest.raises(UsageError, match=r"own\.yaml"):
        all_tuned()


def test_a_missing_file_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TUNED_ROOT, str(tmp_path / "nowhere.yaml"))
    with pytest.raises(UsageError, match=TUNED_ROOT):
        all_tuned()


def test_own_files_come_before_those_of_the_workbench(own: Path) -> None:
    assert all_tuned()[0].dataset == {"name": "builtin-karate"}
    assert len(all_tuned()) == 1 + sum(len(read_tuned(path)) for path in PACKAGE.glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_comes_with_the_workbench_was_tuned_with_equal_budgets(path: Path) -> None:
    entries = read_tuned(path)
    budgets = {(each.trials, tuple(each.seeds), each.spec.teacher_id, each.metric) for each in entries}
    assert len(budgets) == 1
    for each in entries:
        assert each.spec.dataset.name == path.stem
        assert each.default_validation is not None
        assert 0 < each.default_validation <= each.validation <= 1
        assert set(each.searched) == set(each.options)
        names = {"dataset": each.dataset, "teacher": each.names[1], "student": each.names[2]}
        methods = [part["name"] for part in each.method]
        assert Spec.parse(with_tuned({**names, "method": methods})[0]) == each.spec


def test_packaged_files_are_plain_yaml() -> None:
    for path in PACKAGE.glob("*.yaml"):
        assert set(yaml.safe_load(path.read_text())) == {"format", "tuned"}
