"""The controls of a run are known by the ids of their specs, and what is missing is started, in the right order."""

import json

import pytest
from control_folders import spec_of, write_controls, write_spec_run

from workbench.errors import UsageError
from workbench.runs import control_launch
from workbench.runs.claim import run_id
from workbench.runs.control_launch import (
    control_specs,
    control_table,
    measured,
    places_of,
    run_of,
    seeds_of,
    start_places,
)
from workbench.runs.control_table import ALONE, SAME_UPDATES
from workbench.runs.folder import Run

ROWS = ["kd", ALONE, SAME_UPDATES, "label smoothing", "untrained teacher", "label-shuffled teacher"]
EVERY = {row: [0.8, 0.7] for row in ROWS}


def by_id(rows):
    return {run.id: run for row in rows.values() for run in row}


@pytest.fixture
def started(monkeypatch):
    """Specs that were launched, instead of launching them."""
    found = []
    monkeypatch.setattr(control_launch, "launch", lambda spec, root=None: found.append(spec))
    return found


def test_every_run_is_found_in_its_row_and_at_its_seed(runs_root):
    rows = write_controls(runs_root, EVERY)
    places = places_of(control_specs(spec_of(), [0, 1]), by_id(rows))
    assert list(places) == ROWS
    for name, row in places.items():
        assert [place.seed for place in row] == [0, 1]
        assert [place.run.id for place in row] == [run.id for run in rows[name]]


def test_another_option_makes_another_run(runs_root):
    other = spec_of(method=[{"name": "kd", "alpha": 0.6}])
    runs = by_id(write_controls(runs_root, {row: [0.5] for row in ROWS}, other))
    places = places_of(control_specs(spec_of(), [0]), runs)
    found = {name: row[0].run for name, row in places.items()}
    assert found["kd"] is None
    assert found["untrained teacher"] is None
    assert found[ALONE] is not None, "the student alone does not depend on the method"


def test_as_many_updates_are_known_once_the_method_is_finished(runs_root):
    spec = spec_of()
    before = places_of(control_specs(spec, [0]), {})
    assert before[SAME_UPDATES][0].spec is None
    assert not before[SAME_UPDATES][0].startable(again=True)
    running = write_spec_run(runs_root, spec, state="running")
    assert places_of(control_specs(spec, [0]), {running.id: running})[SAME_UPDATES][0].spec is None
    done = write_spec_run(runs_root / "done", spec)  # whose student made 40 epochs
    (place,) = places_of(control_specs(spec, [0]), {done.id: done})[SAME_UPDATES]
    assert (place.spec.training.epochs, place.spec.training.patience) == (40, 0)
    assert place.startable()


@pytest.mark.parametrize(
    ("state", "first", "again"),
    [("done", False, False), ("running", False, False), ("queued", False, False)]
    + [(state, False, True) for state in ("failed", "stopped", "lost")],
)
def test_what_did_not_finish_is_started_only_when_asked_again(runs_root, state, first, again):
    run = write_spec_run(runs_root, spec_of(), state=state)
    place = places_of(control_specs(spec_of(), [0]), {run.id: run})["kd"][0]
    assert (place.startable(), place.startable(again=True)) == (first, again)


def test_a_run_made_again_counts_where_the_first_one_failed(runs_root):
    spec = spec_of()
    failed = write_spec_run(runs_root, spec, state="failed")
    made = write_spec_run(runs_root, spec, again="-r2")
    later = write_spec_run(runs_root, spec, again="-r3")
    runs = {run.id: run for run in (failed, made, later)}
    assert run_of(run_id(spec), runs).id == later.id
    assert run_of(run_id(spec), runs, prefer=made.id).id == made.id
    assert run_of("another-run", runs) is None


