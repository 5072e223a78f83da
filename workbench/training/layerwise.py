"""A model's output on a whole graph, layer by layer and block by block, in memory that does not grow with its edges.

Neighbourhoods of several hops overlap: computed layer by layer, every node is computed once per layer, and only the
layer before has to be there (Hamilton, Ying and Leskovec, NeurIPS 2017, compute embeddings of all nodes so). Nothing
is sampled: the result is that of ``encode`` on the whole graph up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import UsageError
from workbench.models.base import Output
from workbench.models.layers.by_layer import Layer, LayerByLayer
from workbench.models.layers.edge_weights import WeightedEdges, averaged, looped, normalised, summed
from workbench.training.neighbour_sampling import InEdges

BLOCK_EDGES = 2**18  # of a block, unless one node has more
BLOCK_NODES = 2**16

# (number of the layer, rows, width) -> where its output is put: a tensor of that shape, possibly in a file
Room = Callable[[int, int, int], Tensor]


def is_layered(model: nn.Module) -> bool:
    """Whether the model can say what its layers are."""
    return callable(getattr(model, "by_layer", None))


@torch.no_grad()
def infer(
    model: nn.Module,
    x: Tensor,
    edges: InEdges,
    keep_hidden: bool = True,
    room: Room | None = None,
    block_edges: int = BLOCK_EDGES,
    device: torch.device | None = None,
) -> Output:
    """What ``encode`` in evaluation mode gives for features x (N, F) of any number format on all ``edges``.

    x, the edges and the output may stay elsewhere (on the host, in files) while blocks are computed on ``device``,
    that of x unless it is given. Without ``keep_hidden`` a layer is forgotten when the next one is there, and
    ``hidden`` is empty; attention is never kept. ``room`` is where layers are put, memory unless it is given.

    Memory beside the layers: one block of at most ``block_edges`` edges (or one node's, where it has more) and the
    features of their ends. Raises UsageError for a model without layers that can be computed one at a time.
    """
    layers = _layers_of(model)
    model.eval()
    device = device or x.device
    blocks = Blocks(edges, layers, block_edges, device, _format(x))
    first = source = x
    hidden = []
    for number, layer in enumerate(layers.layers):
        out = _computed(layer, source, first if layers.needs_first and number else None, blocks, number, room)
        if number == 0:
            first = out
        if layer.hidden and keep_hidden:
            hidden.append(out)
        source = out
    return Output(source, hidden)


def _layers_of(model: nn.Module) -> LayerByLayer:
    if not is_layered(model):
        raise UsageError(
            f"{type(model).__name__} cannot be computed layer by layer: give it a method by_layer(), or train on the "
            f"whole graph"
        )
    layers: LayerByLayer = model.by_layer()  # type: ignore[operator]
    if layers.weigh not in (None, normalised, averaged, looped, summed):
        raise UsageError(
            f"{type(model).__name__} weighs edges in a way of its own, of which is not known what it needs of the "
            f"whole graph: train on the whole graph"
        )
    return layers


class Blocks:
    """Ranges of destination nodes with all edges into them, weighed as the model would on the whole graph."""

    def __init__(
        self, edges: InEdges, layers: LayerByLayer, block_edges: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.edges = edges
        self.weigh = layers.weigh
        self.block_edges = block_edges
        self.device = device
        self.dtype = dtype
        self.scale = _inverse_root_degree(edges).to(dtype) if self.weigh is normalised else None

    def ranges(self, looks_around: bool) -> Iterator[tuple[int, int]]:
        """First node and the one after the last of every block."""
        rowptr, start, count = self.edges.rowptr, 0, self.edges.num_nodes
        while start < count:
            end = min(start + BLOCK_NODES, count)
            if looks_around:
                room = int(torch.searchsorted(rowptr, rowptr[start] + self.block_edges, right=True)) - 1
                end = min(end, max(room, start + 1))
            yield start, end
            start = end

    def around(self, start: int, end: int) -> tuple[Tensor, WeightedEdges]:
        """The nodes (n,) that a block reads, its own first, and its edges in their local numbers."""
        own = torch.arange(start, end, device=self.edges.rowptr.device)
        places, target = self.edges.into(own)
        source = self.edges.col[places]
        if self.weigh is normalised or self.weigh is looped:  # one self-loop at every node
            other = source != own[target]
            source, target = torch.cat([source[other], own]), torch.cat([target[other], own - start])
        weight = self._weights(source, target, start)
        outside = (source < start) | (source >= end)
        strangers, place = torch.unique(source[outside], return_inverse=True)
        local = source - start
        local[outside] = place + end - start
        edge_index = torch.stack([local, target])
        return torch.cat([own, strangers]), WeightedEdges(edge_index.to(self.device), weight.to(self.device))

    def _weights(self, source: Tensor, target: Tensor, start: int) -> Tensor:
        if self.scale is not None:
            return self.scale[source] * self.scale[target + start]
        if self.weigh is averaged:
            return torch.bincount(target).to(self.dtype).reciprocal()[target]
        return torch.ones(source.numel(), dtype=self.dtype, device=source.device)


def _inverse_root_degree(edges: InEdges) -> Tensor:
    """One over the root of every node's in-degree (N,) with one self-loop each."""
    degree = edges.rowptr.diff()
    loops = torch.zeros_like(degree)
    for start in range(0, edges.col.numel(), BLOCK_EDGES):
        source = edges.col[start : start + BLOCK_EDGES]
        place = torch.arange(start, start + source.numel(), device=source.device)
        target = torch.searchsorted(edges.rowptr, place, right=True) - 1
        loops += torch.bincount(source[source == target], minlength=loops.numel())
    return (degree - loops + 1).double().rsqrt()


def _computed(
    layer: Layer, source: Tensor, first: Tensor | None, blocks: Blocks, number: int, room: Room | None
) -> Tensor:
    """The layer's output (N, d') on the rows of ``source`` (N, d)."""
    found: Tensor | None = None
    looks_around = layer.looks_around and blocks.weigh is not None
    for start, end in blocks.ranges(looks_around):
        if looks_around:
            nodes, edges = blocks.around(start, end)
            rows = _rows(source, nodes, blocks.device)
            own = rows if first is None else _rows(first, nodes, blocks.device)
        else:
            edges = None
            rows = _rows(source, slice(start, end), blocks.device)
            own = rows if first is None else _rows(first, slice(start, end), blocks.device)
        out = layer.apply(rows, edges, own)[: end - start]
        if found is None:
            shape = (source.shape[0], out.shape[1])
            found = out.new_empty(shape, device=source.device) if room is None else room(number, *shape)
        found[start:end] = out.to(found)
    assert found is not None  # a graph has nodes
    return found


def _rows(features: Tensor, chosen: Any, device: torch.device) -> Tensor:
    rows = features[chosen].to(device)
    return rows.to(_format(rows))


def _format(features: Tensor) -> torch.dtype:
    """Features of half precision are computed with in float32."""
    return torch.float64 if features.dtype == torch.float64 else torch.float32
