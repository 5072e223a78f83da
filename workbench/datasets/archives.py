"""Published npz archives: which arrays are in them, and whether those are what they should be."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np

from workbench.datasets.arrays import Array
from workbench.errors import UsageError

CSR_PARTS = ("data", "indices", "indptr", "shape")


def arrays_of(raw: bytes, names: Iterable[str], where: str) -> dict[str, Array]:
    """The arrays called ``names`` of an npz archive; others, which may hold Python objects, are left aside.

    Raises UsageError, headed by ``where``, for what is no archive of plain arrays and for one that lacks a name.
    """
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except Exception as error:  # a damaged zip or array header can fail in any way
        raise damaged(where, str(error) or type(error).__name__) from None


def damaged(where: str, fault: str) -> UsageError:
    """The error for a file whose content is not what it should be."""
    return UsageError(f"{where} is cut off, damaged or another file ({fault}): delete it and get it again")


def csr_entries(arrays: dict[str, Array], prefix: str, where: str) -> tuple[Array, Array, Array]:
    """Rows, columns and values (M,) of the matrix that is stored as ``<prefix>_data``, ``_indices``, ``_indptr`` and
    ``_shape``; raises UsageError where those do not fit together."""
    value, column, pointer, shape = (arrays[f"{prefix}_{part}"] for part in CSR_PARTS)
    if any(part.dtype.kind not in "iu" or part.ndim != 1 for part in (column, pointer, shape)):
        raise damaged(where, f"the parts of {prefix} are no lists of whole numbers")
    lengths: Array = np.diff(pointer.astype(np.int64))
    fits = (
        shape.shape == (2,)
        and value.shape == column.shape
        and lengths.shape == (shape[0],)
        and pointer[0] == 0
        and pointer[-1] == len(column)
        and bool((lengths >= 0).all())
        and (len(column) == 0 or (column.min() >= 0 and column.max() < shape[1]))
    )
    if not fits:
        raise damaged(where, f"the parts of {prefix} are no sparse matrix")
    return np.repeat(np.arange(shape[0]), lengths), column.astype(np.int64), value
