"""The two ways in which something can go wrong for a person, and nothing else.

Both carry a message that says what was wrong, what was expected and what to do. The doors
(command line, app, notebooks) show the message; only a fault of the workbench itself shows a
traceback.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any


class WorkbenchError(Exception):
    """A problem that a person can mend. ``exit_code`` is what the command line returns."""

    exit_code = 1


class UsageError(WorkbenchError, ValueError):
    """Wrong usage or a wrong spec: nothing was started and nothing was written."""

    exit_code = 2


class RunError(WorkbenchError, RuntimeError):
    """A run that was started could not be finished."""

    exit_code = 1


class Stopped(WorkbenchError):  # noqa: N818 - it is news, not an error
    """Someone asked the run to stop."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"did you mean 'gcn'? "`` when a known name is near, otherwise an empty string."""
    near = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}? " if near else ""


def check_choice(what: str, value: Any, known: Collection[str]) -> None:
    """Raises UsageError for a ``value`` that is none of those ``known``, and names these."""
    if not isinstance(value, str) or value not in known:
        raise UsageError(f"unknown {what} {value!r}: {did_you_mean(str(value), known)}choose one of {', '.join(known)}")
