"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

PACKED = 4 << 20  # bytes: a larger array is read 15 times faster as it is, and packs to half at best


def write_text(path: Path, text: str) -> None:
    """Replace ``path`` in one step: a reader sees the old text or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: Any) -> None:
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The document, or None where the file is missing or damaged (a folder may vanish at any time)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def half(values: np.ndarray) -> np.ndarray:
    """float16 for storage, large values clipped to what it can hold."""
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Replace an ``.npz`` in one step; its arrays are compressed up to :data:`PACKED`, and stored as they are above."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w") as file:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")
                array = np.asanyarray(array)
                entry.compress_type = zipfile.ZIP_DEFLATED if array.nbytes <= PACKED else zipfile.ZIP_STORED
                with file.open(entry, "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, array, allow_pickle=False)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
