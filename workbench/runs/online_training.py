"""One model of snapshots, trained at one step: on its window, with what its teacher knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from workbench.methods.base import Sum, Widths
from workbench.models.snapshot_window import SnapshotWindow
from workbench.runs.online_data import Stage, check_no_leak, check_no_test_link
from workbench.runs.ways import Order
from workbench.tasks.link_prediction import LinkPrediction
from workbench.training.distiller import Distiller
from workbench.training.links import Draws, LinkStep, TeacherView
from workbench.training.loop import train_epochs
from workbench.training.walks import Contexts

if TYPE_CHECKING:
    from workbench.models.dysat import DySAT
    from workbench.runs.online_progress import StepRecorder
    from workbench.settings import Training

FAR = 2**40  # walks of a snapshot have random numbers to themselves


@dataclass
class Learning:
    """Who learns what, and how."""

    order: Order
    stage: Stage
    who: str
    training: Training


@dataclass
class Learned:
    """A model with its best weights, and how it got there."""

    student: DySAT
    seconds: float
    info: dict[str, Any]


def learn(
    learning: Learning, student: DySAT, method: Sum | None, teacher: DySAT | None, recorder: StepRecorder
) -> Learned:
    """Train ``student`` in place; afterwards it holds the weights of its best epoch on validation."""
    stage, order = learning.stage, learning.order
    if not stage.teaches(student.window + 1):  # nothing happened lately: the student stays as it is
        return Learned(student.eval(), 0.0, {"best_epoch": None, "epochs": 0, "seconds": 0.0})
    steps = stage.window(student.window + 1)
    pairs = stage.splits
    also = torch.cat([part.both.view(-1) for name, part in pairs.items() if name != "test"]) if pairs else None
    window = SnapshotWindow.of(stage.data, steps, stage.nodes, also, active=True).to(order.device)
    if pairs and stage.spec.protocol.predict == "new":
        _refuse_test_links(stage, steps)
    view = teacher_view(stage, teacher, order.device) if method is not None and teacher is not None else None
    objective = None
    if method is not None and view is not None:
        widths = Widths((student.hidden_channels,), student.hidden_channels)
        objective = method.build(Widths((view.sequence.shape[2],), view.sequence.shape[2]), widths).to(order.device)
    protocol = stage.spec.protocol
    distiller = Distiller(student, objective, LinkPrediction(protocol.negative_weight))
    step = LinkStep(
        distiller,
        window,
        [walked(stage, at).to(order.device) for at in steps],
        view,
        (pairs["train"], pairs["val"]) if pairs else None,
        Draws(protocol.positives, protocol.negatives),
        learning.training,
    )
    recorder.begin(learning.training.epochs)
    fitted = train_epochs(step, distiller, learning.training, recorder, recorder.checkpoint_of())
    student.load_state_dict(fitted.weights)
    student.eval()
    info = {"best_epoch": fitted.best.epoch, "epochs": fitted.epochs, "seconds": round(fitted.seconds, 3)}
    return Learned(student, fitted.seconds, info)


@torch.no_grad()
def teacher_view(stage: Stage, teacher: DySAT, device: torch.device) -> TeacherView:
    """The frozen teacher's embeddings of the nodes that it knows, over its latest snapshots up to the present one."""
    window = SnapshotWindow.of(stage.data, stage.window(teacher.window + 1), stage.known).to(device)
    sequence = teacher.eval().encode(window).sequence
    assert sequence is not None
    return TeacherView(sequence)


def walked(stage: Stage, at: int) -> Contexts:
    """The walks of one snapshot: the same for every model and step of a run, and for every run of its seed."""
    data, protocol = stage.data, stage.spec.protocol
    check_no_leak(at, stage.step)
    return Contexts.of(
        data.edge_index(at),
        data.edge_weight(at),
        data.num_nodes,
        walks=protocol.walks,
        length=protocol.walk_length,
        reach=protocol.context,
        generator=torch.Generator().manual_seed(FAR + stage.spec.seed * 100_003 + at),
    )


def _refuse_test_links(stage: Stage, steps: range) -> None:
    for at in steps:
        check_no_test_link(stage.data.edge_index(at), stage.splits["test"].links, stage.data.num_nodes)
