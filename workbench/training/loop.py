"""The training loop: one epoch is one pass, validation selects, a checkpoint can be taken after any epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from workbench.errors import RunError, Stopped
from workbench.tasks import with_split_nodes
from workbench.training.capture import make_step
from workbench.training.checkpoint import Checkpoint, cloned_state
from workbench.training.distiller import Distiller
from workbench.training.selection import Selection
from workbench.training.state import Learner, State, from_checkpoint, to_checkpoint
from workbench.training.step import encode
from workbench.training.terms import finite, term_records

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output
    from workbench.spec import Training
    from workbench.tasks import Metrics
    from workbench.training.step import Done

GIVE_UP_AFTER = 50  # epochs in a row that are not finite

__all__ = ["Epochs", "Fitted", "Recorder", "encode", "finite_metrics", "fit", "train_epochs"]


class Recorder(Protocol):
    """Where the loop reports to. ``runs`` writes it to the run folder; a test may keep it in a list."""

    def epoch(self, record: dict[str, Any]) -> None: ...
    def keep(self, epoch: int, output: Output, pictures: dict[str, Tensor]) -> None: ...
    def warn(self, message: str) -> None: ...
    def checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        """Called after every epoch; ``make`` builds the checkpoint if this is a moment to store one."""

    def stop_requested(self) -> bool: ...


class Epochs(Protocol):
    """What makes an epoch: one step on a whole graph, or one on every mini-batch."""

    @property
    def learner(self) -> Learner: ...
    def run(self, lens: bool) -> Done: ...


@dataclass
class Fitted:
    """A finished training: the weights of the best validation epoch, and how it went."""

    weights: dict[str, Tensor]
    best: Selection
    epochs: int
    seconds: float


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
    step = make_step(distiller, with_split_nodes(batch), targets, training, recorder.warn)
    return train_epochs(step, distiller, training, recorder, checkpoint)


def train_epochs(
    step: Epochs,
    distiller: Distiller,
    training: Training,
    recorder: Recorder,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Let ``step`` make its epochs, whatever an epoch is to it; validation selects. Raises as :func:`fit` does."""
    state = State() if checkpoint is None else from_checkpoint(checkpoint, step.learner)
    while state.epoch < training.epochs and not _out_of_patience(state, training):
        started = time.perf_counter()
        state.epoch += 1
        lens = distiller.objective is not None and _is_due(state.epoch, training.lens_every)
        done = step.run(lens)
        record, validation = _read(done, distiller, lens)
        if state.selection.update(state.epoch, validation[distiller.task.selection_metric], validation["loss"]):
            state.best = cloned_state(distiller.student)
        record["seconds"] = time.perf_counter() - started
        state.seconds += record["seconds"]
        _report(record, state, training, done, recorder)
        recorder.checkpoint(lambda: to_checkpoint(state, step.learner))
        if recorder.stop_requested():
            raise Stopped("stopped on request")
    if not state.best:
        raise RunError("no epoch gave a finite validation loss: lower the learning rate or the weights of the method")
    return Fitted(state.best, state.selection, state.epoch, state.seconds)


def _read(done: Done, distiller: Distiller, lens: bool) -> tuple[dict[str, Any], Metrics]:
    """The record of an epoch and its validation metrics: the one place where the host waits for the device."""
    numbers = done.numbers.fetch()
    rows = dict(zip(done.weights, numbers["terms"], strict=True))
    validation = distiller.task.named(numbers["val"])
    record = {
        "loss": finite(sum(done.weights[name] * row[0] for name, row in rows.items())),
        "terms": term_records(rows, done.weights, lens),
        "train": finite_metrics(distiller.task.named(numbers["train"])) if "train" in numbers else {},
        "val": finite_metrics(validation),
    }
    pictures = {key.removeprefix("picture-"): rows for key, rows in numbers.items() if key.startswith("picture-")}
    return record | _rounded(pictures), validation


def _rounded(pictures: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Pictures that are small enough to be logged every epoch (ABKD's map), to four digits; not finite is None."""
    rows = {name: [[finite(float(f"{v:.4g}")) for v in row] for row in picture] for name, picture in pictures.items()}
    return {"pictures": rows} if rows else {}


def _report(record: dict[str, Any], state: State, training: Training, done: Done, recorder: Recorder) -> None:
    recorder.epoch({"epoch": state.epoch, **record})
    for message in state.watch.look(state.epoch, record["terms"]):
        recorder.warn(message)
    if state.watch.bad_epochs >= GIVE_UP_AFTER:
        raise RunError(f"the loss was not finite for {GIVE_UP_AFTER} epochs: lower the learning rate or the weights")
    if _is_due(state.epoch, training.keep_every):
        recorder.keep(state.epoch, done.output, done.pictures)


def _is_due(epoch: int, every: int) -> bool:
    """Whether something that happens in the first and every so many epochs happens in this one; 0 is never."""
    return bool(every) and (epoch == 1 or epoch % every == 0)


def _out_of_patience(state: State, training: Training) -> bool:
    return bool(training.patience) and state.epoch > 0 and state.selection.stale_for(state.epoch) >= training.patience


def finite_metrics(metrics: Metrics) -> dict[str, float | None]:
    """Metrics as JSON can hold them: what is not finite is None."""
    return {name: finite(value) for name, value in metrics.items()}
