"""The latest snapshots of a sequence as one sparse pattern, for models that attend to all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.kernels.edge_attention import RowPattern

if TYPE_CHECKING:
    from workbench.datasets.snapshots import SnapshotSequence


@dataclass(frozen=True)
class SnapshotWindow:
    r"""Nodes and edges of W snapshots, the present one last.

    ``nodes`` (n,) are the numbers of its nodes in the sequence, sorted; ``steps`` the snapshots. The pattern has a row
    for every snapshot and node, ``place in steps · n + place in nodes``, and a column for every node; a node has a row
    without entries before its birth. ``weight`` (E,) is that of the edge in :math:`D^{-1/2} (A + I) D^{-1/2}`.
    """

    nodes: Tensor
    steps: tuple[int, ...]
    pattern: RowPattern
    weight: Tensor

    @classmethod
    def of(
        cls,
        sequence: SnapshotSequence,
        steps: Iterable[int],
        num_nodes: int | None = None,
        also: Tensor | None = None,
        active: bool = False,
    ) -> SnapshotWindow:
        """The snapshots ``steps`` among the first ``num_nodes`` nodes (default: those born by the last of them).

        ``active`` leaves out nodes that have no link to another one in any of these snapshots, except for those of
        ``also`` (m,): nobody attends to them, so nothing changes for the others.
        """
        steps = tuple(steps)
        last = steps[-1]
        size = min(num_nodes if num_nodes is not None else sequence.seen(last), sequence.seen(last))
        graphs = [_normalised(sequence, step, size) for step in steps]
        nodes = torch.arange(size)
        if active:
            nodes = _active([edges for edges, _ in graphs], size, also)
        place = torch.full((size,), -1)
        place[nodes] = torch.arange(nodes.numel())
        rows, columns, weights = [], [], []
        for number, (edges, weight) in enumerate(graphs):
            kept = (place[edges] >= 0).all(0)
            ends = place[edges[:, kept]]
            rows.append(number * nodes.numel() + ends[0])
            columns.append(ends[1])
            weights.append(weight[kept])
        row, col = torch.cat(rows), torch.cat(columns)
        pattern, order = RowPattern.of(row, col, len(steps) * nodes.numel(), nodes.numel())
        return cls(nodes, steps, pattern, torch.cat(weights)[order])

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def num_nodes(self) -> int:
        return self.nodes.numel()

    @property
    def edges(self) -> tuple[Tensor, Tensor]:
        """Rows and columns (E,) of the pattern."""
        return self.pattern.row, self.pattern.col

    def node_of(self, rows: Tensor) -> Tensor:
        """The place among ``nodes`` that a row of the pattern belongs to."""
        return rows % self.num_nodes

    def places(self, nodes: Tensor) -> Tensor:
        """Where ``nodes`` (m,), numbers in the sequence, stand in ``self.nodes``; they must be among them."""
        return torch.searchsorted(self.nodes, nodes)

    def to(self, device: torch.device) -> SnapshotWindow:
        pattern = RowPattern(*(part.to(device) for part in self.pattern))
        return SnapshotWindow(self.nodes.to(device), self.steps, pattern, self.weight.to(device))


def _normalised(sequence: SnapshotSequence, step: int, size: int) -> tuple[Tensor, Tensor]:
    """Edges (2, E) of one snapshot with a loop at every node that is born, and their normalised weights (E,)."""
    edges, weight = sequence.edge_index(step), sequence.edge_weight(step)
    inside = (edges < size).all(0)
    edges, weight = edges[:, inside], weight[inside]
    loops = torch.arange(min(size, sequence.seen(step)))
    edges = torch.cat([edges, loops.expand(2, -1)], dim=1)
    weight = torch.cat([weight, torch.ones(loops.numel())])
    edges, weight = _coalesced(edges, weight, size)
    degree = torch.zeros(size).index_add(0, edges[0], weight)
    root = degree.rsqrt()
    return edges, root[edges[0]] * weight * root[edges[1]]


def _coalesced(edges: Tensor, weight: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Each edge once, with the sum of its weights: a loop of the data and the one that was added are the same."""
    key, place = torch.unique(edges[0] * size + edges[1], return_inverse=True)
    return torch.stack([key // size, key % size]), torch.zeros(key.numel()).index_add(0, place, weight)


def _active(graphs: list[Tensor], size: int, also: Tensor | None) -> Tensor:
    linked = torch.zeros(size, dtype=torch.bool)
    for edges in graphs:
        linked[edges[0, edges[0] != edges[1]]] = True
    if also is not None:
        linked[also] = True
    return linked.nonzero().view(-1)
