"""Datasets whose files a person brings: nothing is downloaded, and what is missing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import DATA_ROOT, DatasetConfig
from workbench.errors import UsageError


class GivenFilesConfig(DatasetConfig):
    """``files`` are the paths below the data root that have to be there."""

    files: ClassVar[tuple[str, ...]]

    def is_ready(self, root: Path) -> bool:
        return all((root / name).is_file() for name in self.files)

    def wanted(self, root: Path) -> str:
        missing = [name for name in self.files if not (root / name).is_file()]
        return f"put {', '.join(missing)} below the data root, or set {DATA_ROOT} to a folder that has them"

    def require(self, root: Path) -> None:
        """Raise UsageError where a file is missing."""
        if not self.is_ready(root):
            raise UsageError(f"dataset {self.name!r} is missing: {self.wanted(root)}. Nothing is downloaded.")


def read_table(path: Path, columns: int, kind: Any = np.int64) -> NDArray[Any]:
    """Numbers separated by commas, one row a line, of a plain file or one that is packed by gzip: (n, columns).

    Raises UsageError for anything else.
    """
    expected = f"expected {columns} number{'s' if columns > 1 else ''} in a line, separated by commas"
    try:
        found: NDArray[Any] = np.loadtxt(path, delimiter=",", dtype=kind, ndmin=2)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path} cannot be read ({error}): {expected}") from None
    if found.shape[1] != columns:
        raise UsageError(f"{path} has {found.shape[1]} numbers in a line: {expected}")
    return found


def read_npz(path: Path, keys: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The arrays ``keys`` of an npz file; raises UsageError where it has not all of them or is no such file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in keys if key not in archive.files]
            if missing:
                raise UsageError(f"{path} has no {' and no '.join(missing)}: expected {', '.join(keys)}")
            return {key: archive[key] for key in keys}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise UsageError(f"{path} cannot be read ({error}): expected an npz file with {', '.join(keys)}") from None
