"""A benchmark's document as a table."""

from __future__ import annotations

from typing import Any

import typer

from workbench.cli.output import MISSING, print_table, times


def print_bench(document: dict[str, Any]) -> None:
    """Medians of both variants, how many times faster and smaller ours is, and how far ours is from the textbook."""
    typer.echo(f"medians of {document['repeats']} alternated steps on {document['threads']} threads\n")
    columns = (
        "", "nodes", "edges", "widths", "ours ms", "textbook ms", "faster", "ours MB", "textbook MB", "smaller",
        "value off by", "gradient off by",
    )  # fmt: skip
    rows = [
        (
            entry["name"],
            f"{entry['nodes']:,}",
            f"{entry['edges']:,}" if entry["edges"] else MISSING,
            "/".join(str(width) for width in entry["widths"]),
            *(_milliseconds(entry[variant]) for variant in ("ours", "textbook")),
            times(entry["speedup"]),
            *(_megabytes(entry[variant]) for variant in ("ours", "textbook")),
            times(entry["memory_ratio"]),
            *(_difference(entry.get(what)) for what in ("relative_difference", "gradient_difference")),
        )
        for entry in document["results"]
    ]
    print_table(columns, rows, right=columns[1:])
    for entry in document["results"]:
        for variant in ("ours", "textbook"):
            if "error" in entry[variant]:
                typer.echo(f"{entry['name']}, {variant}: {entry[variant]['error']}")


def _milliseconds(measured: dict[str, Any]) -> str:
    return MISSING if measured["milliseconds"] is None else f"{measured['milliseconds']:,.1f}"


def _megabytes(measured: dict[str, Any]) -> str:
    return MISSING if measured["peak_bytes"] is None else f"{measured['peak_bytes'] / 1e6:,.0f}"


def _difference(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0e}"
