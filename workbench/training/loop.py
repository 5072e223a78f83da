"""The training loop: one epoch is one pass, validation selects, a checkpoint can be taken after any epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from workbench.errors import RunError, Stopped
from workbench.training.checkpoint import Checkpoint, cloned_state, optimiser_tensors, restore_optimiser, sections
from workbench.training.distiller import Distiller
from workbench.training.random_state import random_states, restore_random_states
from workbench.training.selection import Selection
from workbench.training.terms import TermWatch, backward

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output
    from workbench.spec import Training
    from workbench.tasks import Metrics

PICTURE_LIMIT = 1024  # numbers
GIVE_UP_AFTER = 50  # epochs in a row that are not finite


class Recorder(Protocol):
    """Where the loop reports to. ``runs`` writes it to the run folder; a test may keep it in a list."""

    def epoch(self, record: dict[str, Any]) -> None: ...
    def keep(self, epoch: int, output: Output, pictures: dict[str, Tensor]) -> None: ...
    def warn(self, message: str) -> None: ...
    def checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        """Called after every epoch; ``make`` builds the checkpoint if this is a moment to store one."""

    def stop_requested(self) -> bool: ...


@dataclass
class Fitted:
    """A finished training: the weights of the best validation epoch, and how it went."""

    weights: dict[str, Tensor]
    best: Selection
    epochs: int
    seconds: float


@dataclass
class _State:
    """What changes from epoch to epoch and is not inside the modules."""

    epoch: int = 0
    seconds: float = 0.0
    selection: Selection = field(default_factory=Selection)
    best: dict[str, Tensor] = field(default_factory=dict)
    watch: TermWatch = field(default_factory=TermWatch)


def fit(
    distiller: Distiller,
    batch: Data,
    targets: Any,
    training: Training,
    recorder: Recorder,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train ``distiller`` on ``batch`` and return the student's weights of the best validation epoch.

    The test nodes are never looked at here. Raises Stopped when asked to, RunError when the loss is
    not finite for many epochs in a row.
    """
    optimiser = make_optimiser(distiller, training)
    state = _State() if checkpoint is None else _restore(checkpoint, distiller, optimiser, batch.x.device)
    while state.epoch < training.epochs and not _out_of_patience(state, training):
        started = time.perf_counter()
        state.epoch += 1
        record = _train_epoch(distiller, batch, targets, optimiser, training)
        output = encode(distiller.student, batch, training)
        validation = distiller.task.evaluate(output.logits, batch, "val")
        if state.selection.update(state.epoch, validation[distiller.task.selection_metric], validation["loss"]):
            state.best = cloned_state(distiller.student)
        record["train"] = finite_metrics(distiller.task.evaluate(output.logits, batch, "train"))
        record["val"] = finite_metrics(validation)
        record["seconds"] = time.perf_counter() - started
        state.seconds += record["seconds"]
        _report(record, state, training, distiller, output, recorder)
        recorder.checkpoint(lambda: _checkpoint(state, distiller, optimiser, batch.x.device))
        if recorder.stop_requested():
            raise Stopped("stopped on request")
    if not state.best:
        raise RunError("no epoch gave a finite validation loss: lower the learning rate or the weights of the method")
    return Fitted(state.best, state.selection, state.epoch, state.seconds)


def encode(model: torch.nn.Module, batch: Data, training: Training) -> Output:
    """The model's output on the whole graph in evaluation mode, without gradients."""
    model.eval()
    with torch.no_grad(), _autocast(batch, training):
        output: Output = model.encode(batch.x, batch.edge_index)  # type: ignore[operator]
    return output


def make_optimiser(module: torch.nn.Module, training: Training) -> torch.optim.Optimizer:
    parameters = [p for p in module.parameters() if p.requires_grad]
    options: dict[str, Any] = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=0.9, **options)
    kinds: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
    optimiser: torch.optim.Optimizer = kinds[training.optimizer](parameters, **options)
    return optimiser


