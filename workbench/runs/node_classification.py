"""A run on one graph whose nodes are classified: teacher, student, test, pictures."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, get_args

from torch import nn

from workbench.datasets.measure import num_classes
from workbench.errors import RunError, UsageError
from workbench.methods.base import Widths
from workbench.runs.live import Live, with_encode
from workbench.runs.pictures import store_pictures
from workbench.runs.probe import larger_student, probe
from workbench.runs.teacher import obtain_teacher
from workbench.runs.trained import Job, Trained, is_finite, suited, train
from workbench.runs.ways import Found, Order
from workbench.tasks.node_classification import Judge, NodeClassification
from workbench.training.distiller import Distiller
from workbench.training.loop import encode
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Spec


def check(spec: Spec, data: Data, live: Live) -> list[str]:
    """What can be known to be wrong before a run starts; returns notes, raises UsageError."""
    metric, classes = spec.dataset.card.metric, num_classes(data)
    if metric not in get_args(Judge):
        raise UsageError(
            f"dataset {spec.dataset.name!r} is judged by {metric}, and nodes with one label each are judged by "
            f"{' or '.join(get_args(Judge))}: say so on its card"
        )
    if metric == "auc" and classes != 2:
        raise UsageError(
            f"dataset {spec.dataset.name!r} is judged by the area under the ROC curve, which is for two classes, and "
            f"it has {classes}: say 'accuracy' on its card"
        )
    notes = probe(spec, data, live)
    if spec.training.fan_out or spec.teacher_training.fan_out:
        from workbench.runs.sampled_nodes import check_sampled

        notes += check_sampled(spec, data, live)
    return notes


def task_of(spec: Spec) -> NodeClassification:
    """The task, with the metric that the dataset is judged by."""
    return NodeClassification("auc" if spec.dataset.card.metric == "auc" else "accuracy")


def carry_out(order: Order) -> Found:
    """Train teacher and student, and store what views draw."""
    if order.spec.training.fan_out or order.spec.teacher_training.fan_out:
        from workbench.runs.sampled_nodes import carry_out_sampled

        return carry_out_sampled(order)
    job = whole_job(order)
    teacher = obtain_teacher(job)
    if not is_finite(teacher.output):
        raise RunError("the teacher's output is not finite: train it with a lower learning rate")
    student = train_student(job, teacher)
    order.recorder.say(stage="storing embeddings")
    store_pictures(order.data, teacher.output, student.output, order.recorder.run)
    return Found(teacher.info, student.info)


def whole_job(order: Order) -> Job:
    """The run with its whole graph on the device."""
    batch = copy.copy(order.data).to(order.device)  # `to` changes its object, and the loaded graph is shared
    classes = num_classes(order.data)
    return Job(
        order.spec,
        order.recorder,
        order.live,
        batch,
        classes,
        task_of(order.spec),
        order.checkpoint,
        order.fingerprint,
    )


def train_student(job: Job, teacher: Trained) -> Trained:
    """Train the student on the whole graph, and test it."""
    spec = job.spec
    module = new_student(job)
    batch = suited(module, job.batch)
    widths = Widths.of(encode(module, batch, spec.training))
    objective = spec.objective.build(Widths.of(teacher.output), widths).to(batch.x.device)
    targets = objective.targets(teacher.output.detach(), batch)
    weights = job.recorder.run.path / "student.safetensors"
    distiller = Distiller(module, objective, job.task)
    student = train(job, "student", distiller, batch, targets, spec.training, weights)
    for note in larger_student(teacher.info["parameters"], student.info["parameters"]):
        job.recorder.warn(note)
    return student


def new_student(job: Job) -> nn.Module:
    """The untrained student on its device. Seeded anew: it does not depend on whether its teacher was reused."""
    spec, live = job.spec, job.live
    seed_everything(spec.seed, spec.training.deterministic)
    built = spec.student.build(job.batch.num_features, job.classes) if live.student is None else live.student
    return (with_encode(built) if live.student is not None else built).to(job.device)
