"""Views of two sides, as they stand on the screen, as Python and as commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.runs.side import Side


def pair_as_python(left: Side, right: Side, view: str, **choices: Any) -> str:
    """``wb.plots.<view>(…)`` of two sides."""
    return views_as_python(left, right, {view: choices})


def views_as_python(left: Side, right: Side, views: Mapping[str, Mapping[str, Any]]) -> str:
    """Several views of the same sides; what is None is left out. A run's own teacher and student need only the run."""
    usual = (left.who, left.epoch, right.who, right.epoch) == ("teacher", None, "student", None)
    if usual and left.run.path == right.run.path:
        lines, sides = [f"run = wb.find_run({left.run.id!r})"], "run"
    else:
        lines, sides = [f"left = {_written(left)}", f"right = {_written(right)}"], "left, right"
    calls = [f"wb.plots.{view}({sides}{_arguments(choices)})" for view, choices in views.items()]
    return "\n".join(["import workbench as wb", "", *lines, *calls])


def pair_as_command(left: Side, right: Side) -> str:
    """What is known about the runs."""
    return "\n".join(f"workbench show {id}" for id in dict.fromkeys((left.run.id, right.run.id)))


def _written(side: Side) -> str:
    epoch = "" if side.epoch is None else f", epoch={side.epoch}"
    return f"wb.Side(wb.find_run({side.run.id!r}), {side.who!r}{epoch})"


def _arguments(choices: Mapping[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in choices.items() if value is not None)
