"""``workbench track``: runs that have ended, sent to TensorBoard or MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.arguments import Json, Runs
from workbench.cli.chosen_runs import All, RunNames, chosen_runs
from workbench.cli.output import print_json, say
from workbench.errors import UsageError, check_choice

To = Annotated[str, typer.Option("--to", metavar="TRACKER", help="tensorboard or mlflow.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="PLACE",
        help="TensorBoard's folder (default: tensorboard beside the runs); MLflow's URI or SQLite file (default: "
        "MLFLOW_TRACKING_URI, else mlflow.db beside the runs).",
    ),
]


def track(
    to: To,
    names: RunNames = None,
    every: All = False,
    at: At = None,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Send the curves, spec and result of runs to TensorBoard or MLflow; sending them twice changes nothing.

    Runs are sent while they are trained where WORKBENCH_TRACKERS names trackers: tensorboard,mlflow=URI.
    """
    document = send_all(names, every, to, at, runs)
    if as_json:
        return print_json(document)
    for run in document["runs"]:
        epochs = ", ".join(f"{stage} {number} epochs" for stage, number in run["epochs"].items())
        say(f"{run['id']}: {epochs or 'no epochs'}, {run['state']}")


def send_all(names: Sequence[str] | None, every: bool, to: str, at: str | None, root: Path | None) -> dict[str, Any]:
    """Send the runs called ``names``, or every finished one, and say of each what was sent.

    Raises UsageError for wrong arguments and for a run that is going on, before anything is sent.
    """
    from workbench.runs.store import runs_root
    from workbench.runs.trackers import KNOWN, Place
    from workbench.runs.trackers.stored import check_ended, send

    check_choice("tracker", to, KNOWN)
    if at == "":
        raise UsageError("--at needs a place: leave it out for the usual one")
    found = chosen_runs(names, every, root)
    for run in found:
        check_ended(run)
    place = Place(to, at)
    return {"to": to, "at": at, "runs": [send(run, place, root or runs_root()) for run in found]}
