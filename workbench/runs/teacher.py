"""The teacher of a run: taken from the content-addressed cache, or trained once and put there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from torch import nn

from workbench.errors import RunError, Stopped
from workbench.runs.files import read_json, write_json, write_text
from workbench.runs.live import Live, with_encode
from workbench.runs.recorder import RunRecorder
from workbench.runs.store import private_folder
from workbench.runs.trained import Trained, freeze, judge, measure, suited
from workbench.training.checkpoint import Checkpoint, load_tensors, save_tensors
from workbench.training.distiller import Distiller
from workbench.training.loop import encode, fit
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Spec
    from workbench.tasks import NodeClassification

WEIGHTS, RECORD = "teacher.safetensors", "teacher.json"


def obtain_teacher(
    spec: Spec,
    data: Data,
    classes: int,
    task: NodeClassification,
    recorder: RunRecorder,
    checkpoint: Checkpoint | None,
    live: Live,
) -> Trained:
    """The frozen, trained teacher of ``spec``, with ``info["reused"]`` saying whether it was there already."""
    seed_everything(spec.seed, spec.teacher_training.deterministic)
    if live.teacher is not None:
        return _live_teacher(spec, data, task, recorder, live)
    module = spec.teacher.build(data.num_features, classes).to(data.x.device)
    data = suited(module, data)
    if live.data is not None:  # nothing of a live object is cached
        return _train(spec, module, data, task, recorder, None)
    folder = private_folder(recorder.run.path.parent, "teachers", cache_key(spec, data))
    with _sole_owner(folder, recorder):
        found = _from_cache(spec, module, folder, data, recorder)
        if found is None:
            found = _train(spec, module, data, task, recorder, checkpoint)
            _to_cache(found, folder, recorder)
    write_json(recorder.run.path / "teacher", {"cache": folder.name, "sha256": _sha256(folder / WEIGHTS)})
    found.info["hash"] = folder.name
    return found


def cache_key(spec: Spec, data: Data) -> str:
    """What the trained teacher depends on: dataset, architecture, training, seed, and the kind of device."""
    return f"{spec.teacher_id}-{data.x.device.type}"


def _train(
    spec: Spec,
    module: nn.Module,
    data: Data,
    task: NodeClassification,
    recorder: RunRecorder,
    checkpoint: Checkpoint | None,
) -> Trained:
    resumed_at = checkpoint.header["epoch"] if checkpoint else 0
    recorder.begin("teacher", "training the teacher", spec.teacher_training.epochs, resumed_at)
    fitted = fit(Distiller(module, None, task), data, None, spec.teacher_training, recorder, checkpoint)
    trained = judge(spec.teacher.name, module, fitted, data, task, spec.teacher_training)
    trained.info["reused"] = False
    freeze(module)
    return trained


def _live_teacher(spec: Spec, data: Data, task: NodeClassification, recorder: RunRecorder, live: Live) -> Trained:
    module = with_encode(live.teacher).to(data.x.device)  # type: ignore[arg-type]
    if live.train_teacher:
        trained = _train(spec, module, data, task, recorder, None)
    else:
        trained = measure(spec.teacher.name, module, data, task, spec.teacher_training, {"reused": True})
        trained.info |= {"best_epoch": None, "epochs": 0, "seconds": 0.0}
        freeze(module)
    trained.info["hash"] = spec.teacher_id
    return trained


def _from_cache(spec: Spec, module: nn.Module, folder: Path, data: Data, recorder: RunRecorder) -> Trained | None:
    record = read_json(folder / RECORD)
    if not isinstance(record, dict):
        return None
    if not (folder / WEIGHTS).is_file() or _sha256(folder / WEIGHTS) != record.get("sha256"):
        recorder.warn("the cached teacher was damaged (its hash is not the one recorded): it is trained again")
        return None
    module.load_state_dict(load_tensors(folder / WEIGHTS).tensors)
    recorder.replay(record["curve"])
    freeze(module)
    info: dict[str, Any] = {**record["info"], "reused": True}
    return Trained(module, encode(module, data, spec.teacher_training), info)


def _to_cache(trained: Trained, folder: Path, recorder: RunRecorder) -> None:
    save_tensors(folder / WEIGHTS, trained.module.state_dict())
    recorder.flush()
    record = {
        "sha256": _sha256(folder / WEIGHTS),
        "info": trained.info,
        "curve": [
            {key: value for key, value in record.items() if key != "stage"}
            for record in recorder.run.metrics("teacher")
        ],
    }
    write_text(folder / "spec.yaml", recorder.run.path.joinpath("spec.yaml").read_text(encoding="utf-8"))
    write_json(folder / RECORD, record)  # last: an entry without its record does not count


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
