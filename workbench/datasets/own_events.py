"""Your own graph that changes: one CSV file of events, with a header line.

``src`` and ``dst`` are who is linked (any text), ``t`` is when: a number (Unix seconds) in every line, or a date or
time in ISO 8601 with dashes in every line (UTC where no zone is given). ``weight`` may be there: a number
above zero. Further columns are left aside; the order of the lines does not matter::

    src,dst,t,weight
    ann,bob,2024-03-01,1
    bob,cem,2024-03-02T09:30:00+01:00,2.5

The file may be compressed with gzip (``.csv.gz``).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import Card, Progress
from workbench.datasets.csv_table import open_table
from workbench.datasets.event_config import TimedConfig
from workbench.datasets.own import MOST_BYTES, digest
from workbench.datasets.snapshots import SnapshotSequence
from workbench.errors import UsageError
from workbench.options import Option
from workbench.paths import expanded
from workbench.registry import datasets

NEEDED = ("src", "dst", "t")
ENDINGS = (".csv", ".csv.gz")
LATEST = 1e11  # seconds: the year 5138, and as milliseconds 1973

Floats = NDArray[np.float64]


@datasets.register
class OwnEventsConfig(TimedConfig):
    """Your own graph that changes, from a CSV file of events."""

    title: ClassVar[str] = "Your own events"
    card: ClassVar[Card] = Card(
        title="Your own events",
        task="link prediction",
        summary=(
            "A CSV file with the columns src, dst, t (Unix seconds, or ISO dates and times) and perhaps weight, one "
            "line per event. A run remembers the SHA-256 of what it read."
        ),
        citation="Yours to add.",
        licence="That of your data.",
    )

    name: Literal["own-events"] = "own-events"
    path: str = Option("", help="A .csv or .csv.gz file with the columns src, dst, t and perhaps weight.")
    sha256: str | None = Option(
        None, help="Digest of the file; filled in at launch. Other contents are then refused.", advanced=True
    )

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        """Read the file; a relative ``path`` is meant from the current folder. Raises UsageError for every fault."""
        file = self.file()
        if self.sha256 is not None and (found := digest([file])) != self.sha256:
            raise UsageError(
                f"{self.path} has changed since the run was defined: its SHA-256 is {found}, expected {self.sha256}; "
                f"put the old file back, or start a new run"
            )
        events, names = read_events(file)
        sequence = self.sequence(events, node_ids=names)
        sequence.check(self.path)
        return sequence

    def is_ready(self, root: Path) -> bool:
        try:
            return bool(self.file())
        except UsageError:
            return False

    def wanted(self, root: Path) -> str:
        try:
            self.file()
        except UsageError as error:
            return str(error)
        return ""

    def pinned(self) -> Self:
        """This config with an absolute path and the digest of what is there now."""
        found = digest([self.file()])
        if self.sha256 not in (None, found):
            raise UsageError(f"{self.path} has the SHA-256 {found}, expected {self.sha256}: leave sha256 out to accept")
        return self.replace(path=str(expanded(self.path).absolute()), sha256=found)

    def file(self) -> Path:
        """The file; raises UsageError where there is none that can be read."""
        if not self.path:
            raise UsageError("your own events need a path: a .csv or .csv.gz file with the columns src, dst and t")
        path = expanded(self.path)
        if not os.path.isfile(path):
            raise UsageError(f"{path} does not exist: expected a .csv or .csv.gz file with the columns src, dst and t")
        if not path.name.endswith(ENDINGS):
            raise UsageError(f"{path} is neither a .csv nor a .csv.gz file")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UsageError(f"{path} is {size / 2**30:.1f} GiB: at most {MOST_BYTES >> 30} GiB are read")
        return path


def read_events(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The columns src, dst (numbers of nodes), time (Unix seconds) and perhaps weight, (M,) each; and the N ids.

    Nodes are numbered in the order of their ids. Every fault is a UsageError that names its line.
    """
    lines, column = _columns(path)
    for end in ("src", "dst"):
        if "" in column[end]:
            at = lines[column[end].index("")]
            raise UsageError(f"{path}, line {at}, column {end!r}: the id is empty; an event links two nodes")
    names = sorted({*column["src"], *column["dst"]})
    number = {name: node for node, name in enumerate(names)}
    events: dict[str, Any] = {end: np.array([number[name] for name in column[end]]) for end in ("src", "dst")}
    events["time"] = _times(column["t"], lines, path)
    if "weight" in column:
        events["weight"] = _parsed(_positive, column["weight"], lines, path, "weight", "a finite number above zero")
    return events, names


def _columns(path: Path) -> tuple[list[int], dict[str, list[str]]]:
    """The number of every line, and the columns that are known here. Cells are kept, lines are not: they are many."""
    header, table = open_table(path, NEEDED)
    place = {name: header.index(name) for name in (*NEEDED, "weight") if name in header}
    column: dict[str, list[str]] = {name: [] for name in place}
    lines = []
    for line, cells in table:
        lines.append(line)
        for name, index in place.items():
            column[name].append(cells[index])
    if not lines:
        raise UsageError(f"{path} has a header and no events: expected at least one line with src, dst and t")
    return lines, column


def _times(column: Sequence[str], lines: Sequence[int], path: Path) -> Floats:
    """Unix seconds (M,); the first line says whether they are numbers or dates."""
    if _number(column[0]) is None:
        return _parsed(_date, column, lines, path, "t", "a date or time in ISO 8601, or Unix seconds in every line")
    times = _parsed(_number, column, lines, path, "t", "a finite number of seconds, as in the first line")
    if (times > LATEST).any():
        first = int(np.flatnonzero(times > LATEST)[0])
        raise UsageError(
            f"{path}, line {lines[first]}, column 't': {column[first]} looks like milliseconds (as seconds it lies "
            f"after the year 5000): expected Unix seconds; divide the times by 1000"
        )
    if all(_is_day(text) for text in column):
        day = f"{column[0][:4]}-{column[0][4:6]}-{column[0][6:]}"
        raise UsageError(
            f"{path}, column 't': {column[0]} and all others look like dates without dashes, and numbers are read as "
            f"Unix seconds; write the dates with dashes ({day})"
        )
    return times


def _is_day(text: str) -> bool:
    """Whether a number is a date as in 20240301."""
    if not re.fullmatch(r"(19|20)\d{6}|2100\d{4}", text, re.ASCII):
        return False
    return _date(f"{text[:4]}-{text[4:6]}-{text[6:]}") is not None


def _parsed(
    parse: Callable[[str], float | None],
    column: Sequence[str],
    lines: Sequence[int],
    path: Path,
    name: str,
    wanted: str,
) -> Floats:
    values = [parse(text) for text in column]
    if None in values:
        first = values.index(None)
        raise UsageError(f"{path}, line {lines[first]}, column {name!r}: {column[first]!r} is not {wanted}")
    return np.array(values, dtype=np.float64)


def _number(text: str) -> float | None:
    """The finite number, or None; Python's ``1_000`` is no number in a table."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _positive(text: str) -> float | None:
    value = _number(text)
    return value if value is not None and value > 0 else None


def _date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
