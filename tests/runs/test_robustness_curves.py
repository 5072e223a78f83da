"""Curves of accuracy over runs: seeds of one spec together, teachers and students alone once."""

import json

import numpy as np
import pytest
from robust_folders import LEVELS, write_robustness_file
from scored_folders import write_scored

from workbench.errors import RunError, UsageError
from workbench.runs.folder import Run
from workbench.runs.robustness_curves import by_data, curves, measured_entries


@pytest.fixture
def add(runs_root):
    """``add(0.8, alone=0.7, seed=1, method="lsp")`` writes a measured run; its teacher has 0.9."""
    number = iter(range(1000))

    def write(student, alone=None, of=None, **more):
        folder = write_scored(runs_root, f"run-{next(number):03d}-0123456789ab", student, **more)
        accuracy = {"teacher": 0.9, "student": student, **({} if alone is None else {"alone": alone})}
        write_robustness_file(folder, accuracy, **(of or {}))
        return Run(folder)

    return write


def made(runs, kind="remove_edges"):
    return {curve.name: curve for curve in curves(measured_entries(runs), kind)}


def test_a_single_run_is_spread_over_the_seeds_of_the_disturbance(add):
    curve = made([add(0.8)])["KD · gcn → gcn"]
    rows = np.array([[0.8, 0.6, 0.4], [0.8, 0.62, 0.42]])  # as the folder is written
    assert curve.values == pytest.approx(rows)
    assert curve.mean == pytest.approx(rows.mean(axis=0))
    assert curve.std == pytest.approx(rows.std(axis=0, ddof=1))
    assert (curve.over, curve.role) == ("2 disturbance seeds", "student")
    assert curve.summary.drops == pytest.approx((0, 0.19, 0.39))
    areas = [0.25 * (row[0] + 2 * row[1] + row[2]) for row in rows]
    assert curve.area.mean == pytest.approx(np.mean(areas))
    assert curve.area.std == pytest.approx(np.std(areas, ddof=1))


def test_several_runs_are_spread_over_their_own_seeds(add):
    curve = made([add(0.8, seed=0), add(0.6, seed=1), add(0.7, seed=5)])["KD · gcn → gcn"]
    rows = np.array([[at, at * 0.75 + 0.01, at * 0.5 + 0.01] for at in (0.8, 0.6, 0.7)])
    assert curve.values == pytest.approx(rows)
    assert curve.std == pytest.approx(rows.std(axis=0, ddof=1))
    assert curve.over == "3 training seeds"


def test_one_seed_of_both_has_no_spread(add):
    curve = made([add(0.8, of={"seeds": 1})])["KD · gcn → gcn"]
    assert curve.std is None
    assert curve.area.std is None
    assert curve.to_dict()["std"] is None


def test_a_teacher_and_a_student_alone_stand_once_for_all_methods(add):
    runs = [add(at, alone=0.7, method=m, seed=s) for m, at in (("kd", 0.8), ("lsp", 0.6)) for s in (0, 1)]
    found = made(runs)
    assert list(found) == ["Teacher gcn", "Student alone · gcn", "KD · gcn → gcn", "LSP · gcn → gcn"]
    assert [curve.role for curve in found.values()] == ["teacher", "alone", "student", "student"]
    assert [curve.over for curve in found.values()] == ["2 training seeds"] * 4
    assert found["Teacher gcn"].mean[0] == pytest.approx(0.9)
    assert found["Student alone · gcn"].mean[0] == pytest.approx(0.7)


def test_a_student_alone_that_is_shown_itself_is_not_shown_twice(add):
    found = made([add(0.8, alone=0.7), add(0.7, method="none")])
    assert list(found) == ["Teacher gcn", "KD · gcn → gcn", "Student alone · gcn → gcn"]
    assert found["Student alone · gcn → gcn"].role == "alone"


def test_students_alone_of_several_students_are_told_apart(add):
    wide = {"student": {"name": "gcn", "hidden_channels": 8}}
    found = made([add(0.8, alone=0.7), add(0.9, alone=0.75, spec=wide)])
    alone = [name for name, curve in found.items() if curve.role == "alone"]
    assert len(alone) == 2
    assert all(name.startswith("Student alone · gcn [") for name in alone)


def test_only_measured_and_finished_runs_count(add, runs_root, make_run_folder):
    waiting = write_scored(runs_root, "waiting-0123456789ab", 0.5, state="failed", seed=9)
    write_robustness_file(waiting, {"teacher": 0.9, "student": 0.1})
    found = measured_entries([add(0.8), Run(waiting), Run(make_run_folder("unmeasured-0123456789ab"))])
    assert [seed.run for entry in found.entries for seed in entry.runs] == ["run-000-0123456789ab"]
    assert found.kinds == ["remove_edges", "add_edges", "noisy_features"]


def test_what_cannot_be_drawn_together_is_refused(add, make_run_folder):
    run = add(0.8)
    with pytest.raises(UsageError, match="several datasets"):
        made([run, add(0.8, fingerprint="another")])
    with pytest.raises(UsageError, match="different levels"):
        made([run, add(0.7, method="lsp", of={"levels": (0.0, 0.2, 1.0)})])
    with pytest.raises(UsageError, match="different levels or with different seeds"):
        made([run, add(0.7, method="lsp", of={"seeds": 3})])
    with pytest.raises(UsageError, match="none of these runs has been measured"):
        made([Run(make_run_folder("unmeasured-0123456789ab"))])
    with pytest.raises(UsageError, match="did you mean 'add_edges'"):
        made([run], "add_edge")


def test_a_kind_that_was_not_measured_is_said_with_the_command(add):
    run = add(0.8)
    document = run.path / "robustness.json"
    found = json.loads(document.read_text())
    for model in found["models"].values():
        model["accuracy"].pop("add_edges")
    document.write_text(json.dumps(found))
    assert measured_entries([run]).kinds == ["remove_edges", "noisy_features"]
    with pytest.raises(UsageError, match=r"workbench robustness run-000-0123456789ab --kinds add_edges"):
        made([run], "add_edges")


def test_a_damaged_file_is_an_error(add):
    run = add(0.8, of={"format": 7})
    with pytest.raises(RunError, match="is damaged"):
        measured_entries([run])


def test_datasets_are_kept_apart(add):
    runs = [add(0.8), add(0.7, fingerprint="another")]
    groups = by_data(measured_entries(runs))
    assert sorted(list(of.records) for _, of in groups) == [["run-000-0123456789ab"], ["run-001-0123456789ab"]]
    assert all(curves(of, "add_edges")[0].levels.tolist() == list(LEVELS) for _, of in groups)
