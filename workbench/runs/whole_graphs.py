"""The protocol of a run whose data are many graphs or clouds: teacher, student, test; the same for every kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.errors import RunError
from workbench.methods.base import Widths
from workbench.models.budget import parameter_bytes
from workbench.runs.live import Live
from workbench.runs.probe import larger_student
from workbench.runs.teacher_cache import WEIGHTS, cached_teacher, own_teacher
from workbench.runs.teacher_control import ABOVE_EVERY_SEED
from workbench.runs.trained import LATENCY_REPEATS, count_parameters
from workbench.runs.ways import Found, Order
from workbench.training.batches import BatchStep
from workbench.training.checkpoint import load_tensors, save_tensors
from workbench.training.device import synchronise
from workbench.training.distiller import Distiller
from workbench.training.loop import finite_metrics, train_epochs
from workbench.training.random_state import seed_everything, surroundings_kept
from workbench.training.whole_graphs import encode_batch, predict

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection
    from workbench.datasets.point_clouds import PointClouds
    from workbench.runs.recorder import Stage
    from workbench.spec import Spec, Training

    Data = GraphCollection | PointClouds

PROBE_GRAPHS = 2
LATENCY_GRAPHS = 8
SPLITS = ("train", "val", "test")

# (distiller, what is learned from, the frozen teacher or None, how) -> what makes the epochs
MakeStep = Callable[[Distiller, Any, nn.Module | None, "Training"], BatchStep]


@dataclass(frozen=True)
class Kind:
    """What differs between kinds of data: how they are ``judged``, what an epoch is, and what one of them is called."""

    judge: Any  # a task with loss, measure and evaluate
    step: MakeStep
    noun: str


@dataclass
class Task:
    """A run while it is being carried out; ``data`` are on the device."""

    order: Order
    data: Data
    kind: Kind

    @property
    def spec(self) -> Spec:
        return self.order.spec


def try_out(spec: Spec, data: Data, live: Live) -> list[str]:
    """Build both models and the method and run them once on a small mini-batch; returns notes.

    Raises UsageError for what cannot be compared.
    """
    with surroundings_kept(), torch.no_grad():
        batch = data.mini_batch(data.of_split("train")[:PROBE_GRAPHS])
        models = [config.build(data.num_features, data.num_classes).eval() for config in (spec.teacher, spec.student)]
        teacher, student = (encode_batch(model, batch) for model in models)
        objective = spec.objective.build(Widths.of(teacher), Widths.of(student))
        objective(student, objective.targets(teacher, batch), batch)  # what cannot be compared is refused here
    return larger_student(*(count_parameters(model) for model in models))


def carry_out_task(task: Task) -> tuple[dict[str, nn.Module], Found]:
    """Train teacher and student; returns both, by their role, and what is known of them."""
    teacher, teacher_info = _teacher(task)
    student, student_info = _student(task, teacher)
    for note in larger_student(teacher_info["parameters"], student_info["parameters"]):
        task.order.recorder.warn(note)
    return {"teacher": teacher, "student": student}, Found(teacher_info, student_info)


def _teacher(task: Task) -> tuple[nn.Module, dict[str, Any]]:
    """The frozen teacher and what is known of it: see :func:`workbench.runs.teacher.obtain_teacher`."""
    spec, order = task.spec, task.order
    seed_everything(spec.seed, spec.teacher_training.deterministic)
    module = spec.teacher.build(task.data.num_features, task.data.num_classes).to(order.device)
    control = spec.teacher_control
    taught = permuted(task.data, spec.seed) if control == "shuffled" else task.data
    key = f"{spec.teacher_id}-{order.device.type}"

    def make(folder: Path) -> dict[str, Any]:
        weights = folder / WEIGHTS
        if control == "untrained":
            order.recorder.say(stage="taking the teacher untrained")
            save_tensors(weights, module.state_dict())
            info: dict[str, Any] = {"best_epoch": None, "epochs": 0, "seconds": 0.0}
        else:
            distiller = Distiller(module, None, task.kind.judge)
            info = _train(task, "teacher", task.kind.step(distiller, taught, None, spec.teacher_training), weights)
        return info if control == "none" else {**info, "control": control}

    if order.live.any:
        info = own_teacher(order.recorder, key, make)
    else:
        info = cached_teacher(order.recorder, key, order.fingerprint, module, make)
    module.requires_grad_(False).eval()
    if control == "shuffled":
        info["labels_still_true"] = still_true(task.data, taught)
    return module, _measured(Task(order, taught, task.kind), "teacher", module, spec.teacher_training, info)


def _student(task: Task, teacher: nn.Module) -> tuple[nn.Module, dict[str, Any]]:
    spec, order = task.spec, task.order
    # Seeded anew, so that a student does not depend on whether its teacher was trained or reused.
    seed_everything(spec.seed, spec.training.deterministic)
    module = spec.student.build(task.data.num_features, task.data.num_classes).to(order.device)
    with torch.no_grad():
        batch = task.data.mini_batch(task.data.of_split("train")[:PROBE_GRAPHS])
        widths = [Widths.of(encode_batch(model.eval(), batch)) for model in (teacher, module)]
    distiller = Distiller(module, spec.objective.build(*widths).to(order.device), task.kind.judge)
    step = task.kind.step(distiller, task.data, teacher, spec.training)
    info = _train(task, "student", step, order.recorder.run.path / "student.safetensors")
    return module, _measured(task, "student", module, spec.training, info)


def _train(task: Task, stage: Stage, step: BatchStep, weights: Path) -> dict[str, Any]:
    """Train, write the weights of the best validation epoch to ``weights``, and load that file."""
    recorder, checkpoint = task.order.recorder, task.order.checkpoint
    if checkpoint is not None and checkpoint.header["stage"] != stage:
        checkpoint = None
    recorder.begin(
        stage, f"training the {stage}", step.training.epochs, checkpoint.header["epoch"] if checkpoint else 0
    )
    training = step.training.model_copy(update={"keep_every": 0})  # no film is shown of many
    fitted = train_epochs(step, step.distiller, training, recorder, checkpoint)
    recorder.say(stage=f"testing the {stage}", eta_seconds=None)
    save_tensors(weights, fitted.weights)
    step.distiller.student.load_state_dict(load_tensors(weights).tensors)
    return {"best_epoch": fitted.best.epoch, "epochs": fitted.epochs, "seconds": round(fitted.seconds, 3)}


def _measured(task: Task, stage: Stage, module: nn.Module, training: Training, info: dict[str, Any]) -> dict[str, Any]:
    """Metrics on every split as it is, without augmentation; size, and latency of some graphs at once."""
    judge, data, metrics = task.kind.judge, task.data, {}
    for split in SPLITS:
        chosen = data.of_split(split)
        logits = predict(module, data, chosen, training)
        if not torch.isfinite(logits).all() and stage == "teacher":
            raise RunError("the teacher's output is not finite: train it with a lower learning rate")
        metrics[split] = finite_metrics(judge.evaluate(logits, data.labels_of(chosen)))
    parameters = count_parameters(module)
    return {
        "name": (task.spec.teacher if stage == "teacher" else task.spec.student).name,
        "parameters": parameters,
        "bytes": parameter_bytes(parameters),
        "metrics": metrics,
        **info,
        "latency_ms": _latency(module, data, training),
        f"latency_{task.kind.noun}s": min(LATENCY_GRAPHS, len(data.of_split("test"))),
    }


def _latency(module: nn.Module, data: Data, training: Training) -> float:
    """Median milliseconds of one inference on some test graphs: warm, the device waited for."""
    chosen = data.of_split("test")[:LATENCY_GRAPHS]
    times = []
    for _ in range(LATENCY_REPEATS + 2):
        synchronise(chosen.device)
        started = time.perf_counter()
        predict(module, data, chosen, training)
        synchronise(chosen.device)
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times[2:]), 3)


def permuted(data: Any, seed: int) -> Any:
    """The data with labels permuted among those of the training and among those of the validation graphs."""
    generator = torch.Generator().manual_seed(ABOVE_EVERY_SEED + seed)
    labels = data.labels.clone()
    for split in ("train", "val"):
        rows = data.rows_of(data.of_split(split))
        order = torch.randperm(rows.numel(), generator=generator).to(rows.device)
        labels[rows] = data.labels[rows[order]]
    return data.with_labels(labels)


def still_true(data: Data, other: Data) -> dict[str, float]:
    """The shares (0..1) of the training and of the validation labels that the permutation left true, by chance.

    Of several labels in a row each counts, and one that is missing is true where it stays so.
    """
    same = (other.labels == data.labels) | ((other.labels != other.labels) & (data.labels != data.labels))
    return {split: float(same[data.rows_of(data.of_split(split))].double().mean()) for split in ("train", "val")}
