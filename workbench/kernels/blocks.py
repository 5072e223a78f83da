"""Blocks of rows, so small that what is made of one stays in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

LEAST_ROWS = 64  # a matrix product of fewer rows is slow


def row_blocks(rows: int, columns: int, entries: int) -> Iterator[slice]:
    """Slices that cover ``rows`` rows of a matrix with ``columns`` columns, about ``entries`` numbers in each."""
    height = max(LEAST_ROWS, entries // max(columns, 1))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))
