"""Trained teachers, kept by what they depend on, and shared by every run that needs the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import nn

from workbench.errors import RunError, Stopped
from workbench.runs.files import read_json, write_json, write_text
from workbench.runs.recorder import RunRecorder
from workbench.runs.store import private_folder
from workbench.training.checkpoint import load_tensors

WEIGHTS, RECORD = "teacher.safetensors", "teacher.json"

Make = Callable[[Path], dict[str, Any]]  # trains, writes WEIGHTS into the folder, leaves them in the module


def cached_teacher(recorder: RunRecorder, key: str, data: str, module: nn.Module, make: Make) -> dict[str, Any]:
    """Put the teacher of ``key`` into ``module``, made now where it is not there yet; returns what is known of it.

    ``data`` is the fingerprint of the data: files may have changed under the same name, and the teacher is then
    trained again, with a warning.

    ``info["reused"]`` says whether it was there already, ``hash`` which one it is.
    """
    folder = private_folder(recorder.run.path.parent, "teachers", key)
    with _sole_owner(folder, recorder):
        info = _found(recorder, data, module, folder)
        if info is None:
            info = make(folder) | {"reused": False, "hash": key}
            refer(recorder, folder)
            _keep(recorder, data, info, folder)
    return info


def own_teacher(recorder: RunRecorder, key: str, make: Make) -> dict[str, Any]:
    """Make the teacher of live objects, of which nothing is cached, in the run's own folder; returns what is known."""
    folder = recorder.run.path
    info = make(folder) | {"reused": False, "hash": key}
    refer(recorder, folder)
    return info


def refer(recorder: RunRecorder, folder: Path) -> None:
    """Say in the run folder which weights its teacher has: a cache entry's, or (of live objects) its own."""
    run = recorder.run.path
    place = {"file": WEIGHTS} if folder == run else {"cache": folder.name}
    write_json(run / "teacher", {**place, "sha256": _sha256(folder / WEIGHTS)})


def _found(recorder: RunRecorder, data: str, module: nn.Module, folder: Path) -> dict[str, Any] | None:
    record = read_json(folder / RECORD)
    if not isinstance(record, dict):
        return None
    if not (folder / WEIGHTS).is_file() or _sha256(folder / WEIGHTS) != record.get("sha256"):
        recorder.warn("the cached teacher was damaged (its hash is not the one recorded): it is trained again")
        return None
    if record.get("data", data) != data:
        recorder.warn("the cached teacher was trained on other data of the same name: it is trained again")
        return None
    module.load_state_dict(load_tensors(folder / WEIGHTS).tensors)
    recorder.replay(record["curve"])
    refer(recorder, folder)
    return {**record["info"], "reused": True}


def _keep(recorder: RunRecorder, data: str, info: dict[str, Any], folder: Path) -> None:
    recorder.flush()
    run = recorder.run
    curve = [{key: value for key, value in record.items() if key != "stage"} for record in run.metrics("teacher")]
    write_text(folder / "spec.yaml", (run.path / "spec.yaml").read_text(encoding="utf-8"))
    # Last: an entry without its record does not count.
    write_json(folder / RECORD, {"sha256": _sha256(folder / WEIGHTS), "data": data, "info": info, "curve": curve})


@contextmanager
def _sole_owner(folder: Path, recorder: RunRecorder) -> Iterator[None]:
    """Two runs that need the same teacher at once: one trains it, the other waits (and can be stopped)."""
    lock = FileLock(folder / "lock")
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            recorder.say(stage="waiting for another run to finish training the same teacher")
            if recorder.stop_requested():
                raise Stopped("stopped on request") from None
    try:
        yield
    finally:
        lock.release()


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
