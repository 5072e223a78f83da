"""Arguments of the pure functions that a misspelt word or a zero would turn into another loss."""

from __future__ import annotations

from typing import Any, get_args

from workbench.errors import UsageError, did_you_mean


def check_choice(what: str, value: Any, choices: Any) -> None:
    """Refuse a ``value`` that is not one of a ``Literal``'s; raises UsageError."""
    known = get_args(choices)
    if value not in known:
        names = [str(choice) for choice in known]
        near = did_you_mean(str(value), names)
        raise UsageError(f"unknown {what} {value!r}: {near}choose one of {', '.join(names)}")


def check_positive(what: str, value: float) -> None:
    """Refuse a number that is not above zero; raises UsageError."""
    if not value > 0:
        raise UsageError(f"{what} is {value}: give a number above zero")
