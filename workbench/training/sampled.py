"""Epochs of a node model on one large graph: steps on mini-batches of sampled neighbourhoods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.methods.base import PREPARED, SEEDS, TRAIN_AROUND, SplitNodes
from workbench.models.base import Output
from workbench.tasks import split_nodes
from workbench.training.batches import BatchStep, Part
from workbench.training.layerwise import infer, is_layered
from workbench.training.neighbour_sampling import InEdges, neighbour_sampler
from workbench.training.optimiser import make_optimiser
from workbench.training.state import Learner
from workbench.training.step import autocast

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.methods.base import Method
    from workbench.spec import Training
    from workbench.training.distiller import Distiller
    from workbench.training.layerwise import Room

USUAL_SEEDS = 1024

TeacherRows = Callable[[Tensor], Output]  # nodes (n,) -> the frozen teacher's outputs on them, on the host


@dataclass(frozen=True)
class Compared:
    """What the methods of a run compare in a mini-batch.

    ``everywhere``: any node of the graph, not training nodes alone. ``around``: a node with its neighbours too.
    """

    everywhere: bool = False
    around: bool = False

    @classmethod
    def by(cls, methods: Sequence[Method]) -> Compared:
        """What these methods compare. Where a method has an option ``nodes``, that decides; controls look at labels."""
        distilling = [part for part in methods if part.needs and not part.control]
        return cls(
            everywhere=any(getattr(part, "nodes", "all") == "all" for part in distilling),
            around=any("edges" in part.needs or getattr(part, "head", "") == "gcn" for part in distilling),
        )


class SampledStep(BatchStep):
    """Epochs over the nodes of ``graph``, which stays on the host; mini-batches go to ``device``.

    A mini-batch has ``batch_size`` nodes: all nodes of the graph take turns where a method compares nodes everywhere,
    each mini-batch with its share of the training nodes; else training nodes alone. The model reads what the sampler
    draws around them, and only their outputs are compared, with the teacher's of the same nodes.

    Methods on edges (LSP, G-CRD's graph convolution) take the edges that were drawn into these nodes: their ends are
    nodes of the mini-batch or neighbours of the first hop, for which the teacher's outputs are read too. Averages are
    over the nodes of the mini-batch. What is in the outermost hop is drawn for the layers alone.

    An epoch ends with inference on the whole graph, layer by layer, without sampling. A GCN normalises a mini-batch
    by the degrees that its edges have there, as PyG does.
    """

    def __init__(
        self,
        distiller: Distiller,
        graph: Data,
        edges: InEdges,
        teacher: TeacherRows | None,
        training: Training,
        compared: Compared,
        device: torch.device | None = None,
    ) -> None:
        device = device or graph.x.device
        super().__init__(distiller, Learner(distiller, make_optimiser(distiller, training), device), training)
        self.graph = graph
        self.edges = edges
        self.teacher = teacher
        self.compared = compared if teacher is not None else Compared()
        self.device = device
        self._labelled = split_nodes(graph, "train")
        self._others = (~graph.train_mask).nonzero().view(-1)
        self._splits = {split: split_nodes(graph, split) for split in ("train", "val")}
        self._sample = self._sampler(training.fan_out or (-1,))

    def parts(self) -> Sequence[Part]:
        """Mini-batches in random order."""
        others = self._others if self.compared.everywhere else self._others[:0]
        batches = shuffled_seeds(self._labelled, others, self.training.batch_size or USUAL_SEEDS)
        return [partial(self._batch, seeds) for seeds in batches]

    def evaluate(self) -> tuple[dict[str, Tensor], Output]:
        output = infer_whole(self.distiller.student, self.graph, self.edges, self.training, self.device)
        task: Any = self.distiller.task
        batch = with_splits(self.graph, self._splits)
        return {split: task.measure(output.logits, batch, split) for split in ("train", "val")}, output

    def _batch(self, seeds: Tensor) -> tuple[Any, Any, Output]:
        drawn = self._sample(seeds)
        x = features_of(self.graph.x, drawn.n_id).to(self.device)
        output: Output = self.distiller.student.encode(x, drawn.edge_index.to(self.device))  # type: ignore[operator]
        batch, nodes = self._compared(drawn)
        output = Output(output.logits[: nodes.numel()], [layer[: nodes.numel()] for layer in output.hidden])
        if self.teacher is None or self.distiller.objective is None:
            return batch, None, output
        known = self.teacher(nodes)
        known = Output(known.logits.to(self.device), [layer.to(self.device) for layer in known.hidden])
        return batch, self.distiller.objective.targets(known, batch), output

    def _compared(self, drawn: Data) -> tuple[Data, Tensor]:
        """The nodes (n,) whose outputs are compared, seeds first, with labels and the edges among them."""
        from torch_geometric.data import Data

        count, edge_index = drawn.batch_size, drawn.edge_index
        nodes = drawn.n_id[:count]
        edge_index = edge_index[:, edge_index[1] < count]
        if self.compared.around and edge_index.numel():
            nodes = drawn.n_id[: max(count, int(edge_index[0].max()) + 1)]
        else:
            edge_index = edge_index[:, edge_index[0] < count]
        in_training = self.graph.train_mask[nodes]
        splits = SplitNodes(train=in_training[:count].nonzero().view(-1))
        if self.compared.around:
            splits |= {SEEDS: torch.arange(count), TRAIN_AROUND: in_training.nonzero().view(-1)}
        batch = Data(y=self.graph.y[nodes], edge_index=edge_index, num_nodes=nodes.numel()).to(self.device)
        setattr(batch, PREPARED, SplitNodes({name: index.to(self.device) for name, index in splits.items()}))
        return batch, nodes

    def _sampler(self, fan_out: tuple[int, ...]) -> Callable[[Tensor], Data]:
        """What draws neighbours: none for a student that reads no edges, but for those that methods compare."""
        student: Any = self.distiller.student
        if is_layered(student) and student.by_layer().weigh is None:
            if not self.compared.around:
                return _alone
            fan_out = fan_out[:1]
        return neighbour_sampler(
            self.graph.edge_index, self.edges.num_nodes, fan_out, backend="torch", edges=self.edges
        )


def infer_whole(
    model: Any,
    graph: Data,
    edges: InEdges,
    training: Training,
    device: torch.device,
    keep_hidden: bool = True,
    room: Room | None = None,
) -> Output:
    """The output of ``model`` on the whole graph in evaluation mode, layer by layer, in training's number format.

    It is float32, on the host, where ``room`` says: see :func:`~workbench.training.layerwise.infer`.
    """
    with autocast(device, training):
        return infer(model, graph.x, edges, keep_hidden, room or in_memory, device=device)


def in_memory(number: int, rows: int, width: int) -> Tensor:
    """Memory for a layer."""
    return torch.empty(rows, width)


def features_of(x: Tensor, nodes: Tensor) -> Tensor:
    """Rows (n, F) of features that may be of half precision, or in a file, as float32 in memory."""
    return x[nodes].float()


def with_splits(graph: Data, splits: dict[str, Tensor]) -> Data:
    """A shallow copy of the graph that carries its splits, so that masks are not searched again."""
    import copy

    prepared = copy.copy(graph)
    setattr(prepared, PREPARED, SplitNodes(splits))
    return prepared


def shuffled_seeds(train: Tensor, others: Tensor, size: int) -> list[Tensor]:
    """All of the nodes ``train`` (n,) and ``others`` (m,) in random order, in mini-batches of about ``size``.

    Each has its share of both, so that labels are in all of them: where there are fewer training nodes than
    mini-batches, some stand in more than one. A mini-batch has at most one node more than ``size``. One of a single
    node, which has nothing to normalise over, is left for another epoch.
    """
    parts = -(-(train.numel() + others.numel()) // size)
    labelled = train[torch.randperm(train.numel())]
    if labelled.numel():
        labelled = labelled.repeat(-(-parts // labelled.numel()))[: max(parts, train.numel())]
    rest = others[torch.randperm(others.numel())]
    # From both ends, so that the larger parts of the one meet the smaller parts of the other.
    pairs = zip(labelled.tensor_split(parts), reversed(rest.tensor_split(parts)), strict=True)
    return [seeds for seeds in map(torch.cat, pairs) if seeds.numel() > 1]


def _alone(seeds: Tensor) -> Data:
    """The seeds without any neighbour, as a sampler gives them."""
    from torch_geometric.data import Data

    return Data(edge_index=seeds.new_empty(2, 0), n_id=seeds, batch_size=seeds.numel(), num_nodes=seeds.numel())
