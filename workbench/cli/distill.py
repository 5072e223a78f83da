"""``workbench distill``: one detached run per seed, followed until all have ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from workbench.cli.follow import follow
from workbench.cli.output import print_json, say
from workbench.cli.results import print_report, report, say_failures
from workbench.runs.download_bar import DownloadBar

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.spec import Spec

INTERRUPTED = 130  # what shells expect after Ctrl-C


def start(specs: Sequence[Spec], fresh: bool, root: Path | None) -> list[Run]:
    """Launch what is not running or finished already, and say which is which."""
    from workbench.cli.roots import require_writable
    from workbench.runs.launch import launch
    from workbench.runs.store import RUNS_ROOT, runs_root

    require_writable(root or runs_root(), RUNS_ROOT)
    runs: list[Run] = []
    notes: dict[str, None] = {}
    for spec in specs:
        try:
            with DownloadBar() as progress:
                launched = launch(spec, root=root, fresh=fresh, progress=progress)
        except KeyboardInterrupt:
            say_how_to_stop(runs)
            raise typer.Exit(INTERRUPTED) from None
        runs.append(launched.run)
        notes |= dict.fromkeys(launched.notes)
        if launched.status == "running":
            say(f"{launched.run.id}: already running, following it")
        elif launched.status == "finished":
            say(f"{launched.run.id}: finished before, its result is shown (--fresh runs it again)")
        elif launched.status == "resumed":
            say(f"{launched.run.id}: goes on from its checkpoint")
    for note in notes:
        say(note)
    return runs


def follow_and_report(runs: Sequence[Run], as_json: bool) -> int:
    """Follow the runs, print their results, and return the exit code."""
    try:
        follow(runs)
    except KeyboardInterrupt:
        say_how_to_stop(runs)
        return INTERRUPTED
    show_report(report(runs), as_json)
    return 0 if say_failures(runs) else 1


def say_how_to_stop(runs: Sequence[Run]) -> None:
    """After Ctrl-C: what was started works on its own."""
    if runs:
        say("\nthe runs go on without this window: `workbench runs` lists them,")
        say("and these commands stop them:\n" + "\n".join(f"  workbench stop {run.id}" for run in runs))


def detach(runs: Sequence[Run], as_json: bool) -> None:
    """Name the runs that work on their own now."""
    if as_json:
        return print_json(report(runs))
    for run in runs:
        say(f"{run.id}: {run.status.state}")
    say("`workbench runs` shows how they are doing, `workbench stop RUN` stops one")


def show_report(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        print_report(document)
