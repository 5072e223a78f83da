"""The process behind a run: ``python -m workbench.runs.worker FOLDER``.

It waits for its device, carries out the spec, and leaves a status that says how it ended. torch is
imported only once the device is free, so a long queue costs little memory.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from workbench.errors import RunError, Stopped, WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.queue import device_slot
from workbench.runs.recorder import RunRecorder


def main(arguments: list[str]) -> int:
    """Run the folder named on the command line; the exit code is 0, or 1 when the run did not finish.

    ``FOLDER umap`` only adds the UMAP to a finished run, ``FOLDER robustness`` its accuracy on disturbed graphs.
    """
    run = Run(Path(arguments[0]).absolute())
    try:
        held = FileLock(run.path / "worker.lock").acquire(timeout=0)
    except Timeout:
        print(f"run {run.id} already has a worker", file=sys.stderr)
        return 1
    with held, RunRecorder(run) as recorder:
        if arguments[1:] == ["umap"]:
            from workbench.runs.execute import try_umap

            try_umap(recorder)
            return 0
        if arguments[1:] == ["robustness"]:
            from workbench.runs.robustness import try_robustness

            try_robustness(recorder)
            return 0
        signal.signal(signal.SIGTERM, _stopper(recorder))
        recorder.say(state="queued", stage="waiting for the device")
        return 1 if carry_out(recorder, lambda: _execute(recorder)) else 0


def _execute(recorder: RunRecorder) -> None:
    with in_turn(recorder):
        recorder.say(state="running", stage="loading torch")
        from workbench.runs.execute import execute

        execute(recorder.run.spec, recorder)


@contextmanager
def in_turn(recorder: RunRecorder) -> Iterator[None]:
    """Wait for the run's device, saying so, and hold it; raises Stopped when asked to while waiting."""
    device = recorder.run.document["device"]

    def waiting(ahead: int) -> None:
        stage = f"waiting for {device}: {ahead} run{'s' if ahead > 1 else ''} before this one"
        if stage != recorder.status.stage:
            recorder.say(state="queued", stage=stage)
        raise_if_stopped()

    def raise_if_stopped() -> None:
        if recorder.stop_requested():
            raise Stopped("stopped before it began")

    with device_slot(recorder.run.path.parent, device, waiting):
        raise_if_stopped()
        recorder.start_clock()
        yield


def carry_out(recorder: RunRecorder, work: Callable[[], object]) -> Exception | None:
    """Do ``work`` and leave a status that says how it ended; returns what went wrong, if anything."""
    try:
        work()
        return None
    except WorkbenchError as error:
        _end(recorder, "stopped" if isinstance(error, Stopped) else "failed", str(error))
        return error
    except KeyboardInterrupt:
        _end(recorder, "stopped", "interrupted; resume it to go on from the last checkpoint")
        raise
    except Exception as error:
        recorder.log(traceback.format_exc())
        _end(recorder, "failed", f"a fault of the workbench: {type(error).__name__}: {error} (see log.txt)")
        return error


def _end(recorder: RunRecorder, state: str, message: str) -> None:
    recorder.log(f"{state}: {message}")
    try:
        recorder.say(state=state, message=message, eta_seconds=None)
    except RunError as error:  # the folder is gone or cannot be written: all that is left is to say so
        print(error, file=sys.stderr)


def _stopper(recorder: RunRecorder) -> Callable[[int, FrameType | None], None]:
    """SIGTERM ends the epoch, stores a checkpoint and stops."""
    return lambda _signal, _frame: recorder.request_stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
