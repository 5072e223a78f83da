"""``workbench table``: ours beside the papers', as Markdown, CSV, LaTeX or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.arguments import Runs
from workbench.cli.output import say
from workbench.errors import RunError, UsageError, check_choice


def table(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Rows of these runs only (default: every run).")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Rows of this dataset only; may be given again.")
    ] = None,
    papers: Annotated[
        bool,
        typer.Option("--papers", help="Rows with a published number only, and the published ones that nobody has run."),
    ] = False,
    kind: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="markdown (default), csv, latex or json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to this file.")] = None,
    runs: Runs = None,
) -> None:
    """Finished runs beside the papers' numbers, with the command that makes each row again."""
    from workbench.runs.paper_table import rows
    from workbench.runs.store import find_run
    from workbench.runs.table_text import FORMATS

    if as_json and kind not in (None, "json"):
        raise UsageError(f"--json and --format {kind} are two formats: give one of them")
    kind = "json" if as_json else kind or "markdown"
    check_choice("format", kind, FORMATS)
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise UsageError(f"--output {output} is no file in a folder that is there: name one")
    chosen = [find_run(name, runs) for name in names] if names else None
    unfinished = [run.id for run in chosen or [] if run.status.state != "done"]
    if unfinished:
        raise UsageError(f"run {unfinished[0]} is not finished: a table is of finished runs")
    found = rows(chosen, papers=papers, datasets=dataset or (), root=runs)
    text = FORMATS[kind](found)
    if not found:
        say("no run is finished yet: `workbench distill builtin-karate` makes one in a few seconds")
    if output is None:
        return typer.echo(text, nl=False)
    from workbench.runs.files import write_text

    try:
        write_text(output, text)
    except OSError as error:
        raise RunError(f"cannot write {output}: {error.strerror or error}") from None
    say(f"{len(found)} rows written to {output}")