def _train_epoch(
    distiller: Distiller, batch: Data, targets: Any, optimiser: torch.optim.Optimizer, training: Training
) -> dict[str, Any]:
    distiller.train()
    with _autocast(batch, training):
        terms = distiller(batch, targets)
    weights = distiller.weights()
    values = torch.stack(backward(terms, weights, distiller, distiller.student)).tolist()  # (terms, 2)
    record_terms = {
        name: {"value": _finite(value), "weight": weights[name], "gradient": _finite(norm)}
        for name, (value, norm) in zip(terms, values, strict=True)
    }
    loss = sum(weights[name] * value for name, (value, _) in zip(terms, values, strict=True))
    # A step that is not finite would destroy the weights: it is left out, and the watch warns.
    if math.isfinite(loss) and all(term["gradient"] is not None for term in record_terms.values() if term["weight"]):
        if training.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(distiller.parameters(), training.gradient_clip)
        optimiser.step()
    return {"loss": _finite(loss), "terms": record_terms}


def _report(
    record: dict[str, Any], state: _State, training: Training, distiller: Distiller, output: Output, recorder: Recorder
) -> None:
    pictures = distiller.objective.pictures() if distiller.objective else {}
    recorder.epoch({"epoch": state.epoch, **record, **_small(pictures)})
    for message in state.watch.look(state.epoch, record["terms"]):
        recorder.warn(message)
    if state.watch.bad_epochs >= GIVE_UP_AFTER:
        raise RunError(f"the loss was not finite for {GIVE_UP_AFTER} epochs: lower the learning rate or the weights")
    if training.keep_every and (state.epoch == 1 or state.epoch % training.keep_every == 0):
        recorder.keep(state.epoch, output, pictures)


def _small(pictures: dict[str, Tensor]) -> dict[str, Any]:
    """Pictures that are small enough to be logged every epoch (ABKD's map), to four digits."""
    small = {name: value for name, value in pictures.items() if value.numel() <= PICTURE_LIMIT}
    rows = {name: [[float(f"{v:.4g}") for v in row] for row in value.tolist()] for name, value in small.items()}
    return {"pictures": rows} if rows else {}


def _out_of_patience(state: _State, training: Training) -> bool:
    return bool(training.patience) and state.epoch > 0 and state.selection.stale_for(state.epoch) >= training.patience


def _autocast(batch: Data, training: Training) -> torch.autocast:
    return torch.autocast(batch.x.device.type, dtype=torch.bfloat16, enabled=training.precision == "bfloat16")


def finite_metrics(metrics: Metrics) -> dict[str, float | None]:
    """Metrics as JSON can hold them: what is not finite is None."""
    return {name: _finite(value) for name, value in metrics.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _checkpoint(
    state: _State, distiller: Distiller, optimiser: torch.optim.Optimizer, device: torch.device
) -> Checkpoint:
    selection, watch = state.selection, state.watch
    header = {
        "epoch": state.epoch,
        "seconds": state.seconds,
        "selection": [selection.epoch, selection.score, selection.loss],
        "watch": {"zero": watch.zero_epochs, "bad": watch.bad_epochs, "told": sorted(watch.told)},
    }
    tensors = sections(
        module=distiller.state_dict(),
        best=state.best,
        optimiser=optimiser_tensors(optimiser),
        random=random_states(device),
    )
    return Checkpoint(header, tensors)


def _restore(
    checkpoint: Checkpoint, distiller: Distiller, optimiser: torch.optim.Optimizer, device: torch.device
) -> _State:
    distiller.load_state_dict(checkpoint.section("module"))
    restore_optimiser(optimiser, checkpoint.section("optimiser"))
    restore_random_states(checkpoint.section("random"), device)
    header = checkpoint.header
    watch = TermWatch(header["watch"]["zero"], header["watch"]["bad"], {(a, b) for a, b in header["watch"]["told"]})
    return _State(
        epoch=header["epoch"],
        seconds=header["seconds"],
        selection=Selection(*header["selection"]),
        best={key: value.to(device) for key, value in checkpoint.section("best").items()},
        watch=watch,
    )
