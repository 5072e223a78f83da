"""Stored arrays of a run, damaged in every way that a person or a broken disc could."""

from pathlib import Path

import numpy as np

DAMAGES = {
    "short": lambda array: array[:-1],
    "empty": lambda array: array[:0],
    "flat": np.ravel,
    "deep": lambda array: array[None],
    "without columns": lambda array: array[..., :0],
    "text": lambda array: array.astype(str),
    "NaN": lambda array: np.full(array.shape, np.nan),
    "infinite": lambda array: np.full(array.shape, np.inf),
    "large": lambda array: np.full(array.shape, 10**6),
    "negative": lambda array: np.full(array.shape, -3),
    "unsigned": lambda array: np.full(array.shape, 2**63, dtype=np.uint64),
    "complex": lambda array: array.astype(complex),
}


def change_arrays(run: Path, file: str, **changed: np.ndarray | None) -> None:
    """Rewrite ``arrays/<file>.npz`` with other arrays, and without those that are None."""
    path = run / f"arrays/{file}.npz"
    with np.load(path) as stored:
        arrays = {**stored, **changed}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def damage(run: Path, file: str, name: str, kind: str) -> None:
    """Damage one array of ``arrays/<file>.npz``; ``kind`` is a key of :data:`DAMAGES`."""
    with np.load(run / f"arrays/{file}.npz") as stored:
        array = stored[name]
    change_arrays(run, file, **{name: DAMAGES[kind](array)})


def cases(table: dict[str, str]) -> list[tuple[str, str]]:
    """``{"birth": "short, text"}`` as pairs of an array and a damage."""
    return [(name, kind) for name, kinds in table.items() for kind in kinds.split(", ")]
