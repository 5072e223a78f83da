"""A sweep on a Ray cluster: two nodes of this machine, one of which is killed, and what is said where there is none."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import UsageError
from workbench.runs.sweep import carry_out_sweep, sweep_of
from workbench.runs.sweep_grid import sweep_of as read
from workbench.runs.sweep_progress import SweepRecord, sweep_records
from workbench.runs.sweep_ray import RaySlots, connect

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
TRAINING = {"epochs": 250, "patience": 0, "keep_every": 0}


def test_without_an_address_it_is_said_how_to_start_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UsageError, match="ray start --head"):
        connect()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes with one CPU each; the first one is the head."""
    for name, value in (("RAY_AUTH_MODE", "disabled"), ("RAY_USAGE_STATS_ENABLED", "0"), ("OMP_NUM_THREADS", "1")):
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    made.add_node(**node)
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_node_that_is_killed_loses_nothing_and_nothing_runs_twice(tmp_path: Path, cluster: Any) -> None:
    document = {"dataset": "builtin-karate", "teacher": "gcn", "methods": ["none", "kd"], "seeds": "0-2"}
    specs = read({**document, "device": "cpu", "training": TRAINING, "teacher_training": TRAINING}).specs
    engine = RaySlots(tmp_path)
    assert engine.slots == 2
    sweep = sweep_of("mine", specs, tmp_path, engine.device)
    (worker,) = (node for node in cluster.list_all_nodes() if node is not cluster.head_node)
    killed: dict[str, Any] = {}

    def told(_: SweepRecord) -> None:
        """Once a run has finished and two are going on, the second node is gone without a word."""
        found = {run.id: run.status for run in sweep.runs if run.path.exists()}
        if not killed and {"done", "running"} <= {status.state for status in found.values()}:
            stamps = {
                run.id: _stamp(run.path) for run in sweep.runs if found.get(run.id) and run.status.state == "done"
            }
            cluster.remove_node(worker, allow_graceful=False)
            killed.update(stamps=stamps, at=time.time())

    carry_out_sweep(sweep, engine, told)
    assert killed, "the sweep was over before the node was killed"
    assert [run.status.state for run in sweep.runs] == ["done"] * 6
    for id, stamp in killed["stamps"].items():
        assert _stamp(tmp_path / id) == stamp, "what was finished is left alone"
    for run in sweep.runs:
        epochs = [record["epoch"] for record in run.metrics("student")]
        assert epochs == list(range(1, 251)), "every epoch once"
    assert sum(run.result["teacher"]["reused"] for run in sweep.runs if run.result) == 3, "a teacher per seed"
    assert [record.engine for record in sweep_records(tmp_path)] == ["ray"]


def _stamp(folder: Path) -> int:
    return (folder / "result.json").stat().st_mtime_ns
