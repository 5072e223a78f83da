"""The two folders that the workbench reads and writes, and whether it may write there."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.errors import UsageError


def is_writable(folder: Path) -> bool:
    """Whether files could be made below ``folder``, which need not exist; nothing is created to find out."""
    nearest = folder
    while not os.path.exists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)


def require_writable(folder: Path, variable: str) -> None:
    """Raises UsageError for a folder in which nothing can be written, before anything was started."""
    if not is_writable(folder):
        raise UsageError(f"cannot write below {folder}: set {variable} to a folder that you may write to")
