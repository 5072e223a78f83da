"""Which runs this server's workers add something to at this moment."""

from __future__ import annotations

from pathlib import Path

import psutil


def at_work(task: str) -> set[Path]:
    """Folders of the runs for which ``python -m workbench.runs.worker FOLDER task`` is going on."""
    found = set()
    for process in psutil.Process().children():
        try:
            *_, folder, last = ["", "", *process.cmdline()]
            if last == task and process.status() != psutil.STATUS_ZOMBIE:
                found.add(Path(folder))
        except psutil.Error:  # it ended in between
            continue
    return found
