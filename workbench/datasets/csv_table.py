"""A person's CSV file, line by line, with the line of whatever is wrong in it."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import UsageError, did_you_mean

Line = tuple[int, list[str]]  # number in the file, cells


def open_table(path: Path, needed: tuple[str, ...]) -> tuple[list[str], Iterator[Line]]:
    """The column names, among them all that are ``needed``, and the lines below them, one cell per column.

    A file whose name ends in ``.gz`` is decompressed. Raises UsageError for anything that is not such a table; for
    what is wrong in a line, when that line is reached.
    """
    lines = _lines(path)
    _, header = next(lines, (1, []))
    header = [name.strip() for name in header]
    if not any(header):
        raise UsageError(f"{path} is empty: expected a header line with {', '.join(needed)}")
    for name in needed:
        if name not in header:
            raise UsageError(
                f"{path} has no column {name!r}: {did_you_mean(name, header)}its columns are {', '.join(header)}"
            )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UsageError(f"{path} has two columns called {twice[0]!r}: rename one of them")
    return header, _whole(path, header, lines)


def _whole(path: Path, header: list[str], lines: Iterator[Line]) -> Iterator[Line]:
    for number, cells in lines:
        if len(cells) != len(header):
            raise UsageError(f"{path}, line {number} has {len(cells)} cells: expected {len(header)}, as in the header")
        yield number, [cell.strip() for cell in cells]


def _lines(path: Path) -> Iterator[Line]:
    """Every line that is not blank, with its number in the file."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, strict=True)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as CSV in UTF-8: {error}") from None
