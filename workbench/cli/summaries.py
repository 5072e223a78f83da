"""Numbers of several runs as one: what is told of a model, and mean and spread over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.cli.output import percent

Spread = dict[str, Any]  # mean, sample standard deviation std (None for one run), and n


def side(result: dict[str, Any] | None) -> dict[str, Any] | None:
    """A model of a run: its name, its size, its metrics, and of which control it is."""
    if result is None:
        return None
    control = {"control": result["control"]} if "control" in result else {}
    return {"name": result.get("name"), **control, "parameters": result["parameters"], "metrics": result["metrics"]}


def summary(sides: Iterable[dict[str, Any]]) -> dict[str, dict[str, Spread]]:
    """By split and metric: ``mean``, sample standard deviation ``std`` (None for one run), and ``n``.

    Values that were not finite (None) are left out, and not counted in ``n``.
    """
    return spreads([side["metrics"] for side in sides])


def spreads(rows: Sequence[dict[str, dict[str, float | None]]]) -> dict[str, dict[str, Spread]]:
    """Of numbers below two keys, the spread over ``rows``."""
    values: dict[str, dict[str, list[float | None]]] = {}
    for row in rows:
        for first, numbers in row.items():
            for second, value in numbers.items():
                values.setdefault(first, {}).setdefault(second, []).append(value)
    return {first: {second: spread(found) for second, found in row.items()} for first, row in values.items()}


def spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    mean = statistics.fmean(known) if known else None
    return {"mean": mean, "std": statistics.stdev(known) if len(known) > 1 else None, "n": len(known)}


def mean_and_std(found: Spread | None) -> str:
    """``85.0 % ± 1.2``; of one run without the spread."""
    if found is None:
        return percent(None)
    return percent(found["mean"]) + ("" if found["std"] is None else f" ± {100 * found['std']:.1f}")
