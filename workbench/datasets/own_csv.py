"""A graph from nodes.csv and edges.csv, with the line and column of whatever is wrong in them."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.arrays import Array, masks_of
from workbench.datasets.csv_table import open_table
from workbench.errors import UsageError

NODES, EDGES = "nodes.csv", "edges.csv"
FIXED = ("id", "label", "split")
ENDS = ("src", "dst")
SPLITS = {"": 0, "none": 0, "train": 1, "val": 2, "test": 3}
LARGEST_LABEL = 9_999
LARGEST_FEATURE = float(np.finfo(np.float32).max)


def read_folder(nodes: Path, edges: Path) -> dict[str, Array]:
    """x (N, F), y (N,), edge_index (2, E) as the file has it, and the three masks (N,)."""
    header, lines = open_table(nodes, FIXED)
    features = [name for name in header if name not in FIXED]
    if not features:
        raise UsageError(f"{nodes} has no feature column: expected at least one beside {', '.join(FIXED)}")
    own, label, part = (header.index(name) for name in FIXED)
    wanted = [header.index(name) for name in features]
    position: dict[str, int] = {}
    # Typed arrays hold a number in the bytes that it has in the end; a list of Python numbers takes ten times as many.
    values, labels, split = array("f"), array("q"), array("b")
    for line, cells in lines:
        at, id = f"{nodes}, line {line}", cells[own]
        if not id:
            raise UsageError(f"{at}: the id is empty; every node needs one")
        if id in position:
            raise UsageError(f"{at}: the id {id!r} was given to an earlier node; every node needs its own")
        position[id] = len(position)
        values.extend(_features([cells[column] for column in wanted], features, at))
        labels.append(_label(cells[label], f"{at}, column 'label'"))
        split.append(_split(cells[part], f"{at}, column 'split'"))
    if not position:
        raise UsageError(f"{nodes} has a header and no nodes")
    return {
        "x": np.frombuffer(values, dtype=np.float32).reshape(len(position), -1),
        "y": np.frombuffer(labels, dtype=np.int64),
        "edge_index": _read_edges(edges, position),
        **masks_of(np.frombuffer(split, dtype=np.int8)),
    }


def _read_edges(path: Path, position: dict[str, int]) -> NDArray[np.int64]:
    header, lines = open_table(path, ENDS)
    columns = [header.index(name) for name in ENDS]
    ends = array("q")
    for line, cells in lines:
        for name, column in zip(ENDS, columns, strict=True):
            node = position.get(cells[column])
            if node is None:
                raise UsageError(f"{path}, line {line}, column {name!r}: {cells[column]!r} is not an id of {NODES}")
            ends.append(node)
    if not ends:
        raise UsageError(f"{path} has a header and no edges: expected at least one")
    return np.frombuffer(ends, dtype=np.int64).reshape(-1, 2).T


def _features(texts: list[str], names: list[str], at: str) -> list[float]:
    return [_feature(text, f"{at}, column {name!r}") for text, name in zip(texts, names, strict=True)]


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
