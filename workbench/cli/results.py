"""Finished runs as a document and as a table: every seed, then mean ± standard deviation."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.cli.output import MISSING, count, duration, percent, print_table, say, times

if TYPE_CHECKING:
    from workbench.runs.folder import Run

LOG_LINES = 15
SIDES = ("teacher", "student")


def report(runs: Sequence[Run]) -> dict[str, Any]:
    """``{"runs": [...], "summary": {...}}``: the numbers of every run, and their mean and spread over seeds."""
    entries = [entry(run) for run in runs]
    return {"runs": entries, "summary": {side: summary([e[side] for e in entries if e[side]]) for side in SIDES}}


def entry(run: Run) -> dict[str, Any]:
    """One run; ``teacher`` and ``student`` are None until it is done.

    A teacher that is a control has ``control``; of a ``shuffled`` one the metrics on training and validation
    nodes are against the permuted labels.
    """
    status = run.status
    result = (run.result if status.state == "done" else None) or {}
    return {
        "id": run.id,
        "seed": run.seed,
        "state": status.state,
        "message": status.message,
        **{side: _side(result.get(side)) for side in SIDES},
        "compression": result.get("compression"),
        "seconds": result.get("seconds"),
        "warnings": result.get("warnings", []),
    }


def _side(result: dict[str, Any] | None) -> dict[str, Any] | None:
    if result is None:
        return None
    control = {"control": result["control"]} if "control" in result else {}
    return {"name": result.get("name"), **control, "parameters": result["parameters"], "metrics": result["metrics"]}


def summary(sides: Sequence[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """By split and metric: ``mean``, sample standard deviation ``std`` (None for one run), and ``n``.

    Values that were not finite (None) are left out, and not counted in ``n``.
    """
    values: dict[str, dict[str, list[float | None]]] = {}
    for side in sides:
        for split, metrics in side["metrics"].items():
            for name, value in metrics.items():
                values.setdefault(split, {}).setdefault(name, []).append(value)
    return {split: {name: spread(found) for name, found in metrics.items()} for split, metrics in values.items()}


def spread(values: Sequence[float | None]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    mean = statistics.fmean(known) if known else None
    return {"mean": mean, "std": statistics.stdev(known) if len(known) > 1 else None, "n": len(known)}


def print_report(document: dict[str, Any]) -> None:
    """The same as a table: test scores of teacher and student, per seed and on average."""
    columns = ("seed", "run", "teacher test", "student test", "parameters", "compression", "time")
    rows = [
        (
            str(run["seed"]),
            run["id"],
            *(score_on_test(run[side]) if run["state"] == "done" else run["state"] for side in SIDES),
            " → ".join(count(run[side] and run[side]["parameters"]) for side in SIDES),
            times(run["compression"]),
            duration(run["seconds"]),
        )
        for run in document["runs"]
    ]
    if len(rows) > 1:
        rows.append(("", "mean ± std", *(mean_score(document["summary"][side]) for side in SIDES), "", "", ""))
    print_table(columns, rows, right=("seed", "teacher test", "student test", "parameters", "compression", "time"))


def score_name(metrics: dict[str, Any]) -> str | None:
    """The metric that a table shows: the first that is not the loss."""
    return next((name for name in metrics if name != "loss"), None)


def score_on_test(side: dict[str, Any] | None) -> str:
    metrics = (side or {}).get("metrics", {}).get("test", {})
    name = score_name(metrics)
    return MISSING if name is None else percent(metrics[name])


def mean_score(splits: dict[str, Any]) -> str:
    metrics = splits.get("test", {})
    name = score_name(metrics)
    if name is None:
        return MISSING
    std = metrics[name]["std"]
    return percent(metrics[name]["mean"]) + ("" if std is None else f" ± {100 * std:.1f}")


def say_failures(runs: Sequence[Run]) -> bool:
    """Say on stderr what went wrong, with the end of the log; returns whether every run is done."""
    for run in runs:
        status = run.status
        if status.state != "done":
            say(f"\n{run.id} {status.state}: {status.message or 'no message was left'}")
            tail = run.log().splitlines()[-LOG_LINES:]
            if tail:
                say("the last lines of its log:\n" + "\n".join(f"  {line}" for line in tail))
    return all(run.status.state == "done" for run in runs)
