"""A run on point clouds, of which each has a class: teacher, student, test, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.datasets.point_clouds import PointClouds
from workbench.errors import UsageError
from workbench.runs.cloud_pictures import store_clouds
from workbench.runs.live import Live
from workbench.runs.ways import Found, Order
from workbench.runs.whole_graphs import Kind, Task, carry_out_task, try_out
from workbench.tasks.graph_classification import GraphClassification
from workbench.training.clouds import CloudStep

if TYPE_CHECKING:
    from workbench.spec import Spec


def check(spec: Spec, data: PointClouds, live: Live) -> list[str]:
    """What can be known to be wrong before a run starts; returns notes, raises UsageError."""
    for role, training in (("teacher-training", spec.teacher_training), ("training", spec.training)):
        if training.batch_size == 1:
            raise UsageError(
                f"a mini-batch of one shape has nothing to normalise over: give --{role}.batch-size 2 or more"
            )
    return try_out(spec, data, live)


def carry_out(order: Order) -> Found:
    """Train teacher and student, and store what views draw."""
    clouds: PointClouds = order.data.to(order.device)
    models, found = carry_out_task(Task(order, clouds, Kind(GraphClassification(), CloudStep, "shape")))
    order.recorder.say(stage="storing point clouds")
    store_clouds(clouds, models, order.recorder.run)
    return found
