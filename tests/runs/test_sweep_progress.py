"""How far a sweep is, told by its run folders alone."""

import json
import os
import time

import psutil
import pytest

from workbench.runs.status import HOST
from workbench.runs.store import private_folder
from workbench.runs.sweep_progress import (
    SweepRecord,
    progress_of,
    runs_of,
    seconds_left,
    sweep_records,
    write_record,
)


def record_of(*runs, started=0.0, **changes):
    here = psutil.Process()
    own = {"pid": os.getpid(), "process_started": here.create_time(), "host": HOST}
    return SweepRecord(
        **{"name": "mine", "id": "a" * 12, "engine": "local", "slots": 2, **own, **changes}, runs=runs, started=started
    )


@pytest.fixture
def several(runs_root, make_run_folder):
    """A run in every state, and the name of one that has not been begun."""
    states = ("done", "failed", "stopped", "lost", "queued", "running")
    for state in states:
        make_run_folder(state, state=state)
    return (*states, "unbegun")


def test_every_run_is_counted_once(runs_root, several):
    progress = progress_of(record_of(*several), runs_of(runs_root))
    assert (progress.total, progress.done, progress.failed, progress.running, progress.waiting) == (7, 1, 2, 1, 3)
    assert progress.share == 3 / 7


def test_what_failed_before_the_sweep_was_started_is_still_to_be_gone_on_with(runs_root, several):
    progress = progress_of(record_of(*several, started=time.time() + 1), runs_of(runs_root))
    assert (progress.done, progress.failed, progress.running, progress.waiting) == (1, 0, 1, 5)


def test_runs_of_others_do_not_count(runs_root, several):
    assert progress_of(record_of("done"), runs_of(runs_root)).total == 1


def test_a_sweep_whose_process_is_gone_is_not_going_on(runs_root, several):
    runs = runs_of(runs_root)
    assert progress_of(record_of(*several), runs).alive
    dead = progress_of(record_of(*several, pid=2**22 + 1), runs)
    assert (dead.alive, dead.eta_seconds) == (False, None)


def test_a_sweep_of_another_machine_goes_on_while_its_runs_do(runs_root, several):
    runs = runs_of(runs_root)
    assert progress_of(record_of("done", "running", host="elsewhere"), runs).alive
    assert not progress_of(record_of("done", "failed", host="elsewhere"), runs).alive


A, B = "cora-kd-gat-gcn-s{}-0123456789ab", "cora-lsp-gat-gcn-s{}-0123456789ab-cuda"


def test_the_work_that_is_left_is_shared_by_the_slots():
    finished = {A.format(0): 10.0, A.format(1): 30.0}
    waiting = [A.format(seed) for seed in range(2, 8)]
    assert seconds_left(finished, waiting, {}, slots=2) == 6 * 20.0 / 2
    assert seconds_left(finished, waiting, {A.format(8): 15.0}, slots=2) == (6 * 20.0 + 5.0) / 2


def test_a_run_takes_as_long_as_those_that_differ_in_the_seed_and_else_as_the_average():
    finished = {A.format(0): 10.0, B.format(0): 40.0}
    assert seconds_left(finished, [B.format(1)], {}, slots=1) == 40.0
    assert seconds_left(finished, ["another"], {}, slots=1) == 25.0


def test_one_run_is_not_made_faster_by_many_slots():
    assert seconds_left({A.format(0): 10.0}, [A.format(1)], {A.format(2): 9.0}, slots=8) == 10.0


def test_what_is_left_is_unknown_before_the_first_result_and_nothing_at_the_end():
    assert seconds_left({}, [A.format(0)], {}, slots=2) is None
    assert seconds_left({}, [], {}, slots=2) == 0.0


def test_what_was_stored_is_read_back_last_one_first(runs_root):
    first, second = record_of("a", "b", started=1.0), record_of("c", started=2.0, id="b" * 12, name="other")
    for record in (first, second):
        write_record(runs_root, record)
    assert sweep_records(runs_root) == [second, first]


@pytest.mark.parametrize("change", [{"runs": "a"}, {"runs": [1]}, {"started": None}, {"pid": "1"}, {"name": None}])
def test_a_damaged_file_is_left_out(runs_root, change):
    write_record(runs_root, record_of("a"))
    file = private_folder(runs_root, "sweeps") / f"{'a' * 12}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    assert sweep_records(runs_root) == []
    file.write_text("{")
    assert sweep_records(runs_root) == []


def test_where_there_was_no_sweep_there_is_no_record(tmp_path):
    assert sweep_records(tmp_path / "nothing") == []
