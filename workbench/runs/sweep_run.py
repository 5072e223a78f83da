"""One run of a sweep, in the process that calls: a slot of this machine, or a task of a Ray cluster."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout

from workbench.errors import Stopped
from workbench.runs.claim import claim
from workbench.runs.files import write_text
from workbench.runs.folder import Run
from workbench.runs.recorder import RunRecorder
from workbench.runs.status import HOST, Status
from workbench.runs.worker import carry_out, in_turn

if TYPE_CHECKING:
    from workbench.spec import Spec

Word = Literal["ended", "elsewhere"]  # how it ended is in its folder


def work_on(spec: Spec, root: Path, turns: bool = False, began: Callable[[RunRecorder], None] | None = None) -> Word:
    """Carry ``spec`` out in its run folder, from its checkpoint where there is one, unless another process does.

    ``spec`` is settled (see :func:`workbench.runs.preflight.settle`). A finished run is left alone. With ``turns`` it
    waits in the queue of its device; otherwise it shares the device with whatever runs there. ``began`` is given the
    recorder, by which the run can be asked to stop. As in a worker of its own, what the run prints goes to ``log.txt``
    and SIGTERM alone ends nothing: who stops a run leaves the file ``stop`` beside it.
    """
    waiting = Status(device=spec.device, created=time.time(), host=HOST).of_this_process(in_process=False)
    run, made = claim(spec, root, waiting)
    if not made:
        status = run.status
        if status.state == "done" or status.alive:
            return "elsewhere" if status.alive else "ended"
    try:
        held = FileLock(run.path / "worker.lock").acquire(timeout=0)
    except Timeout:
        return "elsewhere"
    with held:
        run = Run(run.path)
        if run.status.state == "done":  # since the first look
            return "ended"
        if not made:
            (run.path / "stop").unlink(missing_ok=True)
            write_text(run.path / "spec.yaml", spec.to_yaml())  # it may be what was damaged
        _forget_peak_memory()
        with RunRecorder(Run(run.path)) as recorder, _printing_to(run.path / "log.txt"), _sigterm_ignored():
            recorder.say(state="queued", stage="starting")
            if began is not None:
                began(recorder)
            carry_out(recorder, lambda: _execute(spec, recorder, turns))
    _tidy_up()
    return "ended"


def _execute(spec: Spec, recorder: RunRecorder, turns: bool) -> None:
    from workbench.runs.execute import execute
    from workbench.training.random_state import surroundings_kept

    with in_turn(recorder) if turns else _at_once(recorder), surroundings_kept():
        execute(spec, recorder)


@contextmanager
def _at_once(recorder: RunRecorder) -> Iterator[None]:
    if recorder.stop_requested():
        raise Stopped("stopped before it began")
    recorder.start_clock()
    yield


@contextmanager
def _printing_to(path: Path) -> Iterator[None]:
    """Send stdout and stderr, those of compiled code too, to the end of a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    try:
        with path.open("ab") as log:
            for number in (1, 2):
                os.dup2(log.fileno(), number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, old in zip((1, 2), kept, strict=True):
            os.dup2(old, number)
            os.close(old)


@contextmanager
def _sigterm_ignored() -> Iterator[None]:
    """The signal may come late, when the process has begun with another run; the file ``stop`` says which is meant."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda _signal, _frame: None)  # SIG_IGN would be inherited by children
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _forget_peak_memory() -> None:
    """The peak of a process counts from here, where the system can do that (Linux): runs before are not this one's."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _tidy_up() -> None:
    """Give back what the run held: the next one may be larger."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
