"""Start, stop and resume runs as detached processes that outlive whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from workbench.errors import RunError, UsageError
from workbench.runs.files import write_text
from workbench.runs.folder import Run
from workbench.runs.status import HOST, Status, process_is_there, read_status, write_status
from workbench.runs.store import runs_root

if TYPE_CHECKING:
    from workbench.datasets.base import Progress
    from workbench.spec import Spec

STOP_SECONDS = 10.0  # for the epoch to end and the checkpoint to be written; then the process group is killed


@dataclass
class Launch:
    """What became of a launch. ``notes`` are for the person (a student larger than its teacher, say)."""

    run: Run
    status: Literal["started", "resumed", "running", "finished"]
    notes: list[str] = field(default_factory=list)


def launch(spec: Spec, root: Path | None = None, fresh: bool = False, progress: Progress | None = None) -> Launch:
    """Start ``spec`` in a process of its own, queued behind earlier runs on its device.

    The same spec is never started twice: a finished run is handed back (unless ``fresh``), a living one
    too; a failed, stopped or lost one goes on from its checkpoint.
    Raises UsageError, with nothing written, for anything that cannot work.
    """
    from workbench.runs.claim import claim
    from workbench.runs.preflight import preflight, settle

    spec = settle(spec)
    notes = preflight(spec, progress)
    now = time.time()
    run, made = claim(spec, root or runs_root(), Status(device=spec.device, created=now, host=HOST), fresh)
    if made:
        start_worker(run)
        return Launch(run, "started", notes)
    state = run.status.state
    if state == "done":
        notes += _other_lens(spec, run)
        if spec.umap and "umap" not in run.array_names():
            start_worker(run, "umap")
            notes.append("its UMAP is being computed now")
        return Launch(run, "finished", notes)
    if state in ("queued", "running"):
        return Launch(run, "running", notes)
    write_text(run.path / "spec.yaml", spec.to_yaml())  # it may be what was damaged
    resume(Run(run.path))
    return Launch(run, "resumed", notes)


def _other_lens(spec: Spec, run: Run) -> list[str]:
    """Says where a finished run was looked at otherwise than is wanted now, which leaves its id the same."""
    try:
        recorded = (run.document.get("training") or {}).get("lens_every", 0)  # runs of earlier versions had no lens
    except RunError:  # its spec is damaged; its result is there
        return []
    same = recorded == spec.training.lens_every
    return [] if same else [f"recorded with lens_every={recorded}; --fresh looks again"]


def resume(run: Run) -> None:
    """Go on with a failed, stopped or lost run from its last checkpoint. Raises UsageError where that cannot be."""
    status = run.status
    if status.alive:
        raise UsageError(f"run {run.id} is {status.state}: there is nothing to resume")
    if status.state == "done":
        raise UsageError(f"run {run.id} is finished: launch its spec with fresh to do it again")
    if _has_live_parts(run):
        raise UsageError(
            f"run {run.id} was made from live Python objects, which no other process has: "
            f"call wb.distill with them again"
        )
    (run.path / "stop").unlink(missing_ok=True)
    waiting = replace(status, state="queued", stage="starting", message="", pid=0, host=HOST, in_process=False)
    write_status(run.path, waiting)
    start_worker(run)


def stop(run: Run, wait: float = STOP_SECONDS) -> None:
    """Stop a run, with every process it started; it keeps its checkpoint and can be resumed.

    Raises UsageError for a run that is not going on.
    """
    status = run.status
    if not status.alive:
        raise UsageError(f"run {run.id} is {status.state}: there is nothing to stop")
    (run.path / "stop").touch()
    if status.in_process or status.host not in ("", HOST):
        return  # its own loop sees the file; a group signal would hit someone's notebook
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        status = read_status(run.path)
        if not status.alive:
            break
        _signal_group(status, signal.SIGTERM)
        time.sleep(0.1)
    else:
        _signal_group(status, getattr(signal, "SIGKILL", signal.SIGTERM))
    if read_status(run.path).state in ("queued", "running", "lost"):
        write_status(run.path, replace(status, state="stopped", message="stopped on request", eta_seconds=None))


def start_worker(run: Run, *task: str) -> None:
    """Start the detached process of ``run``: its own session, no terminal, output to ``log.txt``."""
    with (run.path / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.runs.worker", str(run.path), *task],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=worker_environment(),
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie stays when it ends


def worker_environment() -> dict[str, str]:
    """The environment of a worker; what torch reads from it, it reads when it is imported."""
    # A fresh buffer of some megabytes costs a page fault every 4 KiB; in huge pages (Linux) hardly any, for the same
    # memory. To keep freed buffers instead, by malloc's thresholds, gains more, and takes up to twice the memory.
    return {"THP_MEM_ALLOC_ENABLE": "1", **os.environ, "PYTHONUNBUFFERED": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def _has_live_parts(run: Run) -> bool:
    return any(run.document[part]["name"] == "live" for part in ("dataset", "teacher", "student"))


def _signal_group(status: Status, number: int) -> None:
    """Signal every process of the run's session; nothing when its process is gone or not its own leader."""
    if not status.pid or not process_is_there(status):
        return
    try:
        if hasattr(os, "killpg") and os.getpgid(status.pid) == status.pid:
            os.killpg(status.pid, number)
        else:
            psutil.Process(status.pid).terminate()
    except (OSError, psutil.Error):
        return  # it ended in between
