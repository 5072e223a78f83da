"""A run that is recorded without training, and both trackers read back by their own libraries."""

import shutil
import time

import pytest
from recorded_runs import DOCUMENT

from workbench.runs.claim import claim
from workbench.runs.status import Status
from workbench.spec import Spec


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return claim(Spec.parse(DOCUMENT), tmp_path / "runs", Status(created=time.time()))[0]


@pytest.fixture
def read_events():
    """``read_events(folder)`` -> tag -> [(step, value)], by TensorBoard's reader, of the scalars of one folder."""
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
    )

    def read(folder):
        found = reader.EventAccumulator(str(folder), size_guidance={"scalars": 0})
        found.Reload()
        scalars = {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}
        return scalars, found

    return read


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """An MLflow database without a run: making its tables takes seconds."""
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    pytest.importorskip("sqlalchemy", reason="MLflow's SQLite store needs sqlalchemy")
    from mlflow import MlflowClient

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def database(empty_database, tmp_path):
    return shutil.copy(empty_database, tmp_path / "mlflow.db")


@pytest.fixture
def read_mlflow(database):
    """``read_mlflow()`` -> the runs of the experiment ``workbench``, and metric -> [(step, value)] of the first."""
    from mlflow import MlflowClient

    def read():
        client = MlflowClient(tracking_uri=f"sqlite:///{database}")
        runs = client.search_runs([client.get_experiment_by_name("workbench").experiment_id])
        curves = {}
        for name in runs[0].data.metrics:
            history = client.get_metric_history(runs[0].info.run_id, name)
            curves[name] = sorted((metric.step, metric.value) for metric in history)
        return runs, curves

    return read
