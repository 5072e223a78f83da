"""What the files of a run hold is looked at before anybody uses it: a person may have edited them."""

import json
import math

import pytest
import yaml
from run_folders import SPEC

from workbench.errors import RunError
from workbench.runs.folder import Run
from workbench.runs.index import VERSION
from workbench.runs.store import list_runs
from workbench.runs.stored_values import finite, is_record, is_spec

WRONG = {
    "short dataset": {"dataset": "builtin-karate"},
    "nameless dataset": {"dataset": {"path": "here"}},
    "no teacher": {"teacher": None},
    "a student named by a number": {"student": {"name": 5}},
    "a method as text": {"method": "kd"},
    "no method": {"method": None},
    "an empty sum": {"method": []},
    "short methods": {"method": ["kd"]},
    "seed in words": {"seed": "one"},
    "half a seed": {"seed": 0.5},
    "seed yes": {"seed": True},
    "seed out of range": {"seed": -1},
    "listed training": {"training": [1]},
    "training of the teacher as text": {"teacher_training": "long"},
    "online yes": {"online": True},
}


def write(folder, text):
    (folder / "spec.yaml").write_text(text)


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_run_whose_spec_has_a_wrong_form_is_lost(make_run_folder, changes):
    folder = make_run_folder()
    write(folder, yaml.safe_dump({**SPEC, **changes}))
    run = Run(folder)
    with pytest.raises(RunError, match="does not hold a spec"):
        _ = run.document
    assert (run.status.state, run.title, run.seed) == ("lost", folder.name, None)


@pytest.mark.parametrize(
    "line", ["at: 2020-01-01", "at: 2020-99-99", "at: !!binary aGFsbG8=", "loop: &x [*x]", "5: x", "at: !!bool x"]
)
def test_what_only_yaml_can_say_is_no_part_of_a_spec(make_run_folder, line):
    folder = make_run_folder()
    write(folder, yaml.safe_dump(SPEC) + line + "\n")
    assert [run.status.state for run in list_runs()] == ["lost"]
    with pytest.raises(RunError):
        _ = Run(folder).document


def test_a_whole_spec_is_read_with_whatever_may_be_missing(make_run_folder):
    assert is_spec(SPEC)
    assert is_spec({key: SPEC[key] for key in ("dataset", "teacher", "student", "method")})
    assert is_spec({**SPEC, "online": None, "training": None})
    folder = make_run_folder()
    write(folder, yaml.safe_dump({**SPEC, "dataset": {"name": "own", "path": 5}}))
    assert Run(folder).title.startswith("5 · ")


def test_what_an_older_index_holds_is_looked_at_too(make_run_folder, runs_root):
    import sqlite3

    folder = make_run_folder()
    assert list_runs()[0].status.state == "done"
    write(folder, yaml.safe_dump({**SPEC, "dataset": "builtin-karate"}))
    with sqlite3.connect(runs_root / ".workbench" / "index.sqlite") as database:
        changed = database.execute(
            f"UPDATE runs_{VERSION} SET spec = ?", [json.dumps({**SPEC, "dataset": "builtin-karate"})]
        ).rowcount
    assert changed == 1
    assert list_runs()[0].status.state == "lost"


GOOD = {"stage": "student", "epoch": 3, "val": {"accuracy": 0.5, "loss": None}, "terms": {"kd": {"value": 1.5}}}


def test_records_are_of_epochs_and_hold_numbers():
    assert is_record(GOOD)
    assert is_record({"stage": "teacher", "epoch": 1})
    wrong = [
        [GOOD], 3, None, "x", {"epoch": 1}, {"stage": "student"}, {**GOOD, "epoch": "x"}, {**GOOD, "epoch": -1},
        {**GOOD, "val": 3}, {**GOOD, "val": {"accuracy": "x"}}, {**GOOD, "train": [1]}, {**GOOD, "terms": [1]},
        {**GOOD, "terms": None}, {**GOOD, "terms": {"kd": 3}}, {**GOOD, "terms": {"kd": {"value": []}}},
        {**GOOD, "val": {"accuracy": 10**400}},
    ]  # fmt: skip
    assert [document for document in wrong if is_record(document)] == []


def test_damaged_lines_of_the_metrics_are_left_out(make_run_folder):
    run = Run(make_run_folder())
    path = run.path / "metrics.jsonl"
    lines = [b"[1, 2]", b"3", b"\xff\xfe\x00", b'{"stage": "student", "epoch"', json.dumps(GOOD).encode()]
    path.write_bytes(b"\n".join(lines))
    assert run.metrics() == [GOOD]
    assert run.metrics("teacher") == []
    path.unlink()
    path.mkdir()
    assert run.metrics() == []


def test_a_number_is_known_where_it_is_one_and_finite():
    assert [finite(value) for value in (3, 0.25, -1)] == [3.0, 0.25, -1.0]
    wrong = [None, "3", True, [3], {}, math.nan, math.inf, 10**400]
    assert [finite(value) for value in wrong] == [None] * len(wrong)
