"""Runs that were deleted and can be had back for a while: moved aside, not destroyed."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.errors import UsageError
from workbench.runs.folder import Run
from workbench.runs.store import PRIVATE, private_folder, runs_root

TRASH = "trash"
LOCK = "worker.lock"  # in a run's folder: held by the process that works on it
MOST_RUNS = 20
MOST_SECONDS = 7 * 86400
_AGAIN = re.compile(r"~\d+$")  # of several deleted runs of one id; no id holds the sign


@dataclass(frozen=True)
class Deleted:
    """A run in the trash: its folder there, the id that it had, and when it was deleted (Unix seconds)."""

    path: Path
    id: str
    when: float


def delete(run: Run, root: Path | None = None) -> Deleted:
    """Move the folder of ``run`` into the trash of its root, in one step; :func:`restore` undoes it.

    Whatever lies there longer than a week, or is older than the twenty last deleted runs, is destroyed then. Teachers
    in the cache are left alone: other runs use them. Raises UsageError, with nothing moved, for a run that is going
    on, one that does not lie in the root (an example, say), and where the folder cannot be moved.
    """
    root = root or runs_root()
    _refuse_foreign(run, root)
    _refuse_alive(run)
    try:
        target = _move(run, private_folder(root, TRASH))
    except OSError as error:
        raise UsageError(f"run {run.id} cannot be deleted: {error.strerror or error}") from None
    when = time.time()
    with suppress(OSError):  # it has been moved all the same
        os.utime(target, (when, when))  # a folder in the trash says by its own time since when it is there
    _empty(root, target)
    return Deleted(target, run.id, when)


def restore(name: str, root: Path | None = None) -> Run:
    """Put the deleted run whose folder in the trash is called ``name`` back, under the id that it had.

    Raises UsageError where it is not there any more, and where another run has its id by now.
    """
    root = root or runs_root()
    found = next((each for each in deleted_runs(root) if each.path.name == name), None)
    if found is None:
        raise UsageError(f"there is no deleted run {name!r} any more: it was put back, or the trash was emptied")
    target = root / found.id
    if os.path.lexists(target):
        raise UsageError(f"there is a run {found.id} again: delete it before the older one is put back")
    try:
        os.rename(found.path, target)
    except OSError as error:
        raise UsageError(f"run {found.id} cannot be put back: {error.strerror or error}") from None
    return Run(target)


def deleted_runs(root: Path | None = None) -> list[Deleted]:
    """What lies in the trash, the last deleted one first. Nothing is created here."""
    found = []
    try:
        with os.scandir((root or runs_root()) / PRIVATE / TRASH) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    when = entry.stat(follow_symlinks=False).st_mtime
                    found.append(Deleted(Path(entry.path), _AGAIN.sub("", entry.name), when))
    except OSError:  # there is no trash yet, or somebody emptied it just now
        return []
    return sorted(found, key=lambda each: each.when, reverse=True)


def _refuse_foreign(run: Run, root: Path) -> None:
    folder = run.path
    inside = folder.parent.resolve() == root.resolve() and not folder.name.startswith(".")
    if not inside or folder.is_symlink():
        raise UsageError(f"run {run.id} does not lie in {root}: an example, or another root's run, is not deleted here")
    if not folder.is_dir():
        raise UsageError(f"run {run.id} is gone already")


def _refuse_alive(run: Run) -> None:
    status = Run(run.path).status  # as it is now: what the caller has may have been read a while ago
    if status.alive:
        raise UsageError(f"run {run.id} is {status.state}: stop it before it is deleted")


def _move(run: Run, bin: Path) -> Path:
    """Move the folder of a run that nobody works on into ``bin``; returns its place there.

    A worker needs the lock that is held from the look at its status until it is moved, so none begins meanwhile.
    """
    path = run.path / LOCK
    before = path.exists()
    lock = FileLock(path)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"something is still computed for run {run.id} (its UMAP, say): wait for it") from None
    with held:
        if not before and os.listdir(run.path) == [LOCK]:  # a lock makes the folder that it is to lie in
            shutil.rmtree(run.path)
            raise UsageError(f"run {run.id} is gone already")
        _refuse_alive(run)
        target = _free(bin, run.id)
        if os.name == "nt":
            lock.release()  # Windows moves no folder in which a file is open
        os.rename(run.path, target)
        if not before:
            (target / LOCK).unlink(missing_ok=True)  # a run comes back as it was
        return target


def _free(bin: Path, id: str) -> Path:
    """A place in the trash for a run; one of the same id may lie there already."""
    target, number = bin / id, 1
    while os.path.lexists(target):
        number += 1
        target = bin / f"{id}~{number}"
    return target


def _empty(root: Path, kept: Path) -> None:
    """Destroy what is too old, and the oldest of what is too many; never ``kept``, which was deleted last."""
    now = time.time()
    others = [each for each in deleted_runs(root) if each.path != kept]
    for number, each in enumerate(others, start=1):
        if number >= MOST_RUNS or now - each.when > MOST_SECONDS:
            shutil.rmtree(each.path, ignore_errors=True)
