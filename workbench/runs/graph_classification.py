"""A run on point clouds, of which each has a class: teacher, student, test, pictures."""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.datasets.point_clouds import PointClouds
from workbench.errors import RunError, UsageError
from workbench.methods.base import Widths
from workbench.models.budget import parameter_bytes
from workbench.runs.cloud_pictures import store_clouds
from workbench.runs.live import Live
from workbench.runs.probe import larger_student
from workbench.runs.teacher_cache import WEIGHTS, cached_teacher, own_teacher
from workbench.runs.trained import LATENCY_REPEATS, count_parameters
from workbench.runs.ways import Found, Order
from workbench.tasks.graph_classification import GraphClassification
from workbench.training.checkpoint import load_tensors, save_tensors
from workbench.training.clouds import CloudStep, encode_clouds, predict
from workbench.training.device import synchronise
from workbench.training.distiller import Distiller
from workbench.training.loop import finite_metrics, train_epochs
from workbench.training.random_state import seed_everything, surroundings_kept

if TYPE_CHECKING:
    from workbench.runs.recorder import Stage
    from workbench.spec import Spec, Training

PROBE_SHAPES = 2
LATENCY_SHAPES = 8
SPLITS = ("train", "val", "test")


def check(spec: Spec, data: PointClouds, live: Live) -> list[str]:
    """What can be known to be wrong before a run starts; returns notes, raises UsageError."""
    for role, training in (("teacher-training", spec.teacher_training), ("training", spec.training)):
        if training.batch_size == 1:
            raise UsageError(
                f"a mini-batch of one shape has nothing to normalise over: give --{role}.batch-size 2 or more"
            )
    with surroundings_kept(), torch.no_grad():
        batch = data.mini_batch(data.of_split("train")[:PROBE_SHAPES])
        models = [config.build(data.num_features, data.num_classes).eval() for config in (spec.teacher, spec.student)]
        teacher, student = (encode_clouds(model, batch) for model in models)
        objective = spec.objective.build(Widths.of(teacher), Widths.of(student))
        objective(student, objective.targets(teacher, batch), batch)  # what cannot be compared is refused here
    return larger_student(*(count_parameters(model) for model in models))


@dataclass
class Task:
    """A run while it is being carried out; ``clouds`` are on the device."""

    order: Order
    clouds: PointClouds

    @property
    def spec(self) -> Spec:
        return self.order.spec


def carry_out(order: Order) -> Found:
    """Train teacher and student, and store what views draw."""
    data: PointClouds = order.data
    moved = (part.to(order.device) for part in (data.points, data.labels, data.split))
    points, labels, split = moved
    task = Task(order, PointClouds(points, labels, data.class_names, split))
    teacher, teacher_info = _teacher(task)
    student, student_info = _student(task, teacher)
    for note in larger_student(teacher_info["parameters"], student_info["parameters"]):
        order.recorder.warn(note)
    order.recorder.say(stage="storing point clouds")
    store_clouds(task.clouds, {"teacher": teacher, "student": student}, order.recorder.run)
    return Found(teacher_info, student_info)


def _teacher(task: Task) -> tuple[nn.Module, dict[str, Any]]:
    """The frozen teacher and what is known of it: see :func:`workbench.runs.teacher.obtain_teacher`."""
    spec, order = task.spec, task.order
    seed_everything(spec.seed, spec.teacher_training.deterministic)
    module = spec.teacher.build(task.clouds.num_features, task.clouds.num_classes).to(order.device)
    control = spec.teacher_control
    taught = _permuted(task.clouds, spec.seed) if control == "shuffled" else task.clouds
    key = f"{spec.teacher_id}-{order.device.type}"

    def make(folder: Path) -> dict[str, Any]:
        weights = folder / WEIGHTS
        if control == "untrained":
            order.recorder.say(stage="taking the teacher untrained")
            save_tensors(weights, module.state_dict())
            info: dict[str, Any] = {"best_epoch": None, "epochs": 0, "seconds": 0.0}
        else:
            distiller = Distiller(module, None, GraphClassification())
            info = _train(task, "teacher", CloudStep(distiller, taught, None, spec.teacher_training), weights)
        return info if control == "none" else {**info, "control": control}

    if order.live.any:
        info = own_teacher(order.recorder, key, make)
    else:
        info = cached_teacher(order.recorder, key, order.fingerprint, module, make)
    module.requires_grad_(False).eval()
    if control == "shuffled":
        info["labels_still_true"] = _still_true(task.clouds, taught)
    return module, _measured(Task(order, taught), "teacher", module, spec.teacher_training, info)


