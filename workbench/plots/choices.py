"""A choice of a view, held against those that there are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workbench.errors import UsageError, did_you_mean


def check_choice(what: str, value: Any, known: Collection[str]) -> None:
    """Raises UsageError for a ``value`` that is none of those ``known``, and names these."""
    if not isinstance(value, str) or value not in known:
        raise UsageError(f"unknown {what} {value!r}: {did_you_mean(str(value), known)}choose one of {', '.join(known)}")
