"""Train one model and judge it: the best validation epoch is reloaded, and only then is the test set read."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.models.budget import parameter_bytes
from workbench.models.features import features_for
from workbench.tasks import Metrics, NodeClassification
from workbench.training.device import synchronise
from workbench.training.loop import encode

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output
    from workbench.spec import Training
    from workbench.training.loop import Fitted

LATENCY_REPEATS = 10


@dataclass
class Trained:
    """A trained model, its output on the whole graph, and what ``result.json`` says of it."""

    module: nn.Module
    output: Output
    info: dict[str, Any]


def judge(
    name: str, module: nn.Module, fitted: Fitted, batch: Data, task: NodeClassification, training: Training
) -> Trained:
    """Load the weights of the best validation epoch into ``module`` and measure it on all three splits."""
    module.load_state_dict(fitted.weights)
    info = {"best_epoch": fitted.best.epoch, "epochs": fitted.epochs, "seconds": round(fitted.seconds, 3)}
    return measure(name, module, batch, task, training, info)


def measure(
    name: str, module: nn.Module, batch: Data, task: NodeClassification, training: Training, info: dict[str, Any]
) -> Trained:
    """Metrics, size and latency of a module as it stands."""
    output = encode(module, batch, training)
    parameters = count_parameters(module)
    metrics: dict[str, Metrics] = {
        split: task.evaluate(output.logits, batch, split) for split in ("train", "val", "test")
    }
    facts = {
        "name": name,
        "parameters": parameters,
        "bytes": parameter_bytes(parameters),
        "metrics": metrics,
        **info,
        "latency_ms": latency(module, batch, training),
    }
    return Trained(module, output, facts)


def suited(module: nn.Module, batch: Data) -> Data:
    """``batch`` with its features in the layout that suits ``module`` (bags of words stay sparse on the CPU)."""
    suited_batch = copy.copy(batch)
    suited_batch.x = features_for(module, batch.x)
    return suited_batch


def count_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def latency(module: nn.Module, batch: Data, training: Training) -> float:
    """Median milliseconds of one inference on the whole graph, warm, the device waited for."""
    device = batch.x.device
    times = []
    for _ in range(LATENCY_REPEATS + 2):
        synchronise(device)
        started = time.perf_counter()
        encode(module, batch, training)
        synchronise(device)
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times[2:]), 3)


def freeze(module: nn.Module) -> nn.Module:
    """No gradient ever reaches a teacher."""
    return module.requires_grad_(False).eval()


def is_finite(output: Output) -> bool:
    values: list[Tensor] = [output.logits, *output.hidden]
    return all(bool(torch.isfinite(value).all()) for value in values)
