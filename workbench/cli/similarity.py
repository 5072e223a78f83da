"""``workbench similarity``: how alike the embeddings of teacher and student are, in three figures per entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from workbench.cli.arguments import Json, Runs
from workbench.cli.chosen_runs import All, RunNames, chosen_runs
from workbench.cli.output import MISSING, print_json, print_table, say
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.analysis.statistics import Summary
    from workbench.runs.similarity_table import SimilarityTable


def similarity(names: RunNames = None, every: All = False, as_json: Json = False, runs: Runs = None) -> None:
    """How alike the embeddings of teacher and student are: global and local structural correlation, linear CKA.

    From the stored last hidden features of the validation nodes, rows of length one; mean and standard deviation over
    the seeds of a spec.
    """
    found = chosen_runs(names, every, runs)
    if names and (unfinished := [run for run in found if run.status.state != "done"]):
        run = unfinished[0]
        raise UsageError(f"run {run.id} is {run.status.state}: only a finished run has embeddings to compare")
    from workbench.runs.similarity_table import similarity_table

    table = similarity_table(found)
    for reason in table.left_out.values():
        say(f"left out: {reason}")
    if as_json:
        print_json(table.to_dict())
    else:
        show(table)
    if not table.rows:
        raise typer.Exit(1)


def show(table: SimilarityTable) -> None:
    from workbench.runs.similarity_table import FIGURES

    several = len({row.entry.data for row in table.rows}) > 1
    columns = ("entry", *(["dataset"] if several else []), *FIGURES.values(), "seeds", "nodes", "edges")
    rows = [
        (
            row.entry.title,
            *([row.entry.dataset] if several else []),
            *(_written(row.summary(figure)) for figure in FIGURES),
            str(len(row.runs)),
            f"{row.runs[0].nodes:,}",
            MISSING if row.runs[0].edges is None else f"{row.runs[0].edges:,}",
        )
        for row in table.rows
    ]
    print_table(columns, rows, right=[column for column in columns if column not in ("entry", "dataset")])


def _written(found: Summary | None) -> str:
    if found is None:
        return MISSING
    return f"{found.mean:.3f}" + ("" if found.std is None else f" ± {found.std:.3f}")