def _student(task: Task, teacher: nn.Module) -> tuple[nn.Module, dict[str, Any]]:
    spec, order = task.spec, task.order
    # Seeded anew, so that a student does not depend on whether its teacher was trained or reused.
    seed_everything(spec.seed, spec.training.deterministic)
    module = spec.student.build(task.clouds.num_features, task.clouds.num_classes).to(order.device)
    with torch.no_grad():
        batch = task.clouds.mini_batch(task.clouds.of_split("train")[:PROBE_SHAPES])
        widths = [Widths.of(encode_clouds(model.eval(), batch)) for model in (teacher, module)]
    distiller = Distiller(module, spec.objective.build(*widths).to(order.device), GraphClassification())
    step = CloudStep(distiller, task.clouds, teacher, spec.training)
    info = _train(task, "student", step, order.recorder.run.path / "student.safetensors")
    return module, _measured(task, "student", module, spec.training, info)


def _train(task: Task, stage: Stage, step: CloudStep, weights: Path) -> dict[str, Any]:
    """Train, write the weights of the best validation epoch to ``weights``, and load that file."""
    recorder, checkpoint = task.order.recorder, task.order.checkpoint
    if checkpoint is not None and checkpoint.header["stage"] != stage:
        checkpoint = None
    recorder.begin(
        stage, f"training the {stage}", step.training.epochs, checkpoint.header["epoch"] if checkpoint else 0
    )
    training = step.training.model_copy(update={"keep_every": 0})  # no film is shown of clouds
    fitted = train_epochs(step, step.distiller, training, recorder, checkpoint)
    recorder.say(stage=f"testing the {stage}", eta_seconds=None)
    save_tensors(weights, fitted.weights)
    step.distiller.student.load_state_dict(load_tensors(weights).tensors)
    return {"best_epoch": fitted.best.epoch, "epochs": fitted.epochs, "seconds": round(fitted.seconds, 3)}


def _measured(task: Task, stage: Stage, module: nn.Module, training: Training, info: dict[str, Any]) -> dict[str, Any]:
    """Metrics on every split as it is, without augmentation; size, and latency of some shapes at once."""
    judge, clouds, metrics = GraphClassification(), task.clouds, {}
    for split in SPLITS:
        shapes = clouds.of_split(split)
        logits = predict(module, clouds, shapes, training)
        if not torch.isfinite(logits).all() and stage == "teacher":
            raise RunError("the teacher's output is not finite: train it with a lower learning rate")
        metrics[split] = finite_metrics(judge.evaluate(logits, clouds.labels[shapes]))
    parameters = count_parameters(module)
    return {
        "name": (task.spec.teacher if stage == "teacher" else task.spec.student).name,
        "parameters": parameters,
        "bytes": parameter_bytes(parameters),
        "metrics": metrics,
        **info,
        "latency_ms": _latency(module, clouds, training),
        "latency_shapes": min(LATENCY_SHAPES, len(clouds.of_split("test"))),
    }


def _latency(module: nn.Module, clouds: PointClouds, training: Training) -> float:
    """Median milliseconds of one inference on some test shapes: warm, the device waited for."""
    shapes = clouds.of_split("test")[:LATENCY_SHAPES]
    times = []
    for _ in range(LATENCY_REPEATS + 2):
        synchronise(shapes.device)
        started = time.perf_counter()
        predict(module, clouds, shapes, training)
        synchronise(shapes.device)
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times[2:]), 3)


def _permuted(clouds: PointClouds, seed: int) -> PointClouds:
    """The clouds with labels permuted among the training and among the validation shapes."""
    generator = torch.Generator().manual_seed(2**31 + seed)  # above the seed of every run
    permuted = copy.copy(clouds)
    permuted.labels = clouds.labels.clone()
    for split in ("train", "val"):
        shapes = clouds.of_split(split)
        order = torch.randperm(shapes.numel(), generator=generator).to(shapes.device)
        permuted.labels[shapes] = clouds.labels[shapes[order]]
    return permuted


def _still_true(clouds: PointClouds, permuted: PointClouds) -> dict[str, float]:
    """The shares (0..1) of the training and of the validation labels that the permutation left true, by chance."""
    same = (permuted.labels == clouds.labels).double()  # (M,)
    return {split: float(same[clouds.of_split(split)].mean()) for split in ("train", "val")}
