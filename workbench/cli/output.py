"""What the commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

MISSING = "–"


def print_json(document: Any) -> None:
    """The one JSON document of a ``--json`` command."""
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))


def say(message: str) -> None:
    """A line for the person, on stderr."""
    typer.echo(message, err=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table on stdout; ``right`` names the columns of numbers. Columns without a name make a table without a head."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: a bracket in a name is no markup
    console().print(table)


def console() -> Console:
    """A console on today's stdout; a pipe gets wide lines instead of a terminal's 80 columns."""
    from rich.console import Console

    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=200)


def percent(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:.1f} %"


def count(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}"


def times(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}×"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return MISSING
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
