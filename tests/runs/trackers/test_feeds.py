"""What a tracker may do to a training: nothing."""

import threading

import pytest
from recorded_runs import make

from workbench.runs.trackers import feeds


@pytest.fixture
def tracked(monkeypatch):
    monkeypatch.setenv("WORKBENCH_TRACKERS", "mlflow")


class Kept:
    """A tracker that keeps what it is told, and fails when it is told of an epoch that it does not like."""

    def __init__(self, bad=None):
        self.calls, self.bad, self.closed = [], bad, False

    def curve(self, stage, points):
        self.calls.append(("curve", stage, [point.epoch for point in points]))

    def add(self, stage, points):
        if self.bad in [point.epoch for point in points]:
            raise RuntimeError("a server's fault\nwith a long story")
        self.calls += [("epoch", stage, point.epoch) for point in points]

    def end(self, ended):
        self.calls.append(("end", ended.state))

    def close(self):
        self.closed = True


@pytest.mark.usefixtures("tracked")
def test_a_tracker_is_told_everything_in_order_and_closed(run, monkeypatch):
    kept = Kept()
    monkeypatch.setattr(feeds, "open_tracker", lambda *_: kept)
    make(run, {"teacher": 3, "student": 2})
    assert kept.calls == [
        ("curve", "teacher", []),
        *(("epoch", "teacher", epoch) for epoch in (1, 2, 3)),
        ("curve", "student", []),
        *(("epoch", "student", epoch) for epoch in (1, 2)),
        ("end", "done"),
    ]
    assert kept.closed


@pytest.mark.usefixtures("tracked")
def test_a_fault_on_the_way_is_one_warning_in_one_line(run, monkeypatch):
    kept = Kept(bad=2)
    monkeypatch.setattr(feeds, "open_tracker", lambda *_: kept)
    make(run, {"teacher": 3, "student": 2})
    (warning,) = run.status.warnings
    assert "a server's fault" in warning
    assert "long story" not in warning
    assert kept.closed
    assert [len(run.metrics(stage)) for stage in ("teacher", "student")] == [3, 2]


@pytest.mark.usefixtures("tracked")
def test_a_tracker_that_never_answers_does_not_keep_the_run_from_ending(run, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(feeds, "LINGER", 0.2)
    monkeypatch.setattr(feeds, "open_tracker", lambda *_: released.wait(60))
    make(run, {"teacher": 3})
    released.set()
    (warning,) = run.status.warnings
    assert "did not answer" in warning
    assert run.status.state == "done"


def test_a_name_that_there_is_not_is_one_warning(run, monkeypatch):
    monkeypatch.setenv("WORKBENCH_TRACKERS", "tensorbord")
    make(run, {"teacher": 3})
    (warning,) = run.status.warnings
    assert "did you mean 'tensorboard'" in warning
    assert len(run.metrics("teacher")) == 3


@pytest.mark.usefixtures("tracked")
def test_a_curve_that_was_trained_earlier_is_told_whole(run, monkeypatch):
    from workbench.runs.recorder import RunRecorder

    kept = Kept()
    monkeypatch.setattr(feeds, "open_tracker", lambda *_: kept)
    with RunRecorder(run, in_process=True) as recorder:
        recorder.start_clock()
        recorder.replay([{"epoch": epoch, "seconds": 0.0} for epoch in (1, 2)])
        recorder.say(state="done")
    assert ("curve", "teacher", [1, 2]) in kept.calls
    assert not [call for call in kept.calls if call[0] == "epoch"]
