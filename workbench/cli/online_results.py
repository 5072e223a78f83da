"""What runs on snapshots have besides: online steps, baselines, and a student without distillation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from workbench.cli.output import MISSING, count, duration, print_table
from workbench.cli.summaries import mean_and_std, side, spread, spreads, summary

Entry = dict[str, Any]
SIDES = ("teacher", "student")
WHO: Mapping[str, str] = {  # who is scored -> the head of its column
    "teacher": "teacher",
    "student": "student",
    "plain": "student alone",
    "common_neighbours": "common neighbours",
    "adamic_adar": "Adamic–Adar",
    "preferential_attachment": "product of degrees",
    "edge_bank": "last-snapshot memory",
}


def online_entry(result: Mapping[str, Any]) -> Entry:
    """``steps`` as in ``result.json``, ``baselines``, and ``plain`` (None where there is none); else nothing."""
    if "steps" not in result:
        return {}
    return {
        "steps": result["steps"],
        "baselines": result.get("baselines", {}),
        "plain": side(result.get("plain")),
    }


def online_summary(entries: Sequence[Entry]) -> Entry:
    """Over seeds: ``plain`` and ``baselines`` as means over the steps, and the AUC of everybody at every step."""
    online = [entry for entry in entries if "steps" in entry]
    if not online:
        return {}
    auc: dict[int, dict[str, list[float | None]]] = {}
    for step in (step for entry in online for step in entry["steps"]):
        for who, metrics in step["metrics"].items():
            auc.setdefault(step["step"], {}).setdefault(who, []).append(metrics["auc"])
    return {
        "plain": summary(entry["plain"] for entry in online if entry["plain"]),
        "baselines": spreads([entry["baselines"] for entry in online]),
        "steps": [
            {"step": step, "auc": {who: spread(values) for who, values in found.items()}}
            for step, found in sorted(auc.items())
        ],
    }


def print_steps(document: Entry) -> None:
    """AUC of everybody and the costs at every online step, as two tables; nothing for runs of other tasks."""
    runs = [run for run in document["runs"] if "steps" in run]
    if runs:
        seeds = f", mean ± std over {len(runs)} seeds" if len(runs) > 1 else ""
        typer.echo(f"\nAUC of the links of the next snapshot, at every online step{seeds}\n")
        _print_scores(document["summary"])
        typer.echo(
            "\nWhat a step costs, teacher → student (the latency is over the nodes that each of them knows), "
            "and how long the student learns\n"
        )
        _print_costs([run["steps"] for run in runs])


def _print_scores(found: Entry) -> None:
    whos = [who for who in WHO if any(who in step["auc"] for step in found["steps"])]
    rows = [(str(step["step"]), *(mean_and_std(step["auc"].get(who)) for who in whos)) for step in found["steps"]]
    means = {who: found[who].get("test", {}) for who in ("teacher", "student", "plain")} | found["baselines"]
    rows.append(("mean", *(mean_and_std(means.get(who, {}).get("auc")) for who in whos)))
    columns = [WHO[who] for who in whos]
    print_table(("step", *columns), rows, right=("step", *columns))


def _print_costs(runs: Sequence[Sequence[Entry]]) -> None:
    """Means over seeds; the numbers of nodes and of parameters are those of the data."""
    rows = []
    for at in runs[0]:
        same = [step for steps in runs for step in steps if step["step"] == at["step"]]
        parameters, latency, seconds = (_means(same, key) for key in ("parameters", "latency_ms", "update_seconds"))
        rows.append(
            (
                str(at["step"]),
                _nodes(at),
                " → ".join(count(parameters.get(who)) for who in SIDES),
                " → ".join(_milliseconds(latency.get(who)) for who in SIDES),
                duration(seconds.get("student")),
                duration(seconds.get("plain")),
            )
        )
    columns = ("step", "nodes", "parameters", "latency", "update", "update alone")
    print_table(columns, rows, right=columns)


def _nodes(at: Entry) -> str:
    """How many nodes the teacher knows and how many there are; of older runs the latter only."""
    known = at.get("latency_nodes", {})
    return (
        " → ".join(count(known[who]) for who in SIDES) if all(who in known for who in SIDES) else count(at.get("nodes"))
    )


def _means(steps: Sequence[Entry], key: str) -> dict[str, float | None]:
    whos = {who for step in steps for who in step.get(key, {})}
    return {who: spread([step[key][who] for step in steps if who in step.get(key, {})])["mean"] for who in whos}


def _milliseconds(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f} ms"
