"""Stored arrays of a run, each held against what it should be before a figure is made of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import RunError
from workbench.runs.folder import Run

NUMBERS, INTEGERS, TEXT = "fiu", "iu", "U"  # kinds of numpy's types
ANY, SOME = range(sys.maxsize), range(1, sys.maxsize)  # sizes of an axis


def checked(
    run: Run,
    stored: Mapping[str, NDArray[Any]],
    name: str,
    shape: tuple[int | range, ...],
    kinds: str = NUMBERS,
    values: range | None = None,
) -> NDArray[Any]:
    """The array ``name`` of those that ``run`` has stored together.

    Raises RunError unless it is there and of one of ``kinds``, every axis has the size, or one of the sizes, in
    ``shape``, and all its numbers lie in ``values``, where these are given.
    """
    if name not in stored:
        raise RunError(f"the arrays of run {run.id} hold no {name!r}: run the spec again")
    found = stored[name]
    sizes = (range(size, size + 1) if isinstance(size, int) else size for size in shape)
    fits = (
        _is_of(found.dtype, kinds)
        and found.ndim == len(shape)
        and all(has in size for has, size in zip(found.shape, sizes, strict=True))
        and (values is None or not found.size or values.start <= found.min() <= found.max() < values.stop)
    )
    if not fits:
        raise damaged(run, name)
    return found


def damaged(run: Run, name: str) -> RunError:
    """What is raised for an array ``name`` that is not what it should be."""
    return RunError(f"the arrays of run {run.id} are damaged, {name!r} does not fit the others: run the spec again")


def _is_of(dtype: np.dtype[Any], kinds: str) -> bool:
    """Large unsigned numbers are no integers here: numpy counts and indexes with those that int64 holds."""
    return dtype.kind in kinds and (dtype.kind != "u" or np.can_cast(dtype, np.int64))
