"""A run on one graph whose student, teacher or both are trained on mini-batches of sampled neighbourhoods."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.datasets.measure import num_classes
from workbench.errors import RunError, UsageError
from workbench.methods.base import Widths
from workbench.models.base import Output
from workbench.runs.node_classification import new_student, task_of, train_student, whole_job
from workbench.runs.pictures import store_pictures
from workbench.runs.probe import larger_student
from workbench.runs.teacher import obtain_teacher
from workbench.runs.teacher_arrays import key_of, teacher_arrays
from workbench.runs.trained import Job, Trained, is_finite, latency, train
from workbench.runs.ways import Found, Order
from workbench.training.device import synchronise
from workbench.training.distiller import Distiller
from workbench.training.layerwise import is_layered
from workbench.training.loop import train_epochs
from workbench.training.neighbour_sampling import InEdges
from workbench.training.sampled import USUAL_SEEDS, Compared, SampledStep, infer_whole

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.runs.live import Live
    from workbench.spec import Spec, Training
    from workbench.training.checkpoint import Checkpoint
    from workbench.training.layerwise import Room
    from workbench.training.loop import Fitted

PROBE_NODES = 8
WHOLE_UP_TO = 5_000_000  # edges of a graph that inference is timed on at once, as in a run without sampling
PICTURES_UP_TO = 100_000_000  # numbers of a model's output that is drawn


@dataclass
class SampledJob(Job):
    """A run whose graph stays on the host, while models and mini-batches are on :attr:`device`."""

    where: torch.device = field(default_factory=lambda: torch.device("cpu"))
    edges: InEdges = field(kw_only=True)

    @property
    def device(self) -> torch.device:
        return self.where

    def suited(self, module: nn.Module) -> Data:
        return self.batch

    def fitted(
        self, distiller: Distiller, batch: Data, targets: Any, training: Training, checkpoint: Checkpoint | None
    ) -> Fitted:
        """``targets`` is what reads the teacher's outputs, or None for a teacher."""
        compared = Compared.by(self.spec.method)
        step = SampledStep(distiller, batch, self.edges, targets, training, compared, self.device)
        return train_epochs(step, distiller, training, self.recorder, checkpoint)

    def output(self, module: nn.Module, batch: Data, training: Training) -> Output:
        # A student that is trained on the whole graph may be compared with any layer, however large.
        keep_hidden = self._draws(module) or self.spec.training.fan_out is None
        return infer_whole(module, batch, self.edges, training, self.device, keep_hidden)

    def latency(self, module: nn.Module, batch: Data, training: Training) -> float:
        """Of the whole graph at once where that is not too large, else layer by layer, once."""
        if batch.num_edges <= WHOLE_UP_TO:
            return latency(module, whole_on(self.device, batch), training)
        started = time.perf_counter()
        infer_whole(module, batch, self.edges, training, self.device, keep_hidden=False)
        synchronise(self.device)
        return round(1000 * (time.perf_counter() - started), 3)

    def widths(self, module: nn.Module) -> Widths:
        """What the module gives for a handful of nodes."""
        x = self.batch.x[:PROBE_NODES].float().to(self.device)
        edge_index = torch.empty(2, 0, dtype=torch.long, device=self.device)
        with torch.no_grad():
            return Widths.of(module.eval().encode(x, edge_index))  # type: ignore[operator]

    def _draws(self, module: nn.Module) -> bool:
        return self.batch.num_nodes * sum(self.widths(module).layers) <= PICTURES_UP_TO


def check_sampled(spec: Spec, data: Data, live: Live) -> list[str]:
    """Notes on hops that do not fit a model's depth. Raises UsageError for a model that sampling cannot train."""
    notes = []
    for role, training in (("teacher", spec.teacher_training), ("student", spec.training)):
        if training.fan_out is None:
            continue
        model: Any = getattr(live, role)
        if model is None:
            with torch.device("meta"):  # no memory, and no random number
                model = getattr(spec, role).build(data.num_features, num_classes(data))
        if not is_layered(model):
            raise UsageError(
                f"{role} {getattr(spec, role).name!r} cannot be computed layer by layer, which evaluation on a sampled "
                f"graph does: take one of gcn, sage, gat, gatv2, gin, gcnii, mlp, or leave num_neighbors out"
            )
        layers = model.by_layer()
        depth = 0 if layers.weigh is None else sum(layer.looks_around for layer in layers.layers)
        if depth > len(training.fan_out):
            notes.append(
                f"the {role} looks {depth} hops far and num_neighbors has {len(training.fan_out)}: what is beyond is "
                f"missing in training"
            )
    if spec.training.fan_out is not None:
        _check_pairs(spec, int(data.train_mask.sum()), data.num_nodes)
    return notes


