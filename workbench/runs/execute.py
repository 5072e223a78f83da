"""One run from its spec to its result: load, teacher, student, test, pictures."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

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
from workbench.runs.trained import Job, Trained, is_finite, suited, train
from workbench.tasks import NodeClassification
from workbench.training.checkpoint import Checkpoint, load_tensors
from workbench.training.device import device_name, memory_advice, resolve_device
from workbench.training.distiller import Distiller
from workbench.training.loop import encode
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Spec


def execute(spec: Spec, recorder: RunRecorder, live: Live | None = None) -> dict[str, Any]:
    """Carry out ``spec`` in this process and write its folder; returns the result.

    A checkpoint in the folder is gone on from. Raises UsageError, RunError or Stopped.
    """
    live = live or Live()
    device = resolve_device(spec.device)
    recorder.say(state="running", stage="loading the graph", device=str(device))
    data, facts = _graph(spec, live, recorder)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with memory_advice(device):
        batch = copy.copy(data).to(device)  # `to` changes its object, and the loaded graph is shared
        job = Job(spec, recorder, live, batch, facts["classes"], NodeClassification(), _checkpoint(recorder))
        teacher = obtain_teacher(job)
        if not is_finite(teacher.output):
            raise RunError("the teacher's output is not finite: train it with a lower learning rate")
        student = _student(job, teacher)
    recorder.say(stage="storing embeddings")
    store_pictures(data, teacher.output, student.output, recorder.run)
    result = {
        "teacher": teacher.info,
        "student": student.info,
        "compression": round(teacher.info["parameters"] / max(student.info["parameters"], 1), 3),
        "seconds": round(recorder.elapsed(), 3),
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
    if spec.umap:
        recorder.say(stage="computing UMAP")
        try_umap(recorder)
    recorder.say(state="done", stage="finished", eta_seconds=None)
    return result


def try_umap(recorder: RunRecorder) -> None:
    """Add the UMAP; a picture that cannot be made is a warning, and the result stands."""
    try:
        add_umap(recorder.run)
    except Exception as error:  # numba, umap and scikit-learn each raise their own
        recorder.warn(f"the UMAP could not be computed: {type(error).__name__}: {error}")


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


def _student(job: Job, teacher: Trained) -> Trained:
    spec, live = job.spec, job.live
    # Seeded anew, so that a student does not depend on whether its teacher was trained or reused.
    seed_everything(spec.seed, spec.training.deterministic)
    module = with_encode(live.student) if live.student is not None else _built(job)
    module = module.to(job.batch.x.device)
    batch = suited(module, job.batch)
    widths = Widths.of(encode(module, batch, spec.training))
    objective = spec.objective.build(Widths.of(teacher.output), widths).to(batch.x.device)
    targets = objective.targets(teacher.output.detach(), batch)
    weights = job.recorder.run.path / "student.safetensors"
    distiller = Distiller(module, objective, job.task)
    student = train(job, "student", distiller, batch, targets, spec.training, weights)
    sizes = student.info["parameters"], teacher.info["parameters"]
    if sizes[0] > sizes[1]:
        job.recorder.warn(f"the student is larger than its teacher: {sizes[0]:,} parameters against {sizes[1]:,}")
    return student


def _built(job: Job) -> nn.Module:
    return job.spec.student.build(job.batch.num_features, job.classes)
