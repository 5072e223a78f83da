"""Following runs that work on their own: progress on stderr until none of them is alive."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.cli.output import duration, say

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.runs.status import Status

POLL_SECONDS = 0.3


def follow(runs: Sequence[Run], names: Sequence[str] | None = None) -> None:
    """Return when every run has ended. A terminal shows bars; a pipe gets one line per change of stage.

    ``names`` stand beside the bars; without them the seeds do.
    """
    if sys.stderr.isatty():
        _follow_with_bars(runs, names or [f"seed {run.document.get('seed', 0)}" for run in runs])
    else:
        _follow_with_lines(runs)


def _follow_with_lines(runs: Sequence[Run]) -> None:
    told: dict[str, tuple[str, str]] = {}
    warned: set[tuple[str, str]] = set()
    while True:
        found = {run.id: run.status for run in runs}
        for name, status in found.items():
            news = (status.state, status.stage if status.alive else "")
            if told.get(name) != news:
                told[name] = news
                say(f"{name}: {headline(status)}")
            for warning in new_warnings(name, status, warned):
                say(warning)
        if not any(status.alive for status in found.values()):
            return
        time.sleep(POLL_SECONDS)


def _follow_with_bars(runs: Sequence[Run], names: Sequence[str]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[news]}")]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = {run.id: progress.add_task(name, total=1, news="") for run, name in zip(runs, names, strict=True)}
        warned: set[tuple[str, str]] = set()
        while True:
            found = {run.id: run.status for run in runs}
            for name, status in found.items():
                total = status.epochs or 1
                done = total if status.state == "done" else status.epoch
                progress.update(bars[name], total=total, completed=done, news=headline(status))
                for warning in new_warnings(name, status, warned):
                    progress.console.print(warning, markup=False, highlight=False)
            if not any(status.alive for status in found.values()):
                return
            time.sleep(POLL_SECONDS)


def headline(status: Status) -> str:
    """How a run is doing, in a few words."""
    if not status.alive:
        return status.state
    words = [status.state if status.state == "queued" else status.stage]
    if status.epochs:
        words.append(f"epoch {status.epoch} of {status.epochs}")
    if status.eta_seconds is not None:
        words.append(f"about {duration(status.eta_seconds)} left")
    return ", ".join(words)


def new_warnings(name: str, status: Status, warned: set[tuple[str, str]]) -> list[str]:
    """What the run has warned of since the last look; ``warned`` remembers it."""
    found = [message for message in status.warnings if (name, message) not in warned]
    warned.update((name, message) for message in found)
    return [f"{name}: warning: {message}" for message in found]
