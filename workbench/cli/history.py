"""``workbench runs`` and ``workbench show``: what was run, and one run in full."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from workbench.cli.follow import headline
from workbench.cli.online_results import WHO, print_steps
from workbench.cli.output import MISSING, count, duration, percent, print_table, say, times
from workbench.cli.results import SIDES, entry, report, score_on_test

if TYPE_CHECKING:
    from workbench.runs.folder import Run

CONTROLS = {"untrained": " (untrained)", "shuffled": " (labels shuffled)"}


def history(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The runs as plain data, newest first."""
    return [
        {**entry(run), "title": run.title, "created": run.status.created, "stage": run.status.stage} for run in runs
    ]


def print_history(runs: Sequence[Run]) -> None:
    if not runs:
        say("no runs yet: `workbench distill builtin-karate` makes one in a few seconds")
        return
    rows = []
    for run in runs:
        facts, status = entry(run), run.status
        scores = [score_on_test(facts[side]) for side in SIDES]
        age = duration(max(time.time() - status.created, 0)) if status.created else MISSING
        rows.append((run.id, run.title, headline(status), *scores, times(facts["compression"]), age))
    columns = ("run", "what", "state", "teacher test", "student test", "compression", "age")
    print_table(columns, rows, right=columns[3:])


def card(run: Run) -> dict[str, Any]:
    """One run in full as plain data."""
    status = run.status
    return {
        "id": run.id,
        "path": str(run.path),
        "title": run.title,
        "state": status.state,
        "status": vars(status),
        "spec": run.document,
        "result": run.result,
        "arrays": run.array_names(),
    }


def print_card(run: Run) -> None:
    import yaml

    typer.echo(f"{run.title}\n{run.path}\n{headline(run.status)}")
    if run.status.message:
        typer.echo(run.status.message)
    typer.echo("\n" + yaml.safe_dump(run.document, sort_keys=False, allow_unicode=True))
    result = run.result
    if result is None:
        return
    scores = _scores(result)
    sides = [side for side in (*SIDES, "plain") if result.get(side)]
    rows = [
        (
            f"{WHO[side]}: {result[side]['name']}{CONTROLS.get(result[side].get('control'), '')}",
            count(result[side]["parameters"]),
            *(percent(result[side]["metrics"].get(split, {}).get(metric)) for split, metric in scores.values()),
            str(result[side].get("best_epoch") or MISSING),
            duration(result[side].get("seconds")),
        )
        for side in sides
    ]
    columns = ("model", "parameters", *scores, "best epoch", "trained in")
    print_table(columns, rows, right=columns[1:])
    print_steps(report([run]))
    if result["teacher"].get("control") == "shuffled":
        typer.echo(_against_permuted_labels(result["teacher"]))
    where = result["device"]["name"]
    typer.echo(f"\ncompression {times(result['compression'])}, {duration(result['seconds'])} on {where}")
    for warning in result.get("warnings", []):
        typer.echo(f"warning: {warning}")


def _scores(result: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Columns of scores: their heads, and of which split they show which metric."""
    metrics = result["student"]["metrics"].get("test", {})
    if "average_precision" in metrics:
        return {"AUC": ("test", "auc"), "average precision": ("test", "average_precision")}
    judge = next((name for name in ("auc", "micro_f1") if name in metrics), "accuracy")
    of = {"auc": " AUC", "micro_f1": " micro-F1"}.get(judge, "")
    found = {f"train{of}": ("train", judge), f"validation{of}": ("val", judge), f"test{of}": ("test", judge)}
    return found | ({"test, mean class": ("test", "mean_class_accuracy")} if "mean_class_accuracy" in metrics else {})


def _against_permuted_labels(teacher: dict[str, Any]) -> str:
    still = teacher.get("labels_still_true")  # runs of earlier versions have none
    shares = f", of which {percent(still['train'])} and {percent(still['val'])} stayed true by chance" if still else ""
    return f"\nteacher: train and validation are against its permuted labels{shares}"
