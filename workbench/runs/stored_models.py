"""The models of a finished run on one graph, built anew with the weights that it has left."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import RunError, UsageError
from workbench.runs.files import read_json
from workbench.runs.folder import Run
from workbench.runs.side import Who
from workbench.runs.store import PRIVATE

if TYPE_CHECKING:
    from torch import nn
    from torch_geometric.data import Data

STUDENT, TEACHER = "student.safetensors", "teacher.safetensors"
AGAIN = "run its spec again with --fresh"


def weights_path(run: Run, who: Who) -> Path:
    """Where the weights of a model are; a teacher's are in the cache beside the runs, or (of live objects) in the run.

    Raises RunError where they are not there any more.
    """
    if who == "student":
        path, gone = run.path / STUDENT, f"run {run.id} has no {STUDENT}: {AGAIN}"
    else:
        path = _teacher_path(run)
        gone = f"the teacher of run {run.id} is not in the cache any more ({path.parent.name}): {AGAIN}"
    if not path.is_file():
        raise RunError(gone)
    return path


def weights_hash(run: Run, who: Who) -> str:
    """The SHA-256 of the weights of a model. Raises RunError where a teacher's are not those that the run used."""
    path = weights_path(run, who)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    if who == "teacher" and _reference(run).get("sha256") != found:
        raise RunError(f"the cache holds another teacher by now than the one of run {run.id}: {AGAIN}")
    return found


def model_hash(run: Run, who: Who) -> str:
    """The SHA-256 of a model: of its weights, and of its options, which need not show in these. Raises as above."""
    options = json.dumps(run.document[who], sort_keys=True, default=str)
    return hashlib.sha256(f"{weights_hash(run, who)} {options}".encode()).hexdigest()


def has_weights(run: Run) -> bool:
    """Whether the weights of both models are there; what they hold is not looked at."""
    try:
        return all(weights_path(run, who).is_file() for who in ("teacher", "student"))
    except RunError:
        return False


def stored_model(run: Run, who: Who, data: Data, classes: int) -> nn.Module:
    """A model of ``run`` for graphs with the features of ``data``, on its device, in evaluation mode (imports torch).

    Raises RunError for live objects, and for weights that are gone, damaged, or do not fit what the spec builds.
    """
    from workbench.training.checkpoint import load_tensors

    config = run.spec.teacher if who == "teacher" else run.spec.student
    module = config.build(data.num_features, classes)
    try:
        module.load_state_dict(load_tensors(weights_path(run, who)).tensors)
    except RuntimeError as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"the weights of the {who} of run {run.id} are not those of a {config.name}: {AGAIN}") from None
    return module.to(data.x.device).eval()


def run_data(run: Run, device: str) -> Data:
    """The graph of ``run`` on ``device``, loaded anew. Raises UsageError for runs on anything else than the nodes of
    one graph with one label each, and RunError where the data is not what the run was made with."""
    from workbench.datasets.base import held_by
    from workbench.datasets.load import load_dataset
    from workbench.datasets.measure import fingerprint
    from workbench.runs.side import fingerprint_of
    from workbench.training.device import resolve_device

    spec = run.spec
    data = load_dataset(spec.dataset) if held_by(spec.dataset) == "graph" else None
    if data is None or data.y.dim() != 1:
        raise UsageError(f"run {run.id} is not about the nodes of one graph with one label each")
    if fingerprint(data) != fingerprint_of(run):
        raise RunError(f"the data of run {run.id} has changed since it was made: {AGAIN}")
    return data.to(resolve_device(device))


def _reference(run: Run) -> dict[str, Any]:
    found = read_json(run.path / "teacher")
    return found if isinstance(found, dict) else {}


def _teacher_path(run: Run) -> Path:
    """What the run's file ``teacher`` refers to, by names alone: it never leads out of the cache or the run."""
    reference = _reference(run)
    if reference.get("file") == TEACHER:
        return run.path / TEACHER
    name = reference.get("cache")
    if not isinstance(name, str) or Path(name).name != name:
        raise RunError(f"run {run.id} does not say which teacher it used: {AGAIN}")
    return run.path.parent / PRIVATE / "teachers" / name / TEACHER
