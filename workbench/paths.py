"""Paths as a person wrote them."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.errors import UsageError


def expanded(path: str | os.PathLike[str]) -> Path:
    """``path`` with a leading ``~`` or ``~name`` replaced by that home folder; UsageError where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        home = Path(path).parts[0]
        raise UsageError(f"{path} cannot be found: {home} has no home folder here; write the path in full") from None
