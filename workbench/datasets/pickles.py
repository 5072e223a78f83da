"""Reading the pickles that others publish without letting them run anything.

A pickle is a program. This reader lets it build arrays, sparse matrices and plain containers, and
nothing else: any other name in the file is refused before it is imported.
"""

from __future__ import annotations

import collections
import io
import pickle
import warnings
from typing import Any

import numpy as np

from workbench.errors import UsageError

_CONTAINERS: dict[tuple[str, str], Any] = {
    ("collections", "defaultdict"): collections.defaultdict,
    ("collections", "OrderedDict"): collections.OrderedDict,
    **{("builtins", kind.__name__): kind for kind in (list, dict, set, int)},
    **{("__builtin__", kind.__name__): kind for kind in (list, dict, set, int)},  # Python 2's name
}


class _Reader(pickle.Unpickler):
    def __init__(self, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw), encoding="latin1")  # Python 2 wrote the field's files

    def find_class(self, module: str, name: str) -> Any:
        """Arrays, CSR matrices and containers, under the names of old and new releases."""
        if (module, name) in _CONTAINERS:
            return _CONTAINERS[module, name]
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return getattr(np, name)
        if (module, name) in {(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}:
            return np.ndarray.__reduce__(np.empty(0))[0]
        if name == "csr_matrix" and module in {"scipy.sparse", "scipy.sparse.csr", "scipy.sparse._csr"}:
            from scipy.sparse import csr_matrix

            return csr_matrix
        raise UsageError(f"it asks for {module}.{name}, which data has no use for")


def read_pickle(raw: bytes, where: str) -> Any:
    """The object in ``raw``; raises UsageError, headed by ``where``, for anything broken or not plain data."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy on the layout of Python 2's arrays
            found = _Reader(raw).load()
        if hasattr(found, "check_format"):
            found.check_format(full_check=True)  # an index out of range would be written to, when made dense
    except UsageError as error:
        raise UsageError(f"{where} was not read, because it is not plain data: {error}; get the file again") from None
    except Exception as error:  # a broken pickle can fail in any way
        reason = str(error) or type(error).__name__
        raise UsageError(f"{where} is cut off or damaged ({reason}): get the file again") from None
    return found
