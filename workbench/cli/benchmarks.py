"""A benchmark's document as a table."""

from __future__ import annotations

from typing import Any

import typer

from workbench.cli.output import MISSING, print_table, times


def print_bench(document: dict[str, Any]) -> None:
    """Medians of both variants, and how many times faster and smaller ours is."""
    widths = ", ".join(str(width) for width in document["widths"])
    typer.echo(
        f"{document['nodes']:,} nodes, {document['edges']:,} edges, widths {widths}; "
        f"medians of {document['repeats']} alternated steps on {document['threads']} threads\n"
    )
    columns = ("", "ours ms", "textbook ms", "faster", "ours MB", "textbook MB", "smaller", "difference")
    rows = [
        (
            entry["name"],
            *(_milliseconds(entry[variant]) for variant in ("ours", "textbook")),
            times(entry["speedup"]),
            *(_megabytes(entry[variant]) for variant in ("ours", "textbook")),
            times(entry["memory_ratio"]),
            _difference(entry.get("relative_difference")),
        )
        for entry in document["results"]
    ]
    print_table(columns, rows, right=columns[1:])


def _milliseconds(measured: dict[str, Any]) -> str:
    return measured.get("error", MISSING) if measured["milliseconds"] is None else f"{measured['milliseconds']:.2f}"


def _megabytes(measured: dict[str, Any]) -> str:
    return MISSING if measured["peak_bytes"] is None else f"{measured['peak_bytes'] / 1e6:.1f}"


def _difference(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0e}"
