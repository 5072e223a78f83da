"""A slot of a sweep: ``python -m workbench.runs.sweep_slot ROOT [turns]``, one run after another in one process.

Orders come on stdin, one JSON line each: ``{"id": …, "spec": …}``; every one is answered on stdout with ``{"id": …,
"word": …}``. torch is imported once. When stdin ends – the sweep is over, was stopped, or has died – the run that is
going on stores a checkpoint after its epoch and stops, and the slot leaves.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.runs.recorder import RunRecorder


class Orders:
    """What came on stdin, and whether it has ended."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._recorder: RunRecorder | None = None
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """The next order, or None when there will be none."""
        self._recorder = None
        line = None if self._ended.is_set() else self._lines.get()
        return None if line is None or self._ended.is_set() else json.loads(line)

    def began(self, recorder: RunRecorder) -> None:
        """This run is to be stopped when the orders end."""
        self._recorder = recorder
        if self._ended.is_set():
            recorder.request_stop()

    def _listen(self) -> None:
        for line in self._stream:
            self._lines.put(line)
        self._ended.set()
        self._lines.put(None)
        if (recorder := self._recorder) is not None:
            recorder.request_stop()


def main(arguments: list[str]) -> int:
    """Work until the orders end; the exit code is 0."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the sweep, which then ends the orders
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)  # meant a run that has just ended: see work_on
    root, turns = Path(arguments[0]), "turns" in arguments[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # stdout itself belongs to the runs
    os.dup2(2, 1)
    orders = Orders(sys.stdin)
    while (order := orders.next()) is not None:
        answer = {"id": order["id"], "word": _obey(order, root, turns, orders)}
        try:
            print(json.dumps(answer), file=answers, flush=True)
        except BrokenPipeError:  # the sweep has died meanwhile
            os._exit(0)
    return 0


def _obey(order: dict[str, Any], root: Path, turns: bool, orders: Orders) -> str:
    from workbench.runs.sweep_run import work_on
    from workbench.spec import Spec

    try:
        return work_on(Spec.from_yaml(order["spec"]), root, turns, orders.began)
    except Exception as error:  # the run folder cannot be written, say; the next run may fare better
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
