"""``workbench controls``: a method beside its controls, as detached runs in two waves, and their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.arguments import (
    Compression,
    Dataset,
    Device,
    Fresh,
    Json,
    Megabytes,
    Method,
    Parameters,
    Preset,
    Runs,
    SpecFile,
    Student,
    Teacher,
)
from workbench.cli.distill import INTERRUPTED, say_how_to_stop, start
from workbench.cli.follow import follow
from workbench.cli.output import print_json, print_table, say
from workbench.cli.results import say_failures
from workbench.cli.seeds import MOST
from workbench.cli.specs import Request, specs_of

if TYPE_CHECKING:
    from workbench.runs.control_table import Controls
    from workbench.runs.folder import Run
    from workbench.spec import Spec


def controls(
    ctx: typer.Context,
    dataset: Dataset = None,
    preset: Preset = None,
    teacher: Teacher = None,
    student: Student = None,
    method: Method = None,
    seeds: Annotated[str, typer.Option(metavar="SEEDS", help="One makes six runs; two or more give a test.")] = "0-4",
    device: Device = None,
    budget_parameters: Parameters = None,
    budget_megabytes: Megabytes = None,
    compression: Compression = None,
    spec: SpecFile = None,
    fresh: Fresh = False,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Is it real? Run a method beside five controls and compare them seed by seed.

    \b
    student alone                 does distillation help at all?
    student alone, same updates   or does the number of updates?
    label smoothing               or do softer labels, without any teacher?
    untrained teacher             or does regularisation by an untrained teacher?
    label-shuffled teacher        or does imitating one taught permuted labels?

    Finished runs are used again.
    """
    request = Request(
        dataset,
        teacher,
        student,
        method,
        seeds,
        device,
        spec=spec,
        budget_parameters=budget_parameters,
        budget_megabytes=budget_megabytes,
        compression=compression,
        flags=ctx.obj,
        command="controls",
        preset=preset,
    )
    raise typer.Exit(run_controls(request, fresh, runs, as_json))


def run_controls(request: Request, fresh: bool, root: Path | None, as_json: bool) -> int:
    """Run what is not finished, print the table, and return the exit code.

    How long the student alone is trained with the same number of updates is known once the method has
    run: these runs make a second wave.
    """
    from workbench.runs.control_table import SAME_UPDATES
    from workbench.runs.controls import control_plan, same_updates, table_of

    plan = control_plan(specs_of(request))
    runs = wave(plan, fresh, root)
    method, *_ = plan
    pairs = list(zip(plan[method], runs[method], strict=True))
    longer = [same_updates(spec, run) for spec, run in pairs if run.status.state == "done"]
    second = iter(wave({SAME_UPDATES: longer}, fresh, root)[SAME_UPDATES])
    rows: dict[str, list[Run | None]] = {name: list(row) for name, row in runs.items()}
    rows[SAME_UPDATES] = [next(second) if run.status.state == "done" else None for _, run in pairs]
    show(table_of(plan, rows), as_json)
    return 0 if say_failures([run for row in rows.values() for run in row if run is not None]) else 1


def wave(plan: Mapping[str, Sequence[Spec]], fresh: bool, root: Path | None) -> dict[str, list[Run]]:
    """Start the specs of every row and follow them until all have ended: as many at once as have room."""
    waiting = [(name, spec) for name, specs in plan.items() for spec in specs]
    found: dict[str, list[Run]] = {name: [] for name in plan}
    for first in range(0, len(waiting), MOST):
        batch = waiting[first : first + MOST]
        runs = start([spec for _, spec in batch], fresh, root)
        follow_to_the_end(runs, [f"{name}, seed {spec.seed}" for name, spec in batch])
        for (name, _), run in zip(batch, runs, strict=True):
            found[name].append(run)
    return found


def follow_to_the_end(runs: Sequence[Run], names: Sequence[str]) -> None:
    try:
        follow(runs, names)
    except KeyboardInterrupt:
        say_how_to_stop([run for run in runs if run.status.alive])
        say("the same command goes on from there and prints the table")
        raise typer.Exit(INTERRUPTED) from None


def show(table: Controls, as_json: bool) -> None:
    if as_json:
        return print_json(table.to_dict())
    columns = table.columns[:-1]  # what each control asks is in --help, and would fold the numbers on a terminal
    print_table(columns, [cells[:-1] for cells in table.cells()], right=columns[1:])
    typer.echo("")
    for note in table.notes:
        typer.echo(note)
