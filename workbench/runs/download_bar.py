"""How far a download has come, on stderr: a bar on a terminal, a line per 10 % in a pipe."""

from __future__ import annotations

import math
import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class DownloadBar:
    """The ``progress`` of everything that may have to download: called with what is happening and the share done.

    Nothing is shown before the first call, so that what is on disk already is read in silence. Use as a
    context manager: at its end the bar stays as it is, and other output may follow.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tenths = -1  # told so far in a pipe

    def __enter__(self) -> DownloadBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, share: float) -> None:
        """``what`` is happening, and ``share`` (0..1) of it is done."""
        if sys.stderr.isatty():
            self._draw(what, share)
        else:
            self._tell(what, share)

    def _draw(self, what: str, share: float) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
            self._bar.add_task(what, total=1.0)
        self._bar.update(self._bar.task_ids[0], description=what, completed=share)

    def _tell(self, what: str, share: float) -> None:
        tenths = math.floor(10 * share + 1e-9)  # 3/10 is a little less than three tenths
        if tenths > self._tenths:
            self._tenths = tenths
            print(f"{what}: {10 * tenths} %", file=sys.stderr, flush=True)
