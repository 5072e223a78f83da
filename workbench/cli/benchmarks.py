"""``workbench bench``: the workbench beside the textbook."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.cli.arguments import Json

benchmarks = typer.Typer(no_args_is_help=True, help="The workbench beside the textbook, in one run.")


@benchmarks.command("losses")
def bench_losses(
    nodes: Annotated[int | None, typer.Option(min=2, help="Nodes (default: each loss its own).")] = None,
    edges: Annotated[int | None, typer.Option(min=2, help="Directed edges, of losses that take edges.")] = None,
    widths: Annotated[str | None, typer.Option(help="Hidden widths of student and teacher: 136,1024.")] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="These losses, with commas between them: lsp,gcrd.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Timed steps of each; medians are shown.")] = 3,
    as_json: Json = False,
) -> None:
    """Forward and backward pass of the losses (a quarter of an hour and 24 GB, most of it the textbook of LSP)."""
    from workbench.bench.losses import bench

    names = [name.strip() for name in only.split(",")] if only else []
    sizes = _widths(widths, 2) if widths else None
    _show(bench(nodes, edges, sizes, repeats, names), as_json)


@benchmarks.command("epoch")
def bench_epoch(
    nodes: Annotated[int | None, typer.Option(min=2, help="Nodes (default: each case its own).")] = None,
    edges: Annotated[int | None, typer.Option(min=2, help="Directed edges.")] = None,
    widths: Annotated[str | None, typer.Option(help="Features, hidden width and classes: 128,64,40.")] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="These cases, with commas between them: gcn bag of words.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Timed epochs of each; medians are shown.")] = 5,
    as_json: Json = False,
) -> None:
    """Epochs of a GCN student (about a minute).

    Â, its sorting and, without dropout, Â X are made once, before the timed epochs of ours; PyG's layers normalise in
    every epoch. Errors are measured with dropout off.
    """
    from workbench.bench.epoch import bench

    names = [name.strip() for name in only.split(",")] if only else []
    sizes = _widths(widths, 3) if widths else None
    _show(bench(nodes, edges, sizes, repeats, names), as_json)


@benchmarks.command("scale")
def bench_scale(
    edges: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Edges of the graphs, with commas between them.")
    ] = "100000,1000000,10000000",
    as_json: Json = False,
) -> None:
    """Memory and time of an epoch while a graph grows: whole in a step, and in mini-batches (some minutes).

    A GCN of two layers learns labels on random graphs with ten edges into every node. Memory is what the process
    grows by beside the graph itself, pages of the features' file included.
    """
    from workbench.bench.scale import bench

    document = bench(_numbers(edges))
    if as_json:
        from workbench.cli.output import print_json

        print_json(document)
    else:
        print_scale(document)


def print_scale(document: dict[str, Any]) -> None:
    """Peak memory and seconds of an epoch, one row for each graph."""
    from workbench.cli.output import print_table

    typer.echo(f"one epoch on {document['threads']} threads, evaluation left out\n")
    columns = ("edges", "nodes", "whole MB", "sampled MB", "whole s", "sampled s", "mini-batches")
    rows = []
    for entry in document["results"]:
        ways = [entry["whole"], entry["sampled"]]
        times = ["–" if way["seconds"] is None else f"{way['seconds']:,.2f}" for way in ways]
        parts = entry["sampled"]["mini_batches"]
        rows.append((f"{entry['edges']:,}", f"{entry['nodes']:,}", *map(_megabytes, ways), *times, str(parts or "–")))
    print_table(columns, rows, right=columns)
    for entry in document["results"]:
        for way in ("whole", "sampled"):
            if "error" in entry[way]:
                typer.echo(f"{entry['edges']:,} edges, {way}: {entry[way]['error']}")


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(part.isdecimal() and int(part) >= 100 for part in parts):
        raise typer.BadParameter(f"whole numbers of at least 100 with commas between them (got {text!r})")
    return tuple(int(part) for part in parts)


def _widths(text: str, number: int) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) != number or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"{number} positive whole numbers with commas between them (got {text!r})")
    return tuple(int(part) for part in parts)


def _show(document: dict[str, Any], as_json: bool) -> None:
    from workbench.cli.output import print_json

    if as_json:
        print_json(document)
    else:
        print_bench(document)


def print_bench(document: dict[str, Any]) -> None:
    """Medians of both variants, how many times faster and smaller ours is, and how far ours is from the textbook."""
    from workbench.cli.output import MISSING, print_table, times

    typer.echo(f"medians of {document['repeats']} alternated steps on {document['threads']} threads\n")
    columns = (
        "", "nodes", "edges", "widths", "first ms", "ours ms", "textbook ms", "faster", "ours MB", "textbook MB",
        "smaller", "value off by", "gradient off by",
    )  # fmt: skip
    rows = [
        (
            entry["name"],
            f"{entry['nodes']:,}",
            f"{entry['edges']:,}" if entry["edges"] else MISSING,
            "/".join(str(width) for width in entry["widths"]),
            _milliseconds(entry["ours"], "first_milliseconds"),
            *(_milliseconds(entry[variant]) for variant in ("ours", "textbook")),
            times(entry["speedup"]),
            *(_megabytes(entry[variant]) for variant in ("ours", "textbook")),
            times(entry["memory_ratio"]),
            *(_difference(entry.get(what)) for what in ("relative_difference", "gradient_difference")),
        )
        for entry in document["results"]
    ]
    print_table(columns, rows, right=columns[1:])
    typer.echo(
        "\nOurs computes once, before the timed steps, what depends on the graph and the frozen teacher alone; 'first'"
        " is that\nand the first step together. Errors are against the textbook in float64, without dropout."
    )
    for entry in document["results"]:
        for variant in ("ours", "textbook"):
            if "error" in entry[variant]:
                typer.echo(f"{entry['name']}, {variant}: {entry[variant]['error']}")


def _milliseconds(measured: dict[str, Any], which: str = "milliseconds") -> str:
    found = measured.get(which)
    return "–" if found is None else f"{found:,.1f}"


def _megabytes(measured: dict[str, Any]) -> str:
    return "–" if measured["peak_bytes"] is None else f"{measured['peak_bytes'] / 1e6:,.0f}"


def _difference(value: float | None) -> str:
    return "–" if value is None else f"{value:.0e}"