def _check_pairs(spec: Spec, train_nodes: int, nodes: int) -> None:
    """Raises UsageError where a mini-batch may hold one training node alone, and a method compares these nodes."""
    on_training = [part.name for part in spec.method if getattr(part, "nodes", "all") == "train"]
    batches = -(-nodes // (spec.training.batch_size or USUAL_SEEDS))
    if on_training and Compared.by(spec.method).everywhere and train_nodes < 2 * batches:
        raise UsageError(
            f"{', '.join(on_training)} compares training nodes, and {batches:,} mini-batches share {train_nodes:,} of "
            f"them: give a larger batch_size, so that each has two"
        )


def carry_out_sampled(order: Order) -> Found:
    """Train teacher and student, each on the whole graph or on mini-batches as its training says."""
    spec, graph = order.spec, order.data
    edges = InEdges.of(graph.edge_index, graph.num_nodes)
    job = SampledJob(
        spec, order.recorder, order.live, graph, num_classes(graph), task_of(spec), order.checkpoint,
        order.fingerprint, where=order.device, edges=edges,
    )  # fmt: skip
    teacher = obtain_teacher(job if spec.teacher_training.fan_out else whole_job(order))
    if not is_finite(teacher.output):
        raise RunError("the teacher's output is not finite: train it with a lower learning rate")
    if spec.training.fan_out:
        student = _student(job, teacher)
    else:
        student = train_student(whole_job(order), _on(order.device, teacher))
    order.recorder.say(stage="storing embeddings")
    if all(_is_whole(found, job) for found in (teacher, student)):
        store_pictures(graph, teacher.output, student.output, order.recorder.run)
    else:
        order.recorder.warn("the outputs are too large to be drawn: no picture is stored")
    return Found(teacher.info, student.info)


def whole_on(device: torch.device, batch: Data) -> Data:
    """A copy of the graph on the device, as float32."""
    import copy

    moved = copy.copy(batch)
    moved.x = batch.x.float()
    return moved.to(device)


def _on(device: torch.device, found: Trained) -> Trained:
    """The same model with its output on the device: that of a sampled one lies on the host."""
    output = Output(found.output.logits.to(device), [layer.to(device) for layer in found.output.hidden])
    return replace(found, output=output)


def _is_whole(found: Trained, job: SampledJob) -> bool:
    return len(found.output.hidden) == len(job.widths(found.module).hidden)


def _student(job: SampledJob, teacher: Trained) -> Trained:
    """Train the student on mini-batches, and test it on the whole graph."""
    spec = job.spec
    module = new_student(job)
    objective = spec.objective.build(job.widths(teacher.module), job.widths(module)).to(job.device)
    distiller = Distiller(module, objective, job.task)
    weights: Path = job.recorder.run.path / "student.safetensors"
    student = train(job, "student", distiller, job.batch, _stored(job, teacher), spec.training, weights)
    for note in larger_student(teacher.info["parameters"], student.info["parameters"]):
        job.recorder.warn(note)
    return student


def _stored(job: SampledJob, teacher: Trained) -> Any:
    """What reads the teacher's outputs by node; None where no method asks for them."""
    methods = job.spec.method
    if not any(part.needs and not part.control for part in methods):
        return _nothing
    training = job.spec.teacher_training
    hidden = any(part.needs & {"hidden", "edges"} for part in methods)
    job.recorder.say(stage="storing the teacher's outputs")
    # Two teachers may have the same weights and differ in an option (an untrained GCNII's alpha).
    key = key_of(teacher.module, f"{job.fingerprint} {job.spec.teacher_id}", training.precision)
    return teacher_arrays(job.recorder.run.path.parent, key, partial(_make, job, teacher.module, training), hidden)


def _make(job: SampledJob, module: nn.Module, training: Training, room: Room) -> Output:
    if is_layered(module):
        return infer_whole(module, job.batch, job.edges, training, job.device, room=room)
    found = Job.output(job, module, whole_on(job.device, job.batch), training)
    return Output(found.logits, found.hidden)


def _nothing(nodes: torch.Tensor) -> Output:
    """For methods that look at labels alone."""
    return Output(torch.empty(nodes.numel(), 0), [])
