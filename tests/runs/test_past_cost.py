"""The time of a training is told by runs alike, and by nothing else."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from workbench.errors import RunError
from workbench.runs.past_cost import past_cost
from workbench.spec import Spec

DOCUMENT = {"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "kd"}


def a_spec(**changes):
    return Spec.parse({**DOCUMENT, "training": {"epochs": 50}, "teacher_training": {"epochs": 80}, **changes})


def a_run(spec, seconds=2.0, epochs=10, device="cpu", host="", **more):
    info = {"seconds": seconds, "epochs": epochs, **more}
    result = {"teacher": info, "student": info, "device": {"type": device}}
    document = json.loads(json.dumps(spec.model_dump(mode="json")))
    return SimpleNamespace(document=document, result=result, status=SimpleNamespace(host=host))


def test_the_median_pace_times_the_epochs():
    # 0.1, 0.2 and 0.9 seconds an epoch: 0.2 for 50 epochs of the student and for 80 of the teacher.
    runs = [a_run(a_spec(seed=n), seconds=s, epochs=10) for n, s in enumerate((1.0, 9.0, 2.0))]
    student, teacher = (past_cost(a_spec(), role, runs, "cpu") for role in ("student", "teacher"))
    assert (student.seconds, student.epochs, student.runs) == (pytest.approx(10.0), 50, 3)
    assert (teacher.seconds, teacher.epochs, teacher.runs) == (pytest.approx(16.0), 80, 3)


@pytest.mark.parametrize(
    ("changes", "teacher_too"),
    [
        ({"dataset": "builtin-citation"}, False),
        ({"teacher": "gat"}, False),
        ({"student": {"name": "gcn", "hidden_channels": 3}}, True),
        ({"method": "gcrd"}, True),
        ({"training": {"epochs": 50, "precision": "bfloat16"}}, True),
    ],
)
def test_a_run_that_differs_in_what_the_pace_depends_on_tells_nothing(changes, teacher_too):
    runs = [a_run(a_spec(**changes))]
    assert past_cost(a_spec(), "student", runs, "cpu") is None
    assert (past_cost(a_spec(), "teacher", runs, "cpu") is not None) == teacher_too


def test_seed_epochs_and_learning_rate_do_not_matter():
    runs = [a_run(a_spec(seed=4, training={"epochs": 7, "learning_rate": 0.1}))]
    assert past_cost(a_spec(), "student", runs, "cpu").runs == 1


def test_on_snapshots_a_student_is_trained_at_every_step():
    run = a_run(a_spec(), seconds=6.0, epochs=60)
    run.result["steps"] = [{}, {}, {}]
    # 0.1 seconds an epoch, 3 steps of 50 epochs; the teacher is trained once, for 80.
    assert past_cost(a_spec(), "student", [run], "cpu").seconds == pytest.approx(15.0)
    assert past_cost(a_spec(), "teacher", [run], "cpu").seconds == pytest.approx(8.0)


def test_another_device_or_machine_tells_nothing():
    assert past_cost(a_spec(), "student", [a_run(a_spec(), device="cuda")], "cpu") is None
    assert past_cost(a_spec(), "student", [a_run(a_spec(), host="elsewhere")], "cpu") is None


def test_a_teacher_from_the_cache_was_not_timed_there():
    assert past_cost(a_spec(), "teacher", [a_run(a_spec(), reused=True)], "cpu") is None


def test_an_untrained_teacher_costs_nothing():
    spec = a_spec(teacher_control="untrained")
    assert past_cost(spec, "teacher", [a_run(a_spec())], "cpu") is None


class Damaged(SimpleNamespace):
    @property
    def document(self):
        raise RunError("spec.yaml is gone")


def test_damaged_and_unfinished_runs_are_left_aside():
    unfinished, odd, whole = a_run(a_spec()), a_run(a_spec(), seconds="soon"), a_run(a_spec())
    unfinished.result = None
    damaged = Damaged(status=SimpleNamespace(host=""), result={"device": {"type": "cpu"}})
    found = past_cost(a_spec(), "student", [damaged, unfinished, odd, a_run(a_spec(), epochs=0), whole], "cpu")
    assert found.runs == 1


@pytest.mark.parametrize("role", ["teacher", "student"])
@pytest.mark.parametrize(
    "damage",
    [
        {"epochs": 0.5},
        {"epochs": -3},
        {"epochs": float("inf")},
        {"epochs": float("nan")},
        {"epochs": 10**400},
        {"epochs": "many"},
        {"epochs": True},
        {"epochs": [1]},
        {"seconds": float("inf")},
        {"seconds": float("nan")},
        {"seconds": -1.0},
        {"seconds": 10**400},
    ],
)
def test_times_and_epochs_that_cannot_be_tell_nothing(damage, role):
    damaged = a_run(a_spec(), **damage)
    assert past_cost(a_spec(), role, [damaged], "cpu") is None
    assert past_cost(a_spec(), role, [damaged, a_run(a_spec())], "cpu").runs == 1
