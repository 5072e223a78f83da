"""One run from its spec to its result: load, teacher, student, test, pictures."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import torch

from workbench.datasets.base import data_root
from workbench.datasets.load import load_dataset
from workbench.datasets.measure import fingerprint
from workbench.datasets.measure import measure as measure_dataset
from workbench.errors import RunError
from workbench.methods.base import Widths
from workbench.runs.environment import commit, peak_memory, versions
from workbench.runs.files import write_json
from workbench.runs.live import Live, with_encode
from workbench.runs.pictures import add_umap, store_pictures
from workbench.runs.recorder import RunRecorder
from workbench.runs.teacher import obtain_teacher
from workbench.runs.trained import Trained, is_finite, judge, suited
from workbench.tasks import NodeClassification
from workbench.training.checkpoint import Checkpoint, load_tensors, save_tensors
from workbench.training.device import device_name, memory_advice, resolve_device
from workbench.training.distiller import Distiller
from workbench.training.loop import encode, fit
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Spec


def execute(spec: Spec, recorder: RunRecorder, live: Live | None = None) -> dict[str, Any]:
    """Carry out ``spec`` in this process and write its folder; returns the result.

    A checkpoint in the folder is gone on from. Raises UsageError, RunError or Stopped.
    """
    started = time.time()
    live = live or Live()
    device = resolve_device(spec.device)
    recorder.say(state="running", stage="loading the graph", device=str(device))
    data, facts = _graph(spec, live, recorder)
    task = NodeClassification()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with memory_advice(device):
        batch = copy.copy(data).to(device)  # `to` changes its object, and the loaded graph is shared
        checkpoint = _checkpoint(recorder)
        of_teacher = checkpoint if checkpoint and checkpoint.header["stage"] == "teacher" else None
        teacher = obtain_teacher(spec, batch, facts["classes"], task, recorder, of_teacher, live)
        if not is_finite(teacher.output):
            raise RunError("the teacher's output is not finite: train it with a lower learning rate")
        of_student = checkpoint if checkpoint and checkpoint.header["stage"] == "student" else None
        student = _student(spec, batch, facts["classes"], task, teacher, recorder, of_student, live)
    recorder.say(stage="storing embeddings")
    store_pictures(data, teacher.output, student.output, recorder.run)
    if spec.umap:
        recorder.say(stage="computing UMAP")
        add_umap(recorder.run)
    result = {
        "teacher": teacher.info,
        "student": student.info,
        "compression": round(teacher.info["parameters"] / max(student.info["parameters"], 1), 3),
        "seconds": round(time.time() - started, 3),
        "device": {"type": device.type, "index": device.index or 0, "name": device_name(device)},
        "precision": spec.training.precision,
        "peak_memory_bytes": peak_memory(device),
        "dataset": facts,
        "versions": versions(),
        "commit": commit(),
        "warnings": list(recorder.status.warnings),
    }
    write_json(recorder.run.path / "result.json", result)
    (recorder.run.path / "checkpoint.safetensors").unlink(missing_ok=True)
    recorder.say(state="done", stage="finished", eta_seconds=None)
    return result


def _graph(spec: Spec, live: Live, recorder: RunRecorder) -> tuple[Data, dict[str, Any]]:
    if live.data is not None:
        data = live.data
    else:
        data = load_dataset(spec.dataset, data_root(), lambda what, done: recorder.log(f"{what}: {100 * done:.0f} %"))
    facts = {"name": spec.dataset.name, "fingerprint": fingerprint(data), **measure_dataset(data)}
    return data, facts


def _checkpoint(recorder: RunRecorder) -> Checkpoint | None:
    path = recorder.run.path / "checkpoint.safetensors"
    if not path.exists():
        return None
    try:
        return load_tensors(path)
    except RunError as error:
        recorder.warn(f"the checkpoint cannot be read and training starts anew: {error}")
        return None


def _student(
    spec: Spec,
    batch: Data,
    classes: int,
    task: NodeClassification,
    teacher: Trained,
    recorder: RunRecorder,
    checkpoint: Checkpoint | None,
    live: Live,
) -> Trained:
    # Seeded anew, so that a student does not depend on whether its teacher was trained or reused.
    seed_everything(spec.seed, spec.training.deterministic)
    built = with_encode(live.student) if live.student is not None else spec.student.build(batch.num_features, classes)
    module = built.to(batch.x.device)
    batch = suited(module, batch)
    widths = Widths.of(encode(module, batch, spec.training))
    objective = spec.objective.build(Widths.of(teacher.output), widths).to(batch.x.device)
    distiller = Distiller(module, objective, task)
    targets = objective.targets(teacher.output.detach(), batch)
    resumed_at = checkpoint.header["epoch"] if checkpoint else 0
    recorder.begin("student", "training the student", spec.training.epochs, resumed_at)
    fitted = fit(distiller, batch, targets, spec.training, recorder, checkpoint)
    recorder.say(stage="testing", eta_seconds=None)
    best = recorder.run.path / "student.safetensors"
    save_tensors(best, fitted.weights)
    fitted.weights = load_tensors(best).tensors  # the file is what is tested
    student = judge(spec.student.name, module, fitted, batch, task, spec.training)
    if student.info["parameters"] > teacher.info["parameters"]:
        recorder.warn(
            f"the student is larger than its teacher: {student.info['parameters']:,} parameters "
            f"against {teacher.info['parameters']:,}"
        )
    return student
