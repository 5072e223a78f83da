"""A run on one graph whose nodes are classified: teacher, student, test, pictures."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch import nn

from workbench.datasets.measure import num_classes
from workbench.errors import RunError
from workbench.methods.base import Widths
from workbench.runs.live import Live, with_encode
from workbench.runs.pictures import store_pictures
from workbench.runs.probe import larger_student, probe
from workbench.runs.teacher import obtain_teacher
from workbench.runs.trained import Job, Trained, is_finite, suited, train
from workbench.runs.ways import Found, Order
from workbench.tasks import NodeClassification
from workbench.training.distiller import Distiller
from workbench.training.loop import encode
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Spec


def check(spec: Spec, data: Data, live: Live) -> list[str]:
    """What can be known to be wrong before a run starts; returns notes, raises UsageError."""
    return probe(spec, data, live)


def carry_out(order: Order) -> Found:
    """Train teacher and student, and store what views draw."""
    batch = copy.copy(order.data).to(order.device)  # `to` changes its object, and the loaded graph is shared
    classes = num_classes(order.data)
    job = Job(
        order.spec,
        order.recorder,
        order.live,
        batch,
        classes,
        NodeClassification(),
        order.checkpoint,
        order.fingerprint,
    )
    teacher = obtain_teacher(job)
    if not is_finite(teacher.output):
        raise RunError("the teacher's output is not finite: train it with a lower learning rate")
    student = _student(job, teacher)
    order.recorder.say(stage="storing embeddings")
    store_pictures(order.data, teacher.output, student.output, order.recorder.run)
    return Found(teacher.info, student.info)


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
    for note in larger_student(teacher.info["parameters"], student.info["parameters"]):
        job.recorder.warn(note)
    return student


def _built(job: Job) -> nn.Module:
    return job.spec.student.build(job.batch.num_features, job.classes)
