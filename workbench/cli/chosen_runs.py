"""The runs that a command is about: those that are named, or with ``--all`` every finished one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.runs.folder import Run

RunNames = Annotated[
    list[str] | None, typer.Argument(metavar="RUN", help="Ids of runs, or parts that only one id has.")
]
All = Annotated[bool, typer.Option("--all", help="Every finished run instead.")]


def chosen_runs(names: Sequence[str] | None, every: bool, root: Path | None) -> list[Run]:
    """The runs called ``names``, each once, or every finished one.

    Raises UsageError for neither and for both, for a name that no run has, and where no run is finished.
    """
    from workbench.runs.store import find_run, list_runs

    if bool(names) == every:
        raise UsageError("name the runs, or give --all for every finished one; `workbench runs` lists them")
    if names:
        return list({run.id: run for run in (find_run(name, root) for name in names)}.values())
    found = [run for run in list_runs(root) if run.status.state == "done"]
    if not found:
        raise UsageError("no run is finished yet: `workbench distill builtin-karate` makes one in a few seconds")
    return found
