"""Finished runs as a document and as a table: every seed, then mean ± standard deviation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.cli.online_results import online_entry, online_summary, print_steps
from workbench.cli.output import MISSING, count, duration, percent, print_table, say, times
from workbench.cli.summaries import mean_and_std, side, summary

if TYPE_CHECKING:
    from workbench.runs.folder import Run

LOG_LINES = 15
SIDES = ("teacher", "student")
SHOWN = {  # metric -> its word in a column's head
    "auc": "AUC",
    "micro_f1": "micro-F1",
    "accuracy": "test",
    "mean_class_accuracy": "mean class",
}


def report(runs: Sequence[Run]) -> dict[str, Any]:
    """``{"runs": [...], "summary": {...}}``: the numbers of every run, and their mean and spread over seeds.

    Runs on snapshots have ``plain``, ``baselines`` and ``steps`` in both.
    """
    entries = [entry(run) for run in runs]
    found = {side: summary(e[side] for e in entries if e[side]) for side in SIDES}
    return {"runs": entries, "summary": {**found, **online_summary(entries)}}


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
        **{each: side(result.get(each)) for each in SIDES},
        "compression": result.get("compression"),
        "seconds": result.get("seconds"),
        "warnings": result.get("warnings", []),
        **online_entry(result),
    }


def print_report(document: dict[str, Any]) -> None:
    """The same as a table: test scores of teacher and student, per seed and on average; of snapshots every step too."""
    shown = shown_metrics(document["summary"])
    scores = [f"{each} {SHOWN.get(name, name)}" for name in shown for each in SIDES]
    columns = ("seed", "run", *scores, "parameters", "compression", "time")
    rows = [
        (
            str(run["seed"]),
            run["id"],
            *(_score(run, each, name, name == shown[0]) for name in shown for each in SIDES),
            " → ".join(count(run[side] and run[side]["parameters"]) for side in SIDES),
            times(run["compression"]),
            duration(run["seconds"]),
        )
        for run in document["runs"]
    ]
    if len(rows) > 1:
        means = (document["summary"][each].get("test", {}).get(name) for name in shown for each in SIDES)
        rows.append(("", "mean ± std", *map(mean_and_std, means), "", "", ""))
    print_table(columns, rows, right=[column for column in columns if column != "run"])
    print_steps(document)


def shown_metrics(found: dict[str, Any]) -> list[str]:
    """The metrics that a table shows of a summary: the one that a run is judged by, of accuracy also over classes."""
    names = {name: None for each in SIDES for name in found[each].get("test", {})}
    judged = next((name for name in ("auc", "micro_f1") if name in names), None)
    return [judged] if judged else [name for name in SHOWN if name in names] or ["accuracy"]


def _score(run: dict[str, Any], of: str, name: str, first: bool) -> str:
    """The metric on the test data; in the first column, of a run that is not done, how it is doing."""
    if run["state"] != "done":
        return run["state"] if first else MISSING
    return percent(((run[of] or {}).get("metrics", {}).get("test", {})).get(name))


def score_on_test(side: dict[str, Any] | None) -> str:
    """The metric that a run is judged by, named where it is no accuracy."""
    metrics = (side or {}).get("metrics", {}).get("test", {})
    name = next((name for name in SHOWN if name in metrics), None)
    return MISSING if name is None else percent(metrics[name]) + ("" if name == "accuracy" else f" {SHOWN[name]}")


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
