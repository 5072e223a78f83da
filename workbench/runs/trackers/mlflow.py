"""A run in MLflow, in the experiment ``MLFLOW_EXPERIMENT_NAME`` or else ``workbench``."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from workbench.paths import expanded
from workbench.runs.trackers.told import Ended, Facts, Point

FILE = "mlflow.db"  # beside the runs
EXPERIMENT = "workbench"
MOST_METRICS, MOST_PARAMETERS = 1000, 100  # in one call
LONGEST = 500  # characters of a parameter that every server takes
STATES = {"done": "FINISHED", "stopped": "KILLED"}
ALL_EPOCHS = "seconds"  # every epoch has it: how far a curve has come
RUN, CREATED = "workbench.run", "workbench.created"
SQLITE = "sqlite:///"


class MLflow:
    """Curves are metrics such as ``student/val/accuracy`` by epoch, the spec its parameters.

    MLflow cannot take a metric back: epochs that a run makes again after it was interrupted keep what was sent first.
    """

    def __init__(self, facts: Facts, at: str | None, root: Path) -> None:
        self._client = MlflowClient(tracking_uri=tracking_uri(at, root))
        self._sent: dict[str, int] = {}  # by stage the last epoch
        experiment = self._experiment()
        created = repr(facts.created)
        wanted = f"tags.`{RUN}` = '{facts.id}' AND tags.`{CREATED}` = '{created}'"
        found = self._client.search_runs([experiment], wanted, max_results=1)
        self._new = not found
        if found:
            self._run = found[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
        else:
            tags = {RUN: facts.id, CREATED: created, "workbench.path": facts.path, "mlflow.note.content": facts.title}
            start = _milliseconds(facts.created)
            self._run = self._client.create_run(experiment, start, tags, run_name=facts.id).info.run_id
        known = found[0].data.params if found else {}
        parameters = {_plain(name): str(value)[:LONGEST] or "–" for name, value in facts.parameters.items()}
        missing = [Param(name, value) for name, value in parameters.items() if name not in known]
        for first in range(0, len(missing), MOST_PARAMETERS):
            self._client.log_batch(self._run, params=missing[first : first + MOST_PARAMETERS])

    def curve(self, stage: str, points: Sequence[Point]) -> None:
        if stage not in self._sent:
            history = [] if self._new else self._client.get_metric_history(self._run, f"{stage}/{ALL_EPOCHS}")
            self._sent[stage] = max((metric.step for metric in history), default=0)
        self.add(stage, points)

    def add(self, stage: str, points: Sequence[Point]) -> None:
        new = [point for point in points if point.epoch > self._sent[stage]]
        metrics: list[Metric] = []
        for point in new:
            metrics += _metrics(stage, point)
        for first in range(0, len(metrics), MOST_METRICS):
            self._client.log_batch(self._run, metrics=metrics[first : first + MOST_METRICS])
        if new:
            self._sent[stage] = new[-1].epoch

    def end(self, ended: Ended) -> None:
        known = self._client.get_run(self._run).data.metrics
        time = _milliseconds(ended.time)
        values = {_plain(name): value for name, value in ended.values.items()}
        metrics = [Metric(name, value, time, 0) for name, value in values.items() if known.get(name) != value]
        tags = {"state": ended.state, "message": ended.message, "warnings": "\n".join(ended.warnings)}
        said = [RunTag(f"workbench.{name}", words) for name, words in tags.items()]
        self._client.log_batch(self._run, metrics=metrics, tags=said)
        self._client.set_terminated(self._run, STATES.get(ended.state, "FAILED"), time)

    def close(self) -> None:
        """Nothing is held."""

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        for _ in range(2):
            found = self._client.get_experiment_by_name(name)
            if found is not None:
                return str(found.experiment_id)
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:  # another run has made it in between, or the next look says why not
                continue
        return str(self._client.create_experiment(name))


def tracking_uri(at: str | None, root: Path) -> str:
    """The URI of a store that was given as one, or as the path of an SQLite file, whose folder is made."""
    at = at or os.environ.get("MLFLOW_TRACKING_URI") or str(root / FILE)
    if "://" not in at and not at.startswith(("databricks", "file:")):
        at = f"{SQLITE}{expanded(at).absolute()}"
    path = at.removeprefix(SQLITE).partition("?")[0]
    if at.startswith(SQLITE) and path not in ("", ":memory:"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    return at


def _metrics(stage: str, point: Point) -> Iterator[Any]:
    for name, value in {**point.values, ALL_EPOCHS: point.values.get(ALL_EPOCHS, 0.0)}.items():
        yield Metric(_plain(f"{stage}/{name}"), value, _milliseconds(point.time), point.epoch)


def _plain(name: str) -> str:
    """A name of characters that MLflow takes, and no longer than it takes."""
    return re.sub(r"[^\w./ :-]", "_", name, flags=re.ASCII)[:250]


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
