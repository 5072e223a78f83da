"""One run at a time per device, first come first served, across all processes on a runs root.

A waiting process leaves a ticket, a small file named after the time. It may start when the tickets
before its own belong to processes that are gone or finished, and the lock of the device is free.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from workbench.runs.files import read_json, write_json
from workbench.runs.store import private_folder

POLL_SECONDS = 0.2


@contextmanager
def device_slot(root: Path, device: str, waiting: Callable[[int], None]) -> Iterator[None]:
    """Hold the slot of ``device`` (``cpu``, ``cuda:0`` …) until the block ends.

    ``waiting`` is called at every look with the number of runs ahead; it may raise to give up.
    """
    folder = private_folder(root, "queue", device.replace(":", "-"))
    ticket = folder / f"{time.time_ns():020d}-{os.getpid()}.json"
    write_json(ticket, {"pid": os.getpid(), "started": psutil.Process().create_time()})
    lock = FileLock(folder / "slot.lock")
    try:
        while not _take(lock, ahead := _ahead(folder, ticket)):
            waiting(max(ahead, 1))
            time.sleep(POLL_SECONDS)
        yield
    finally:
        ticket.unlink(missing_ok=True)
        lock.release()


def _take(lock: FileLock, ahead: int) -> bool:
    if ahead:
        return False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _ahead(folder: Path, ticket: Path) -> int:
    """How many living processes drew a ticket before this one; tickets of dead ones are swept away."""
    count = 0
    for other in sorted(folder.glob("[!.]*.json")):
        if other.name >= ticket.name:
            break
        if _alive(other):
            count += 1
        else:
            other.unlink(missing_ok=True)
    return count


def _alive(ticket: Path) -> bool:
    owner = read_json(ticket)
    if not isinstance(owner, dict):
        return False
    try:
        process = psutil.Process(owner["pid"])
        return abs(process.create_time() - owner["started"]) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, KeyError, TypeError):
        return False
