"""``workbench robustness``: finished runs on disturbed graphs, as curves of test accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.arguments import Json, Runs
from workbench.cli.chosen_runs import All, RunNames, chosen_runs
from workbench.cli.output import print_json, print_table, say
from workbench.errors import UsageError, WorkbenchError
from workbench.runs.robustness_plan import KINDS, LEVELS, SEEDS, Plan

if TYPE_CHECKING:
    from workbench.analysis.statistics import Summary
    from workbench.runs.folder import Run
    from workbench.runs.robustness_curves import Curve, Measured

USUAL_LEVELS = ",".join(f"{level:g}" for level in LEVELS)


def robustness(
    names: RunNames = None,
    every: All = False,
    kinds: Annotated[
        str, typer.Option(metavar="KINDS", help="Of remove_edges, add_edges and noisy_features.")
    ] = ",".join(KINDS),
    levels: Annotated[
        str, typer.Option(metavar="LEVELS", help="Shares of the edges, or standard deviations of the features.")
    ] = USUAL_LEVELS,
    seeds: Annotated[int, typer.Option(metavar="N", help="So many disturbed graphs of each kind and level.")] = SEEDS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what is stored already.")] = False,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Test accuracy of finished runs when edges go, edges come, or features are noisy.

    Teacher, student alone (where it has been run) and distilled student are judged on the same disturbed graphs, with
    the weights that they have; nothing is trained. Each run keeps its numbers in robustness.json.
    """
    plan = Plan(parse_kinds(kinds), parse_levels(levels), seeds)
    found = chosen_runs(names, every, runs)
    left_out = measure(found, plan, fresh, every)
    from workbench.runs.robustness_curves import by_data, measured_entries

    done = [run for run in found if run.id not in left_out]
    groups = by_data(measured_entries(done))
    if as_json:
        print_json({**document(groups, plan), "runs": [run.id for run in done], "left_out": left_out})
    else:
        show(groups, plan)
    if not done:
        raise typer.Exit(1)


def measure(runs: Sequence[Run], plan: Plan, fresh: bool, every: bool) -> dict[str, str]:
    """Measure ``runs``; of ``every`` run, those that cannot be are told and returned with the reason.

    A run that was named is an error.
    """
    from workbench.runs.download_bar import DownloadBar
    from workbench.runs.robustness import Known, measure_robustness
    from workbench.runs.store import list_runs

    known: Known = {}
    left_out: dict[str, str] = {}
    beside = {run.path.parent: list_runs(run.path.parent) for run in runs}
    for run in runs:
        try:
            with DownloadBar() as bar:
                among = beside[run.path.parent]
                measure_robustness(run, plan, among=among, known=known, fresh=fresh, progress=bar)
        except WorkbenchError as error:
            if not every:
                raise
            left_out[run.id] = str(error)
            say(f"left out: {error}")
    return left_out


def document(groups: Sequence[tuple[str, Measured]], plan: Plan) -> dict[str, Any]:
    """The curves of every dataset and kind as plain data."""
    from workbench.runs.robustness_curves import curves

    datasets = [
        {"dataset": name, "curves": {kind: [curve.to_dict() for curve in curves(of, kind)] for kind in plan.kinds}}
        for name, of in groups
    ]
    return {"levels": list(plan.levels), "seeds": plan.seeds, "datasets": datasets}


def show(groups: Sequence[tuple[str, Measured]], plan: Plan) -> None:
    """A table for every dataset and kind."""
    from workbench.runs.robustness_curves import curves

    levels = [f"{level:g}" for level in plan.levels]
    for name, of in groups:
        for kind in plan.kinds:
            typer.echo(f"{name}: test accuracy in %, by {KINDS[kind]}")
            columns = ("model", *levels, "drop", "mean over levels", "over")
            print_table(columns, [_row(curve) for curve in curves(of, kind)], right=columns[1:-1])
            typer.echo("")
    typer.echo(
        "± is one sample standard deviation. The drop is from the first level to the last, in points; the mean over "
        "levels is the area under the curve."
    )


def parse_kinds(text: str) -> tuple[Any, ...]:
    """``"remove_edges,add-edges"`` as the names of kinds, which :class:`Plan` checks."""
    return tuple(word.strip().replace("-", "_") for word in text.split(",") if word.strip())


def parse_levels(text: str) -> tuple[float, ...]:
    """``"0,0.1,0.5"`` as numbers. Raises UsageError for anything else."""
    try:
        return tuple(float(word) for word in text.split(",") if word.strip())
    except ValueError:
        raise UsageError(
            f"levels are numbers with commas between them, such as {USUAL_LEVELS} (got {text!r})"
        ) from None


def _row(curve: Curve) -> tuple[str, ...]:
    spread = [None] * len(curve.levels) if curve.std is None else list(curve.std)
    cells = [_points(mean, std) for mean, std in zip(curve.mean, spread, strict=True)]
    area: Summary = curve.area
    return (curve.name, *cells, f"{100 * curve.summary.drops[-1]:.1f}", _points(area.mean, area.std), curve.over)


def _points(mean: float, std: float | None) -> str:
    return f"{100 * mean:.1f}" + ("" if std is None else f" ± {100 * std:.1f}")
