"""A run in MLflow, read back from a local SQLite store: while it is trained, resumed, and sent afterwards."""

import pytest
from recorded_runs import make

pytest.importorskip("mlflow", reason="mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="MLflow's SQLite store needs sqlalchemy")

from workbench.runs.folder import Run
from workbench.runs.trackers import Place
from workbench.runs.trackers.mlflow import tracking_uri
from workbench.runs.trackers.stored import send


@pytest.fixture
def live(database, monkeypatch):
    monkeypatch.setenv("WORKBENCH_TRACKERS", f"mlflow=sqlite:///{database}")


def curve(last, value):
    return [(epoch, pytest.approx(value(epoch))) for epoch in range(1, last + 1)]


@pytest.mark.usefixtures("live")
def test_every_epoch_arrives_once_and_the_spec_as_parameters(run, read_mlflow):
    make(run, {"teacher": 5, "student": 130})  # more than a thousand numbers: more than one call takes
    (tracked,), found = read_mlflow()
    assert run.status.warnings == []
    assert found["teacher/loss"] == curve(5, lambda epoch: 1 / epoch)
    assert found["student/terms/task/value"] == curve(130, lambda epoch: 2 / epoch)
    assert found["student/val/accuracy"] == curve(130, lambda epoch: 1 - 1 / (1 + epoch))
    assert "student/terms/task/gradient" not in found
    parameters = tracked.data.params
    assert (parameters["student.hidden_channels"], parameters["method.kd.alpha"]) == ("3", "0.25")
    assert (parameters["method"], parameters["seed"]) == ("kd+gcrd", "5")
    assert (tracked.info.run_name, tracked.info.status) == (run.id, "FINISHED")


@pytest.mark.usefixtures("live")
def test_a_resumed_run_goes_on_in_the_same_run_and_no_epoch_is_there_twice(run, read_mlflow):
    make(run, {"teacher": 9, "student": 6}, state="stopped")
    (stopped,), _ = read_mlflow()
    assert (stopped.info.status, stopped.data.tags["workbench.message"]) == ("KILLED", "for a reason")
    make(run, {"student": 8}, resumed_at=4)
    (tracked,), found = read_mlflow()
    assert tracked.info.run_id == stopped.info.run_id
    assert tracked.info.status == "FINISHED"
    assert found["teacher/loss"] == curve(9, lambda epoch: 1 / epoch)
    assert found["student/loss"] == curve(8, lambda epoch: 1 / epoch)


@pytest.mark.usefixtures("live")
def test_what_did_not_arrive_before_a_run_was_interrupted_arrives_when_it_goes_on(
    run, read_mlflow, database, monkeypatch
):
    monkeypatch.delenv("WORKBENCH_TRACKERS")
    make(run, {"student": 6}, state="stopped")
    monkeypatch.setenv("WORKBENCH_TRACKERS", f"mlflow={database}")
    make(run, {"student": 8}, resumed_at=6)
    _, found = read_mlflow()
    assert found["student/loss"] == curve(8, lambda epoch: 1 / epoch)


def test_a_finished_run_is_sent_afterwards_and_twice_is_as_once(make_run_folder, runs_root, read_mlflow, database):
    run = Run(make_run_folder())
    for _ in range(2):
        send(run, Place("mlflow", str(database)), runs_root)
        (tracked,), found = read_mlflow()
        assert found["teacher/val/accuracy"] == curve(40, lambda epoch: 0.9 * (1 - 1 / (epoch + 1)))
        assert found["student/terms/kd/value"] == curve(40, lambda epoch: 30 / epoch)
        assert found["student/test/accuracy"] == [(0, pytest.approx(0.85))]
        assert found["teacher/parameters"] == [(0, 12345)]
        assert found["compression"] == [(0, pytest.approx(12.345))]
        assert tracked.info.status == "FINISHED"


@pytest.mark.usefixtures("live")
def test_a_run_that_was_followed_is_not_doubled_by_sending_it(run, read_mlflow, database, tmp_path):
    make(run, {"teacher": 5, "student": 4})
    send(run, Place("mlflow", str(database)), tmp_path)
    (_,), found = read_mlflow()
    assert found["student/loss"] == curve(4, lambda epoch: 1 / epoch)


def test_a_server_that_cannot_be_reached_is_one_warning_and_the_run_goes_on(run, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("WORKBENCH_TRACKERS", "mlflow=http://127.0.0.1:9")
    make(run, {"teacher": 20})
    (warning,) = run.status.warnings
    assert "mlflow at http://127.0.0.1:9" in warning
    assert len(run.metrics("teacher")) == 20
    assert run.status.state == "done"


@pytest.mark.parametrize(
    ("at", "variable", "uri"),
    [
        (None, None, "sqlite:///{root}/mlflow.db"),
        (None, "http://host:5000", "http://host:5000"),
        ("{root}/deep/er.db", "http://host:5000", "sqlite:///{root}/deep/er.db"),
        ("sqlite:///{root}/a.db", None, "sqlite:///{root}/a.db"),
        ("databricks", None, "databricks"),
    ],
)
def test_a_place_is_a_uri_or_the_path_of_a_file(tmp_path, monkeypatch, at, variable, uri):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if variable:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    assert tracking_uri(at and at.format(root=tmp_path), tmp_path) == uri.format(root=tmp_path)
    assert (tmp_path / "deep").is_dir() is bool(at and "deep" in at)
