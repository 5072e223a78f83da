"""Runs that have ended, sent to a tracker from what their folders hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.errors import RunError, UsageError, WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.status import Status
from workbench.runs.trackers import Place, open_tracker
from workbench.runs.trackers.feeds import first_line
from workbench.runs.trackers.told import MODELS, ended_of, facts_of, points_until


def check_ended(run: Run) -> None:
    """Raises UsageError for a run that is going on, RunError for one whose spec cannot be read."""
    _ = run.document
    if run.status.alive:
        raise UsageError(f"run {run.id} is {run.status.state}: it can be sent once it has ended")


def send(run: Run, place: Place, root: Path) -> dict[str, Any]:
    """Send the curves, the spec and the result of a run that has ended; what is there already is not doubled.

    ``root`` is where the tracker's usual place is. Returns the run's id, its state and the epochs of every stage.
    Raises UsageError for a run that is going on, and RunError where the tracker takes nothing.
    """
    check_ended(run)
    status = run.status
    facts, result = facts_of(run), run.result
    stages = {stage: records for stage in MODELS if (records := run.metrics(stage))}
    try:
        tracker = open_tracker(place, facts, root)
        try:
            for stage, records in stages.items():
                tracker.curve(stage, points_until(_end(status), records))
            tracker.end(ended_of(status, result))
        finally:
            tracker.close()
    except WorkbenchError:
        raise
    except Exception as error:  # each package raises its own
        raise RunError(f"run {run.id} cannot be sent to {place}: {first_line(error)}") from error
    return {"id": run.id, "state": status.state, "epochs": {stage: len(found) for stage, found in stages.items()}}


def _end(status: Status) -> float:
    return status.updated or status.created
