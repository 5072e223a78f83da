"""One run from its spec to its result: load, teacher, student, test, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from workbench.datasets.base import data_root, held_by
from workbench.datasets.load import load_dataset
from workbench.datasets.measure import fingerprint
from workbench.datasets.measure import measure as measure_dataset
from workbench.errors import RunError
from workbench.runs.environment import commit, peak_memory, versions
from workbench.runs.files import write_json
from workbench.runs.live import Live
from workbench.runs.pictures import add_umap
from workbench.runs.recorder import RunRecorder
from workbench.runs.ways import Order, way_of
from workbench.training.checkpoint import Checkpoint, load_tensors
from workbench.training.device import device_name, memory_advice, resolve_device

if TYPE_CHECKING:
    from workbench.spec import Spec


def execute(spec: Spec, recorder: RunRecorder, live: Live | None = None) -> dict[str, Any]:
    """Carry out ``spec`` in this process and write its folder; returns the result.

    A checkpoint in the folder is gone on from. Raises UsageError, RunError or Stopped.
    """
    live = live or Live()
    device = resolve_device(spec.device)
    recorder.say(state="running", stage="loading the graph", device=str(device))
    data, facts = _data(spec, live, recorder)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with memory_advice(device):
        found = way_of(held_by(spec.dataset)).carry_out(
            Order(spec, recorder, live, data, device, facts["fingerprint"], _checkpoint(recorder))
        )
    result = {
        "teacher": found.teacher,
        "student": found.student,
        "compression": round(found.teacher["parameters"] / max(found.student["parameters"], 1), 3),
        **found.more,
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
        add_umap(recorder.run, recorder.log)
    except Exception as error:  # numba, umap and scikit-learn each raise their own
        recorder.warn(f"the UMAP could not be computed: {type(error).__name__}: {error}")


def _data(spec: Spec, live: Live, recorder: RunRecorder) -> tuple[Any, dict[str, Any]]:
    """What the run is about, and what is recorded of it."""
    if live.data is not None:
        data: Any = live.data
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
