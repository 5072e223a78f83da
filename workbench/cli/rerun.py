"""``workbench rerun RUN --check``: the same spec once more from nothing, and its metrics beside the first ones."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.follow import follow
from workbench.cli.output import MISSING, print_table, say
from workbench.cli.results import SIDES, say_failures
from workbench.errors import RunError, UsageError
from workbench.runs.download_bar import DownloadBar

if TYPE_CHECKING:
    from workbench.runs.folder import Run


def rerun(run: Run, tolerance: float) -> dict[str, Any]:
    """Run the spec of a finished run in a folder of its own (so no cached teacher is taken) and compare.

    The new run is deleted afterwards: it is a test of the old one. Raises UsageError for a run that
    is not finished or was made from live objects, RunError when the new run fails.
    """
    from workbench.runs.launch import launch, stop

    old = run.result
    if run.status.state != "done" or old is None:
        raise UsageError(f"run {run.id} is {run.status.state}: only a finished run can be compared with a new one")
    if "live" in (run.document[key]["name"] for key in ("dataset", *SIDES)):
        raise UsageError(f"run {run.id} was made from live objects: run the Python that made it again")
    with tempfile.TemporaryDirectory(prefix="workbench-rerun-") as root:
        with DownloadBar() as progress:
            new = launch(run.spec, root=Path(root), progress=progress).run
        try:
            follow([new])
        except KeyboardInterrupt:
            stop(new)
            say("the comparison was given up; its run is stopped")
            raise
        if not say_failures([new]) or new.result is None:
            raise RunError(f"the spec of {run.id} could not be run again")
        rows = compare(old, new.result, tolerance)
    return {"id": run.id, "tolerance": tolerance, "equal": all(row["equal"] for row in rows), "metrics": rows}


def compare(old: dict[str, Any], new: dict[str, Any], tolerance: float) -> list[dict[str, Any]]:
    """Every metric of both results side by side; equal within ``tolerance``, relative or absolute.

    A metric that was not finite is None, and equal only to another one that was not.
    """
    rows = []
    for side in SIDES:
        for split, metrics in old[side]["metrics"].items():
            for name, before in metrics.items():
                found = new[side]["metrics"].get(split, {})
                after = found.get(name)
                equal = name in found and before is after
                if before is not None and after is not None:
                    equal = math.isclose(before, after, rel_tol=tolerance, abs_tol=tolerance)
                rows.append(
                    {"model": side, "split": split, "metric": name, "before": before, "after": after, "equal": equal}
                )
    return rows


def print_comparison(document: dict[str, Any]) -> None:
    columns = ("model", "split", "metric", "before", "after", "equal")
    rows = [
        (r["model"], r["split"], r["metric"], _number(r["before"]), _number(r["after"]), "yes" if r["equal"] else "NO")
        for r in document["metrics"]
    ]
    print_table(columns, rows, right=("before", "after"))


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.6f}"
