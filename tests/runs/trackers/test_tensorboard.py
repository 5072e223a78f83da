"""A run in TensorBoard, read back by TensorBoard: while it is trained, resumed, and sent afterwards."""

import pytest
from recorded_runs import make, record

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import Status as State

from workbench.runs.trackers import Place
from workbench.runs.trackers.stored import send


@pytest.fixture
def folder(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_TRACKERS", f"tensorboard={tmp_path / 'logs'}")
    return tmp_path / "logs" / run.id


def plugin(events, tag):
    return events.SummaryMetadata(tag).plugin_data.content


def curve(last, value):
    return [(epoch, pytest.approx(value(epoch))) for epoch in range(1, last + 1)]


def test_every_epoch_arrives_once_with_its_loss_terms_and_scores(run, folder, read_events):
    make(run, {"teacher": 7, "student": 4})
    for stage, last in (("teacher", 7), ("student", 4)):
        found, _ = read_events(folder / stage)
        assert found["loss"] == curve(last, lambda epoch: 1 / epoch)
        assert found["terms/task/value"] == curve(last, lambda epoch: 2 / epoch)
        assert found["terms/task/weight"] == curve(last, lambda epoch: 0.75)
        assert found["val/accuracy"] == curve(last, lambda epoch: 1 - 1 / (1 + epoch))
        assert found["train/accuracy"] == curve(last, lambda epoch: 0.5)
        assert "terms/task/gradient" not in found  # it was not finite
    assert run.status.warnings == []


def test_the_spec_arrives_as_hyper_parameters_and_how_the_run_ended(run, folder, read_events):
    make(run, {"teacher": 1}, state="failed")
    _, events = read_events(folder)
    start = metadata.parse_session_start_info_plugin_data(plugin(events, "_hparams_/session_start_info"))
    assert start.group_name == run.id
    assert start.hparams["student.hidden_channels"].number_value == 3
    assert start.hparams["method"].string_value == "kd+gcrd"
    assert start.hparams["method.kd.alpha"].number_value == 0.25
    assert start.hparams["training.deterministic"].bool_value is True
    assert start.hparams["seed"].number_value == 5
    end = metadata.parse_session_end_info_plugin_data(plugin(events, "_hparams_/session_end_info"))
    assert end.status == State.STATUS_FAILURE
    assert events.Tensors("how it ended")[0].tensor_proto.string_val[0] == b"failed: for a reason"


def test_a_resumed_run_goes_on_with_its_curves_and_no_epoch_is_there_twice(run, folder, read_events):
    make(run, {"teacher": 9, "student": 6}, state="stopped")
    make(run, {"student": 8}, resumed_at=4)
    assert read_events(folder / "teacher")[0]["loss"] == curve(9, lambda epoch: 1 / epoch)
    assert read_events(folder / "student")[0]["loss"] == curve(8, lambda epoch: 1 / epoch)
    assert len(list((folder / "student").glob("*"))) == 1
    _, events = read_events(folder)
    end = metadata.parse_session_end_info_plugin_data(plugin(events, "_hparams_/session_end_info"))
    assert end.status == State.STATUS_SUCCESS


def test_a_finished_run_is_sent_afterwards_and_twice_is_as_once(make_run_folder, runs_root, read_events):
    from workbench.runs.folder import Run

    run = Run(make_run_folder())
    for _ in range(2):
        assert send(run, Place("tensorboard"), runs_root)["epochs"] == {"teacher": 40, "student": 40}
        folder = runs_root / "tensorboard" / run.id
        for stage, best in (("teacher", 0.9), ("student", 0.8)):
            found, _ = read_events(folder / stage)
            assert found["val/accuracy"] == curve(40, lambda epoch, best=best: best * (1 - 1 / (epoch + 1)))
        result, _ = read_events(folder)
        assert result["student/test/accuracy"] == [(0, pytest.approx(0.85))]
        assert result["teacher/parameters"] == [(0, 12345)]
        assert result["student/latency_ms"] == [(0, 1.25)]
        assert result["compression"] == [(0, pytest.approx(12.345))]
        assert len(list(folder.rglob("events*"))) == 3


def test_a_folder_that_cannot_be_written_is_one_warning_and_the_run_goes_on(run, tmp_path, monkeypatch):
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("WORKBENCH_TRACKERS", f"tensorboard={tmp_path / 'a-file'}")
    make(run, {"teacher": 300})
    (warning,) = run.status.warnings
    assert "tensorboard" in warning
    assert f"workbench track {run.id} --to tensorboard --at" in warning
    assert run.status.state == "done"
    assert run.metrics("teacher") == [{"stage": "teacher", **record(epoch)} for epoch in range(1, 301)]


def test_a_disk_that_is_full_is_one_warning_and_the_run_goes_on(run, folder, monkeypatch):
    from workbench.runs.trackers.tensorboard import EventFile

    def write(file, event):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(EventFile, "write", write)
    make(run, {"teacher": 3})
    (warning,) = run.status.warnings
    assert "No space left on device" in warning
    assert len(run.metrics("teacher")) == 3
