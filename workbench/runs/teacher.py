"""The teacher of a run: taken from the content-addressed cache, or trained once and put there.

No gradient ever reaches a teacher: its output is computed without gradients, and no optimiser of a
student's training knows its parameters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from torch import nn

from workbench.errors import RunError, Stopped
from workbench.runs.files import read_json, write_json, write_text
from workbench.runs.live import with_encode
from workbench.runs.recorder import RunRecorder
from workbench.runs.store import private_folder
from workbench.runs.teacher_control import keep_untrained, labels_still_true, permuted_labels
from workbench.runs.trained import Job, Trained, measure, suited, train
from workbench.training.checkpoint import load_tensors
from workbench.training.distiller import Distiller
from workbench.training.loop import encode
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data

WEIGHTS, RECORD = "teacher.safetensors", "teacher.json"


def obtain_teacher(job: Job) -> Trained:
    """The teacher of a run; ``info["reused"]`` says whether it was there already, ``hash`` which one it is.

    A teacher that is a control (see :mod:`workbench.runs.teacher_control`) has ``info["control"]``; of a
    ``shuffled`` one the metrics on training and validation nodes are against the labels that it was given, and
    ``info["labels_still_true"]`` holds the shares of them that are true by chance.
    """
    spec, live = job.spec, job.live
    seed_everything(spec.seed, spec.teacher_training.deterministic)
    if live.teacher is not None and not live.train_teacher:
        module = with_encode(live.teacher).to(job.batch.x.device)
        info = {"best_epoch": None, "epochs": 0, "seconds": 0.0, "reused": True, "hash": spec.teacher_id}
        return measure(job, "teacher", module, job.batch, spec.teacher_training, info)
    module = (
        with_encode(live.teacher)
        if live.teacher is not None
        else spec.teacher.build(job.batch.num_features, job.classes)
    )
    module = module.to(job.batch.x.device)
    batch = suited(module, job.batch)
    if live.data is not None or live.teacher is not None:  # nothing of a live object is cached
        return _make(job, module, batch, job.recorder.run.path)
    folder = private_folder(job.recorder.run.path.parent, "teachers", cache_key(job))
    with _sole_owner(folder, job.recorder):
        found = _from_cache(job, module, batch, folder)
        if found is None:
            found = _make(job, module, batch, folder)
            _to_cache(job, found, folder)
    return found


def cache_key(job: Job) -> str:
    """What the teacher depends on: dataset, architecture, training, control, seed, and the kind of device."""
    return f"{job.spec.teacher_id}-{job.batch.x.device.type}"


def _make(job: Job, module: nn.Module, batch: Data, folder: Path) -> Trained:
    """Train the teacher, or do with it what the spec's control wants; its weights go into ``folder``."""
    control = job.spec.teacher_control
    taught = permuted_labels(batch, job.spec.seed) if control == "shuffled" else batch
    if control == "untrained":
        made = keep_untrained(job, module, batch, folder / WEIGHTS)
    else:
        distiller = Distiller(module, None, job.task)
        made = train(job, "teacher", distiller, taught, None, job.spec.teacher_training, folder / WEIGHTS)
    made.info |= {"reused": False, "hash": cache_key(job)}
    if control != "none":
        made.info["control"] = control
    if control == "shuffled":
        made.info["labels_still_true"] = labels_still_true(batch, taught)
    _refer(job, folder)
    return made


def _from_cache(job: Job, module: nn.Module, batch: Data, folder: Path) -> Trained | None:
    record = read_json(folder / RECORD)
    if not isinstance(record, dict):
        return None
    if not (folder / WEIGHTS).is_file() or _sha256(folder / WEIGHTS) != record.get("sha256"):
        job.recorder.warn("the cached teacher was damaged (its hash is not the one recorded): it is trained again")
        return None
    module.load_state_dict(load_tensors(folder / WEIGHTS).tensors)
    job.recorder.replay(record["curve"])
    _refer(job, folder)
    output = encode(module, batch, job.spec.teacher_training)
    return Trained(module, output, {**record["info"], "reused": True})


def _to_cache(job: Job, trained: Trained, folder: Path) -> None:
    job.recorder.flush()
    run = job.recorder.run
    curve = [{key: value for key, value in record.items() if key != "stage"} for record in run.metrics("teacher")]
    write_text(folder / "spec.yaml", (run.path / "spec.yaml").read_text(encoding="utf-8"))
    # Last: an entry without its record does not count.
    write_json(folder / RECORD, {"sha256": _sha256(folder / WEIGHTS), "info": trained.info, "curve": curve})


def _refer(job: Job, folder: Path) -> None:
    """Say in the run folder which weights its teacher has: a cache entry's, or (of live objects) its own."""
    run = job.recorder.run.path
    place = {"file": WEIGHTS} if folder == run else {"cache": folder.name}
    write_json(run / "teacher", {**place, "sha256": _sha256(folder / WEIGHTS)})


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
