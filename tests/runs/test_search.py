"""``wb.search``: equal budgets, the default first, validation only, many processes, nothing lost when one is killed."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import RunError, UsageError
from workbench.runs import search_study
from workbench.runs.folder import Run
from workbench.runs.leaderboard import leaderboard
from workbench.runs.search import Searched, found, search, studies_of, work_here
from workbench.runs.search_space import applied
from workbench.runs.search_study import Study, Taken
from workbench.runs.store import list_runs, run_folders
from workbench.spec import Spec

QUICK = {"epochs": 3}
PARTS: dict[str, Any] = {"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn"}
SPEC = Spec.parse({**PARTS, "method": "lsp", "training": QUICK, "teacher_training": QUICK, "device": "cpu"})


def trial_folders(root: Path) -> list[Path]:
    return run_folders(root / ".workbench" / "trials")


def quick(root: Path, methods: list[Any], trials: int, **more: Any) -> list[Searched]:
    options = {"training": QUICK, "teacher_training": QUICK, "device": "cpu", **more}
    return search(**PARTS, methods=methods, trials=trials, root=root, **options)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def finished(root: Path) -> dict[str, Searched]:
    return {each.study.method: each for each in quick(root, ["lsp", "none", "kd+at"], 4, seeds=[0, 3])}


def test_every_method_has_the_same_budget_and_begins_with_its_default(finished: dict[str, Searched]) -> None:
    assert list(finished) == ["lsp", "none", "kd+at"]
    for each in finished.values():
        assert len(each.tried) == 4
        assert each.tried[0].values == {}
        assert all(set(tried.values) == {r.place for r in each.study.space} for tried in each.tried[1:])
        ids = [each.study.spec_of(tried.values).id for tried in each.tried]
        assert len(set(ids)) == 4


def test_a_configuration_is_judged_by_the_mean_of_its_best_validation_scores(
    finished: dict[str, Searched], root: Path
) -> None:
    by_id = {Run(folder).spec.id: folder for folder in trial_folders(root)}
    for each in finished.values():
        for tried in each.tried:
            best = []
            for seed in (0, 3):
                lines = (by_id[each.study.spec_of(tried.values).replace(seed=seed).id] / "metrics.jsonl").read_text()
                records = [json.loads(line) for line in lines.splitlines()]
                best.append(max(r["val"]["accuracy"] for r in records if r["stage"] == "student"))
            assert tried.score == pytest.approx(statistics.fmean(best))


def test_the_best_is_the_highest_and_of_equal_ones_the_first(finished: dict[str, Searched]) -> None:
    for each in finished.values():
        scores = [tried.score for tried in each.tried]
        assert each.best is each.tried[scores.index(max(s for s in scores if s is not None))]
        assert each.spec == applied(each.study.spec, each.best.values)


def test_trials_are_on_no_list_and_keep_neither_weights_nor_arrays(finished: dict[str, Searched], root: Path) -> None:
    assert len(trial_folders(root)) == 3 * 4 * 2
    assert list_runs(root) == []
    assert leaderboard(list_runs(root)).entries == ()
    assert not list((root / ".workbench" / "trials").rglob("*.npz"))
    assert not list((root / ".workbench" / "trials").rglob("*.safetensors"))
    assert all(Run(folder).status.state == "done" for folder in trial_folders(root))


def test_all_methods_share_their_teachers_with_ordinary_runs(finished: dict[str, Searched], root: Path) -> None:
    assert len(list((root / ".workbench" / "teachers").iterdir())) == 2  # one per seed
    options = {"training": QUICK, "teacher_training": QUICK}
    run = wb.distill(**PARTS, method="none", **options, device="cpu", root=root)
    assert run.result is not None
    assert run.result["teacher"]["reused"] is True


def test_the_same_search_again_trains_nothing(finished: dict[str, Searched], root: Path) -> None:
    heard: list[Any] = []
    before = {folder: folder.stat().st_mtime_ns for folder in trial_folders(root)}
    again = quick(root, ["lsp"], 4, seeds=[0, 3], told=lambda study, tried: heard.append(tried))
    assert heard == []
    assert again[0].tried == finished["lsp"].tried
    assert {folder: folder.stat().st_mtime_ns for folder in trial_folders(root)} == before


def test_more_trials_add_to_a_search_and_are_those_of_a_longer_one(
    finished: dict[str, Searched], root: Path, tmp_path: Path
) -> None:
    (longer,) = quick(root, ["lsp"], 6, seeds=[0, 3])
    (at_once,) = quick(tmp_path, ["lsp"], 6, seeds=[0, 3])
    assert longer.tried[:4] == finished["lsp"].tried
    assert [(t.values, t.score) for t in longer.tried] == [(t.values, t.score) for t in at_once.tried]
    (shorter,) = quick(root, ["lsp"], 2, seeds=[0, 3])  # an equal budget, although more were tried before
    assert shorter.tried == finished["lsp"].tried[:2]


# -- validation only -------------------------------------------------------------------------------


def plant(folder: Path, spec: Spec, validation: float, test: float) -> Run:
    """A finished run with these scores: what a search could read if it looked at the wrong one."""
    folder.mkdir(parents=True)
    (folder / "spec.yaml").write_text(spec.to_yaml())
    curve = [{"stage": "student", "epoch": e, "val": {"accuracy": v}} for e, v in ((1, 0.1), (2, validation), (3, 0.2))]
    curve.insert(0, {"stage": "teacher", "epoch": 1, "val": {"accuracy": 0.99}})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in curve))
    (folder / "result.json").write_text(json.dumps({"student": {"metrics": {"test": {"accuracy": test}}}}))
    return Run(folder)


def test_the_best_test_score_is_ignored_and_results_are_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(spec: Spec, root: Path) -> Run:
        weight: float = getattr(spec.method[0], "weight")  # noqa: B009 - of this method
        default = weight == 100.0
        return plant(tmp_path / "planted" / spec.id, spec, 0.9 if default else 0.5, 0.0 if default else 1.0)

    def refuse(run: Run) -> None:
        raise AssertionError("the result holds the test score")

    monkeypatch.setattr(search_study, "trial_run", planted)
    monkeypatch.setattr(Run, "result", property(refuse))
    (result,) = quick(tmp_path / "runs", ["lsp"], 4)
    assert [tried.score for tried in result.tried] == [0.9, 0.5, 0.5, 0.5]
    assert result.best == result.tried[0]
    assert result.spec == result.study.spec


def test_a_failed_configuration_counts_and_is_never_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(spec: Spec, root: Path) -> Run:
        if spec.id == study.spec.id:
            raise RunError("the loss was not finite")
        return plant(tmp_path / "planted" / spec.id, spec, 0.5, 0.5)

    (study,) = studies_of([SPEC], [0], tmp_path / "runs")
    monkeypatch.setattr(search_study, "trial_run", failing)
    work_here([study], 3)
    result = found(study)
    assert [tried.state for tried in result.tried] == ["failed", "done", "done"]
    assert result.tried[0].message == "the loss was not finite"
    assert result.best == result.tried[1]
    assert result.to_dict()["failed"] == 1


def test_where_every_configuration_fails_there_is_no_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(spec: Spec, root: Path) -> Run:
        raise RunError("the loss was not finite")

    monkeypatch.setattr(search_study, "trial_run", failing)
    (result,) = quick(tmp_path, ["lsp"], 2)
    assert result.best is None
    with pytest.raises(RunError, match="not finite"):
        _ = result.spec


# -- a small space ---------------------------------------------------------------------------------


def test_a_space_is_searched_once_and_then_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        search_study, "trial_run", lambda spec, root: plant(tmp_path / "planted" / spec.id, spec, 0.5, 0.5)
    )
    (study,) = studies_of([SPEC], [0], tmp_path / "runs", fixed=["lsp.weight", "lsp.sigma"])  # four kernels are left
    work_here([study], 10)
    kernels = [tried.values.get("lsp.kernel", "rbf") for tried in study.tried()]
    assert len(kernels) == len(set(kernels))
    assert set(kernels) == {"rbf", "l2", "poly", "linear"}
    assert study.take(10) == "over"


# -- many processes --------------------------------------------------------------------------------


def test_two_who_search_at_once_try_different_configurations_and_keep_the_budget(tmp_path: Path) -> None:
    (first,) = studies_of([SPEC], [0], tmp_path)
    second = Study(first.folder)
    one, two = first.take(2), second.take(2)
    assert isinstance(one, Taken)
    assert isinstance(two, Taken)
    assert (one.number, two.number) == (0, 1)
    assert one.values != two.values
    assert first.take(2) == second.take(2) == "wait"
    assert first.try_out(one).state == second.try_out(two).state == "done"
    assert first.take(2) == second.take(2) == "over"
    assert first.tried() == second.tried()


def test_processes_share_a_study(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []
    results = quick(tmp_path, ["lsp", "none"], 4, jobs=2, told=lambda s, t: heard.append((s.method, t.number)))
    assert sorted(heard) == [(method, number) for method in ("lsp", "none") for number in range(4)]
    for each in results:
        assert [tried.state for tried in each.tried] == ["done"] * 4
        assert len({each.study.spec_of(tried.values).id for tried in each.tried}) == 4
    assert len(trial_folders(tmp_path)) == 8
    assert len(list((tmp_path / ".workbench" / "teachers").iterdir())) == 1


TAKE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from workbench.runs.search_study import Study
taken = Study(Path(sys.argv[1])).take(3)
print(taken.number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_what_a_killed_process_took_is_tried_by_the_next_one(tmp_path: Path) -> None:
    (study,) = studies_of([SPEC], [0], tmp_path / "killed")
    died = subprocess.run([sys.executable, "-c", TAKE_AND_DIE, study.folder], capture_output=True, text=True)
    assert (died.returncode, died.stdout.strip()) == (-signal.SIGKILL, "0")
    assert [tried.state for tried in study.tried()] == ["running"]
    with (study.folder / "journal.log").open("a") as journal:
        journal.write('{"op_code": 5, "wor')  # killed in the middle of a line
    work_here([study], 3)
    (undisturbed,) = studies_of([SPEC], [0], tmp_path / "undisturbed")
    work_here([undisturbed], 3)
    assert [(t.number, t.values, t.score) for t in study.tried()] == [
        (t.number, t.values, t.score) for t in undisturbed.tried()
    ]
    assert len(trial_folders(tmp_path / "killed")) == 3


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_search_killed_while_it_trains_goes_on_and_trains_nothing_twice(tmp_path: Path) -> None:
    spec = SPEC.replace(training={"epochs": 400, "patience": 0})
    (study,) = studies_of([spec], [0], tmp_path)
    command = [sys.executable, "-m", "workbench.runs.search_worker", "2", os.fspath(study.folder)]
    worker = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 120
    while not any(Run(folder).metrics("student") for folder in trial_folders(tmp_path)):
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.kill()
    worker.wait()
    (left,) = trial_folders(tmp_path)
    assert Run(left).status.state == "lost"
    assert [tried.state for tried in study.tried()] == ["running"]
    work_here([study], 2)
    assert [(tried.number, tried.state) for tried in study.tried()] == [(0, "done"), (1, "done")]
    assert len(trial_folders(tmp_path)) == 2
    epochs = [record["epoch"] for record in Run(left).metrics("student")]
    assert epochs == list(range(1, 401))


# -- wrong usage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": []}, "methods are empty"),
        ({"methods": ["kd", "kd"]}, "twice"),
        ({"trials": 0}, "at least 1"),
        ({"seeds": []}, "seeds are empty"),
        ({"also": ["teacher"]}, "training"),
        ({"methods": ["kdd"]}, "did you mean 'kd'"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        quick(tmp_path, **{"methods": ["kd"], "trials": 2, **changes})
    assert trial_folders(tmp_path) == []


def test_a_missing_optuna_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"\[hpo\]"):
        quick(tmp_path, ["kd"], 2)
    assert list(tmp_path.iterdir()) == []
