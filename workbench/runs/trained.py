"""Train one model and judge it: the best validation epoch is reloaded, and only then is the test set read."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.datasets.hetero.features import HeteroFeatures
from workbench.models.budget import parameter_bytes
from workbench.models.features import features_for
from workbench.runs.recorder import Stage
from workbench.training.checkpoint import load_tensors, save_tensors
from workbench.training.device import synchronise
from workbench.training.loop import encode, finite_metrics, fit

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output
    from workbench.runs.live import Live
    from workbench.runs.recorder import RunRecorder
    from workbench.spec import Spec, Training
    from workbench.tasks import NodeClassification, Split
    from workbench.training.checkpoint import Checkpoint
    from workbench.training.distiller import Distiller
    from workbench.training.loop import Fitted

LATENCY_REPEATS = 10


@dataclass
class Job:
    """A run while it is being carried out; ``batch`` is the graph on the device."""

    spec: Spec
    recorder: RunRecorder
    live: Live
    batch: Data
    classes: int
    task: NodeClassification
    checkpoint: Checkpoint | None = None
    fingerprint: str = ""  # of the graph

    @property
    def device(self) -> torch.device:
        """Where models are."""
        device: torch.device = self.batch.x.device
        return device

    def suited(self, module: nn.Module) -> Data:
        """The graph with its features in the layout that suits ``module``."""
        return suited(module, self.batch)

    def fitted(
        self, distiller: Distiller, batch: Data, targets: Any, training: Training, checkpoint: Checkpoint | None
    ) -> Fitted:
        """Train on ``batch``, which is this run's graph, possibly with other labels."""
        return fit(distiller, batch, targets, training, self.recorder, checkpoint)

    def output(self, module: nn.Module, batch: Data, training: Training) -> Output:
        """What the module gives for the whole graph in evaluation mode."""
        return encode(module, batch, training)

    def latency(self, module: nn.Module, batch: Data, training: Training) -> float:
        """Milliseconds of one inference on the whole graph."""
        return latency(module, batch, training)

    def resume_point(self, stage: Stage) -> Checkpoint | None:
        """The checkpoint, where it was taken in ``stage``."""
        return self.checkpoint if self.checkpoint and self.checkpoint.header["stage"] == stage else None


@dataclass
class Trained:
    """A trained model, its output on the whole graph, and what ``result.json`` says of it."""

    module: nn.Module
    output: Output
    info: dict[str, Any]


def train(
    job: Job, stage: Stage, distiller: Distiller, batch: Data, targets: Any, training: Training, weights: Path
) -> Trained:
    """Train, write the weights of the best validation epoch to ``weights``, and test what that file holds."""
    checkpoint = job.resume_point(stage)
    resumed_at = checkpoint.header["epoch"] if checkpoint else 0
    job.recorder.begin(stage, f"training the {stage}", training.epochs, resumed_at)
    fitted = job.fitted(distiller, batch, targets, training, checkpoint)
    job.recorder.say(stage=f"testing the {stage}", eta_seconds=None)
    save_tensors(weights, fitted.weights)
    distiller.student.load_state_dict(load_tensors(weights).tensors)
    info = {"best_epoch": fitted.best.epoch, "epochs": fitted.epochs, "seconds": round(fitted.seconds, 3)}
    return measure(job, stage, distiller.student, batch, training, info)


def measure(
    job: Job, stage: Stage, module: nn.Module, batch: Data, training: Training, info: dict[str, Any]
) -> Trained:
    """Metrics, size and latency of a module as it stands; a metric that is not finite is None."""
    output = job.output(module, batch, training)
    parameters = count_parameters(module)
    splits: tuple[Split, ...] = ("train", "val", "test")
    facts = {
        "name": (job.spec.teacher if stage == "teacher" else job.spec.student).name,
        "parameters": parameters,
        "bytes": parameter_bytes(parameters),
        "metrics": {split: finite_metrics(job.task.evaluate(output.logits, batch, split)) for split in splits},
        **({"embedding_parameters": embedding_parameters(module)} if embedding_parameters(module) else {}),
        **info,
        "latency_ms": job.latency(module, batch, training),
    }
    return Trained(module, output, facts)


def suited(module: nn.Module, batch: Data) -> Data:
    """``batch`` with its features in the layout that suits ``module`` (bags of words stay sparse on the CPU)."""
    suited_batch = copy.copy(batch)
    if isinstance(batch.x, HeteroFeatures):
        suited_batch.x = batch.x.with_features(lambda x: features_for(module, x))
    else:
        suited_batch.x = features_for(module, batch.x)
    return suited_batch


def count_parameters(module: nn.Module) -> int:
    """All of them, as a teacher of one's own may come frozen, but for embeddings of single nodes without features."""
    return sum(p.numel() for p in module.parameters()) - embedding_parameters(module)


def embedding_parameters(module: nn.Module) -> int:
    """Those that belong to single nodes, which published counts leave out: they grow with the graph."""
    found: int = getattr(module, "embedding_parameters", 0)
    return found


def latency(module: nn.Module, batch: Data, training: Training) -> float:
    """Median milliseconds of one inference on the whole graph: warm, the graph prepared, the features new, the
    device waited for."""
    device = batch.x.device
    times = []
    for _ in range(LATENCY_REPEATS + 2):
        inputs = copy.copy(batch)
        inputs.x = batch.x.detach()  # a tensor that no model has seen: nothing made of it is there to be used again
        synchronise(device)
        started = time.perf_counter()
        encode(module, inputs, training)
        synchronise(device)
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times[2:]), 3)


def is_finite(output: Output) -> bool:
    values: list[Tensor] = [output.logits, *output.hidden]
    return all(bool(torch.isfinite(value).all()) for value in values)
