"""What a frozen teacher gives for graphs that never change: computed once where memory allows, else for every batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.models.base import Output
from workbench.training.step import autocast
from workbench.training.whole_graphs import encode_batch, in_batches

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection
    from workbench.spec import Training

LIMIT = 2**31  # bytes that are kept at most


class TeacherOutputs:
    """The outputs of ``teacher`` in evaluation mode on any of the graphs ``chosen`` (m,), on the graphs' device.

    Only ``logits`` are kept where no method looks at hidden layers. ``kept`` says whether anything is: more than
    ``limit`` bytes are computed anew for every mini-batch. What is kept is what would be computed, up to rounding: in
    evaluation mode no graph knows of another one.
    """

    def __init__(
        self,
        teacher: nn.Module,
        graphs: GraphCollection,
        chosen: Tensor,
        training: Training,
        hidden: bool = True,
        limit: int = LIMIT,
    ) -> None:
        self.teacher = teacher.eval()
        self.graphs = graphs
        self.training = training
        self.hidden = hidden
        self._logits = torch.empty(0)
        self._layers: list[Tensor] = []
        self.kept = self._bytes(chosen) <= limit
        if self.kept:
            self._fill(chosen)

    def of(self, chosen: Tensor, batch: Any) -> Output:
        """The teacher's output on ``batch``, which holds the graphs ``chosen`` (B,), without gradients."""
        if not self.kept:
            return self._computed(batch)
        rows = self.graphs.rows_of(chosen)
        nodes = self.graphs.nodes_of(chosen) if self._layers else rows
        return Output(self._logits[rows], [layer[nodes] for layer in self._layers])

    @torch.no_grad()
    def _computed(self, batch: Any) -> Output:
        with autocast(batch.x.device, self.training):
            output = encode_batch(self.teacher, batch)
        return output if self.hidden else Output(output.logits, [])

    def _bytes(self, chosen: Tensor) -> int:
        """Of the tensors that would hold everything: a row for every row and node there is, chosen or not."""
        output = self._computed(self.graphs.mini_batch(chosen[:2]))
        nodes, rows = self.graphs.x.shape[0], self.graphs.labels.shape[0]
        row_bytes = [layer.shape[1] * layer.element_size() for layer in (output.logits, *output.hidden)]
        return rows * row_bytes[0] + nodes * sum(row_bytes[1:])

    def _fill(self, chosen: Tensor) -> None:
        graphs = self.graphs
        for part in in_batches(chosen, self.training):
            output = self._computed(graphs.mini_batch(part))
            if not self._logits.numel():
                self._logits = _room(output.logits, graphs.labels.shape[0])
                self._layers = [_room(layer, graphs.x.shape[0]) for layer in output.hidden]
            self._logits[graphs.rows_of(part)] = output.logits
            for kept, layer in zip(self._layers, output.hidden, strict=True):
                kept[graphs.nodes_of(part)] = layer


def _room(like: Tensor, rows: int) -> Tensor:
    return like.new_zeros(rows, like.shape[1])
