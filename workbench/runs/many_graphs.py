"""A run on many graphs, of which each, or each of whose nodes, has a label: teacher, student, test.

Methods that compare nodes act on the nodes of all graphs of a mini-batch together, soft labels on whatever has a label:
decided here, as the papers do not say where their losses on molecules are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from workbench.datasets.base import Metric
from workbench.datasets.graph_collection import GraphCollection
from workbench.errors import UsageError
from workbench.runs.live import Live
from workbench.runs.ways import Found, Order
from workbench.runs.whole_graphs import Kind, Task, carry_out_task, try_out
from workbench.tasks.graph_classification import GraphClassification
from workbench.tasks.multi_label import MultiLabel
from workbench.training.distiller import Distiller
from workbench.training.many_graphs import GraphStep
from workbench.training.teacher_outputs import TeacherOutputs

if TYPE_CHECKING:
    from workbench.spec import Spec, Training


def check(spec: Spec, data: GraphCollection, live: Live) -> list[str]:
    """What can be known to be wrong before a run starts; returns notes, raises UsageError."""
    judge_of(data, spec.dataset.card.metric)
    for role, training in (("teacher-training", spec.teacher_training), ("training", spec.training)):
        if training.batch_size == 1 and data.level == "graph":
            raise UsageError(
                f"a mini-batch of one graph has nothing to normalise over: give --{role}.batch-size 2 or more"
            )
    return try_out(spec, data, live)


def carry_out(order: Order) -> Found:
    """Train teacher and student."""
    graphs: GraphCollection = order.data.to(order.device)
    spec = order.spec
    hidden = any(part.needs & {"hidden", "edges"} for part in spec.method)

    def step(distiller: Distiller, taught: GraphCollection, teacher: nn.Module | None, training: Training) -> GraphStep:
        seen = None
        if teacher is not None:
            order.recorder.say(stage="computing the teacher's outputs")
            seen = TeacherOutputs(teacher, graphs, graphs.of_split("train"), spec.teacher_training, hidden)
        return GraphStep(distiller, taught, seen, training)

    kind = Kind(judge_of(graphs, spec.dataset.card.metric), step, "graph")
    _, found = carry_out_task(Task(order, graphs, kind))
    return found


def judge_of(data: GraphCollection, metric: Metric) -> Any:
    """The task of these labels: one class of several, or independent labels by the ``metric`` that the card names.

    Where it names none for these, those of graphs have their AUC, those of nodes their micro-F1.
    """
    if data.y.dim() == 1:
        if metric != "accuracy":
            raise UsageError(f"{metric} is for independent labels, and there is one class of several: use accuracy")
        return GraphClassification()
    if metric == "accuracy":
        metric = "micro_f1" if data.level == "node" else "auc"
    return MultiLabel(metric)