def test_the_table_holds_each_control_against_the_method(runs_root):
    rows = write_controls(runs_root, EVERY | {"kd": [0.9, 0.86], ALONE: [0.8, 0.8]})
    table = control_table(rows["kd"][1])
    assert table.seeds == (0, 1), "the seeds that the method was run with"
    assert [row.name for row in table.rows] == ROWS
    assert table.rows[0].values == (0.9, 0.86)
    assert table.rows[1].difference.difference == pytest.approx(0.08)  # of 10 and 6 points
    assert control_table(rows["kd"][0], [0]).rows[1].difference.n == 1


def test_what_is_missing_is_left_out_of_the_table(runs_root):
    rows = write_controls(runs_root, {"kd": [0.9, 0.8], ALONE: [0.7]})
    table = control_table(rows["kd"][0])
    assert table.rows[1].values == (0.7, None)
    assert table.rows[3].difference is None
    assert not list(runs_root.glob(".*/queue")), "nothing was started"


@pytest.mark.parametrize(
    "damage", [{"student": {}}, {"student": {"metrics": {"test": []}}}, {"teacher": 1, "student": 7}]
)
def test_a_result_without_its_numbers_counts_as_missing(runs_root, damage):
    rows = write_controls(runs_root, {"kd": [0.9, 0.8], ALONE: [0.7, 0.6]})
    (rows[ALONE][0].path / "result.json").write_text(json.dumps(damage))
    assert not measured(rows[ALONE][0])
    assert control_table(rows["kd"][0]).rows[1].values == (None, 0.6)


def test_seeds_are_those_of_runs_that_differ_in_nothing_else(runs_root):
    spec = spec_of()
    runs = [write_spec_run(runs_root, spec.replace(seed=seed)) for seed in (7, 2)]
    runs.append(write_spec_run(runs_root, spec.replace(seed=1, umap=True)))
    runs.append(write_spec_run(runs_root, spec_of(seed=5, method=[{"name": "at"}])))
    (runs_root / "damaged").mkdir()
    (runs_root / "damaged" / "spec.yaml").write_text("{half")
    runs.append(Run(runs_root / "damaged"))
    assert seeds_of(runs[0], runs) == [1, 2, 7]


def test_the_method_comes_first_and_nothing_is_started_twice(runs_root, started):
    spec = spec_of()
    heard = []
    places = places_of(control_specs(spec, [0, 1]), {})
    row_by_row = [place for row in places.values() for place in row]
    start_places(row_by_row, progress=lambda what, share: heard.append((what, share)))
    assert [(made.objective.name, made.teacher_control, made.seed) for made in started] == [
        ("kd", "none", 0),
        ("kd", "none", 1),
        ("none", "none", 0),
        ("none", "none", 1),
        ("label-smoothing", "none", 0),
        ("label-smoothing", "none", 1),
        ("kd", "untrained", 0),
        ("kd", "untrained", 1),
        ("kd", "shuffled", 0),
        ("kd", "shuffled", 1),
    ]
    assert heard[0] == ("kd, seed 0", 0.0)
    assert heard[-1] == ("label-shuffled teacher, seed 1", 0.9)


def test_one_training_in_two_rows_is_started_once(runs_root, started):
    """Without early stopping the student alone makes as many epochs as the distilled one."""
    spec = spec_of(training={"epochs": 40, "patience": 0})
    done = write_spec_run(runs_root, spec)  # 40 epochs
    places = places_of(control_specs(spec, [0]), {done.id: done})
    assert places[ALONE][0].spec.id == places[SAME_UPDATES][0].spec.id
    start_places([places[ALONE][0], places[SAME_UPDATES][0]])
    assert len(started) == 1


def test_nobody_waits_for_pictures_of_controls():
    plan = control_specs(spec_of(umap=True), [0])
    assert not any(made.umap for specs in plan.values() for made in specs)


@pytest.mark.parametrize("changes", [{"method": "none"}, {"teacher_control": "untrained"}])
def test_a_control_has_no_controls(changes):
    with pytest.raises(UsageError):
        control_specs(spec_of(**changes), [0])
