"""A graph from nodes.csv and edges.csv, with the line and column of whatever is wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.arrays import Array, masks_of
from workbench.datasets.csv_table import open_table
from workbench.errors import UsageError

NODES, EDGES = "nodes.csv", "edges.csv"
FIXED = ("id", "label", "split")
SPLITS = {"": 0, "none": 0, "train": 1, "val": 2, "test": 3}
LARGEST_LABEL = 9_999
LARGEST_FEATURE = float(np.finfo(np.float32).max)

Row = tuple[int, dict[str, str]]


def read_folder(nodes: Path, edges: Path) -> dict[str, Array]:
    """x (N, F), y (N,), edge_index (2, E) as the file has it, and the three masks (N,)."""
    header, rows = _open(nodes, FIXED)
    features = [name for name in header if name not in FIXED]
    if not features:
        raise UsageError(f"{nodes} has no feature column: expected at least one beside {', '.join(FIXED)}")
    position: dict[str, int] = {}
    values: list[list[float]] = []
    labels: list[int] = []
    split: list[int] = []
    for line, row in rows:
        at = f"{nodes}, line {line}"
        if not row["id"]:
            raise UsageError(f"{at}: the id is empty; every node needs one")
        if row["id"] in position:
            raise UsageError(f"{at}: the id {row['id']!r} was given to an earlier node; every node needs its own")
        position[row["id"]] = len(position)
        values.append([_feature(row[name], f"{at}, column {name!r}") for name in features])
        labels.append(_label(row["label"], f"{at}, column 'label'"))
        split.append(_split(row["split"], f"{at}, column 'split'"))
    if not position:
        raise UsageError(f"{nodes} has a header and no nodes")
    return {
        "x": np.array(values, dtype=np.float32),
        "y": np.array(labels, dtype=np.int64),
        "edge_index": _read_edges(edges, position),
        **masks_of(np.array(split)),
    }


def _read_edges(path: Path, position: dict[str, int]) -> NDArray[np.int64]:
    _, rows = _open(path, ("src", "dst"))
    ends: list[tuple[int, int]] = []
    for line, row in rows:
        for column in ("src", "dst"):
            if row[column] not in position:
                raise UsageError(f"{path}, line {line}, column {column!r}: {row[column]!r} is not an id of {NODES}")
        ends.append((position[row["src"]], position[row["dst"]]))
    if not ends:
        raise UsageError(f"{path} has a header and no edges: expected at least one")
    return np.array(ends, dtype=np.int64).T


def _open(path: Path, needed: tuple[str, ...]) -> tuple[list[str], Iterator[Row]]:
    header, lines = open_table(path, needed)
    return header, ((number, dict(zip(header, cells, strict=True))) for number, cells in lines)


def _feature(text: str, at: str) -> float:
    value = _parsed(float, text)
    if value is None or not abs(value) <= LARGEST_FEATURE:  # NaN compares as false
        raise UsageError(f"{at}: {text!r} is not a finite number, and a feature must be one")
    return value


def _label(text: str, at: str) -> int:
    if not text:
        return -1
    value = _parsed(int, text)
    if value is None or not -1 <= value <= LARGEST_LABEL:
        raise UsageError(
            f"{at}: {text!r} is not a label: expected a whole number from 0 to {LARGEST_LABEL:,}, "
            f"or nothing (or -1) for a node without one"
        )
    return value


def _split(text: str, at: str) -> int:
    if text.lower() not in SPLITS:
        raise UsageError(f"{at}: unknown split {text!r}: expected train, val, test, or nothing")
    return SPLITS[text.lower()]


def _parsed(kind: Callable[[str], Any], text: str) -> Any:
    """The number, or None; Python's ``1_000`` is no number in a table."""
    try:
        return None if "_" in text else kind(text)
    except ValueError:
        return None
