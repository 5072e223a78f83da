"""A graph from one NumPy archive; arrays that would need a pickle are refused."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from workbench.datasets.arrays import MASK_NAMES, Array, masks_of
from workbench.datasets.own_csv import LARGEST_LABEL, SPLITS
from workbench.errors import UsageError

KNOWN = ("x", "edge_index", "y", "split", *MASK_NAMES)
MOST_CELLS = 2_000_000_000  # per array


def read_archive(path: Path) -> dict[str, Array]:
    """x (N, F), y (N,), edge_index (2, E) as the file has it, and the three masks (N,)."""
    given = _unpack(path)
    for name in ("x", "edge_index", "y"):
        _need(given, name, path)
    x = _features(given["x"], path)
    nodes = len(x)
    arrays = {"x": x, "edge_index": _edges(given["edge_index"], path, nodes), "y": _labels(given["y"], path, nodes)}
    if "split" in given:
        return {**arrays, **masks_of(_split(given["split"], path, nodes))}
    for name in MASK_NAMES:
        _need(given, name, path)
        mask = given[name]
        if mask.dtype != bool or mask.shape != (nodes,):
            raise UsageError(f"{path}, {name} is {_shown(mask)}: expected ({nodes},) of bool")
        arrays[name] = mask
    return arrays


def _unpack(path: Path) -> dict[str, Array]:
    """The arrays that are asked for; others in the archive are left aside."""
    try:
        with zipfile.ZipFile(path) as members:
            known = [name for name in KNOWN if f"{name}.npy" in members.namelist()]
            for name in known:
                with members.open(f"{name}.npy") as stream:
                    _refuse_large(stream, f"{path}, {name}")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in known}
    except UsageError:
        raise
    except Exception as error:  # a damaged zip or array header can fail in any way
        raise UsageError(
            f"{path} is not an archive of plain arrays ({error}): it may be cut off, or hold Python objects; "
            f"write it again with numpy.savez"
        ) from None


def _refuse_large(stream: IO[bytes], at: str) -> None:
    """A small archive can unpack to anything, so its size is read from the header of the array first."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, _ = read(stream)
    if math.prod(shape) > MOST_CELLS:
        raise UsageError(f"{at} has {math.prod(shape):,} entries: at most {MOST_CELLS:,} are read")


def _need(given: dict[str, Array], name: str, path: Path) -> None:
    if name not in given:
        masks = ", ".join(MASK_NAMES)
        raise UsageError(
            f"{path} has no array {name!r}: expected x, edge_index, y and either split or {masks}; "
            f"it has {', '.join(given) or 'none of them'}"
        )


def _features(x: Array, path: Path) -> Array:
    if x.ndim != 2 or x.dtype.kind not in "fiub" or 0 in x.shape:
        raise UsageError(f"{path}, x is {_shown(x)}: expected (nodes, features) of numbers, neither of them zero")
    with np.errstate(over="ignore"):
        x32 = x.astype(np.float32)  # a float64 too large for it becomes infinite
    broken = np.argwhere(~np.isfinite(x32))
    if len(broken):
        row, column = broken[0]
        raise UsageError(f"{path}, x, row {row}, column {column}: {x[row, column]} is not a finite float32 number")
    return x32


def _edges(edge_index: Array, path: Path, nodes: int) -> Array:
    if edge_index.ndim != 2 or edge_index.shape[0] != 2 or edge_index.dtype.kind not in "iu":
        turned = edge_index.ndim == 2 and edge_index.shape[1] == 2
        hint = "; turn it round with edge_index.T" if turned else ""
        raise UsageError(f"{path}, edge_index is {_shown(edge_index)}: expected (2, edges) of whole numbers{hint}")
    if edge_index.shape[1] == 0:
        raise UsageError(f"{path}, edge_index is empty: expected at least one edge")
    broken = np.argwhere((edge_index < 0) | (edge_index >= nodes))
    if len(broken):
        row, column = broken[0]
        raise UsageError(
            f"{path}, edge_index, row {row}, column {column}: {edge_index[row, column]} is not a node "
            f"(x has nodes 0 to {nodes - 1})"
        )
    return edge_index.astype(np.int64)


def _labels(y: Array, path: Path, nodes: int) -> Array:
    if y.shape != (nodes,) or y.dtype.kind not in "iu":
        raise UsageError(f"{path}, y is {_shown(y)}: expected ({nodes},) of whole numbers, one for every row of x")
    broken = np.flatnonzero((y < -1) | (y > LARGEST_LABEL))
    if len(broken):
        raise UsageError(
            f"{path}, y, row {broken[0]}: {y[broken[0]]} is not a label: expected 0 to {LARGEST_LABEL:,}, "
            f"or -1 for a node without one"
        )
    return y.astype(np.int64)


def _split(split: Array, path: Path, nodes: int) -> Array:
    if split.shape != (nodes,) or split.dtype.kind not in "iuU":
        raise UsageError(f"{path}, split is {_shown(split)}: expected ({nodes},) of words or of whole numbers 0 to 3")
    in_words = split.dtype.kind == "U"
    numbers = np.array([SPLITS.get(word.lower(), -1) for word in split.tolist()]) if in_words else split
    broken = np.flatnonzero(~np.isin(numbers, np.arange(4)))
    if len(broken):
        expected = "train, val, test, or nothing" if in_words else "0 none, 1 train, 2 val, 3 test"
        raise UsageError(f"{path}, split, row {broken[0]}: unknown split {split[broken[0]]!s}: expected {expected}")
    return numbers


def _shown(array: Array) -> str:
    return f"{array.shape} of {array.dtype.name}"
