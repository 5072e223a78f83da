"""A file of events below the data root: where it lies, which columns it has, and where it comes from."""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import DATA_ROOT
from workbench.errors import UsageError

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class EventTable:
    """A CSV file of numbers, one line per event, gzip-compressed where its name ends in ``.gz``.

    ``file`` is its path below the data root, ``header`` whether its first line names the columns, ``source`` the
    public place that the data comes from.
    """

    file: str
    source: str
    columns: tuple[str, ...] = ("snapshot", "src", "dst", "time")
    header: bool = True

    def is_ready(self, root: Path) -> bool:
        return (root / self.file).is_file()

    def read(self, root: Path) -> Columns:
        """The columns (M,), whole numbers but for ``time``; raises UsageError where there is no such file."""
        path = root / self.file
        if not path.is_file():
            raise UsageError(f"{path} is missing: {self.wanted()}")
        try:
            return self._columns(path)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise UsageError(f"{path} cannot be read ({error}): {self.wanted()}") from None

    def wanted(self) -> str:
        """What to do where the file is missing or broken."""
        kind = "gzip-compressed CSV" if self.file.endswith(".gz") else "CSV"
        first = "with a header line and" if self.header else "without a header line, with"
        times = ", times in Unix seconds" if "time" in self.columns else ""
        return (
            f"put {self.file} below the data root, or set {DATA_ROOT} to a folder that has it; it is {kind} {first} "
            f"the columns {','.join(self.columns)}, one line per event{times}, made from {self.source}"
        )

    def _columns(self, path: Path) -> Columns:
        if self.header:
            self._check_header(path)
        # float64 holds every whole number below 2⁵³, and the times of some files have fractions
        table = np.loadtxt(path, delimiter=",", skiprows=int(self.header), dtype=np.float64, ndmin=2)
        if table.shape[0] == 0 or table.shape[1] != len(self.columns):
            raise ValueError(f"it has {table.shape[0]:,} lines of {table.shape[1]} columns")
        return {name: _values(column, name) for name, column in zip(self.columns, table.T, strict=True)}

    def _check_header(self, path: Path) -> None:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            found = tuple(name.strip() for name in next(csv.reader(lines), []))
        if found != self.columns:
            raise ValueError(f"its first line is {','.join(found)!r}")


def _values(column: NDArray[np.float64], name: str) -> NDArray[Any]:
    if name == "time":
        return column
    if not (np.abs(column) < 2**53).all() or (column != np.floor(column)).any():
        raise ValueError(f"column {name!r} holds a value that is not a whole number")
    return column.astype(np.int64)
