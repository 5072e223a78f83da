"""Neighbourhoods of a few nodes drawn from a graph that is too large for one step: neighbour sampling.

Hamilton, Ying and Leskovec, NeurIPS 2017, arXiv 1706.02216. The mini-batches have the format of PyG's
``NeighborLoader``, whose own sampler is used where it is installed; this one needs torch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from workbench.errors import UsageError
from workbench.kernels.csr import check_edges, row_pointer

if TYPE_CHECKING:
    from torch_geometric.data import Data

ALL = -1  # as many neighbours as there are
Backend = Literal["auto", "torch", "pyg"]


class InEdges(NamedTuple):
    """The edges of a graph by destination: ``rowptr`` (N + 1,) where those into every node begin, ``col`` (E,) their
    sources, ``edge`` (E,) their places in the ``edge_index`` that they came from."""

    rowptr: Tensor
    col: Tensor
    edge: Tensor

    @classmethod
    def of(cls, edge_index: Tensor, num_nodes: int) -> InEdges:
        """Of edge_index (2, E). Costs one sort of E numbers. Raises UsageError for an edge to no node."""
        check_edges(edge_index, num_nodes)
        row, edge = edge_index[1].sort(stable=True)
        return cls(row_pointer(row, num_nodes), edge_index[0][edge], edge)

    @property
    def num_nodes(self) -> int:
        return self.rowptr.numel() - 1

    def degree(self, nodes: Tensor) -> Tensor:
        """Number of edges into each of the nodes (n,)."""
        return self.rowptr[nodes + 1] - self.rowptr[nodes]

    def into(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Places in ``col`` of all edges into the nodes (n,), and the node (0 … n − 1) each leads to; both (e,)."""
        degree = self.degree(nodes)
        target = torch.arange(nodes.numel(), device=nodes.device).repeat_interleave(degree)
        first = degree.cumsum(0) - degree  # (n,) where the edges of each begin in the result
        return torch.arange(target.numel(), device=nodes.device) + (self.rowptr[nodes] - first)[target], target


def draw_below(count: Tensor, generator: torch.Generator | None) -> Tensor:
    """A random whole number in 0 … count − 1 for each ``count`` (…); uniform up to the 53 bits of a float64."""
    uniform = torch.rand(count.shape, dtype=torch.float64, device=count.device, generator=generator)
    return (uniform * count).long().minimum(count - 1)


def draw_subsets(population: Tensor, size: int, generator: torch.Generator | None = None) -> Tensor:
    """``size`` different numbers of 0 … p − 1 for each p of ``population`` (n,), which must be at least ``size``.

    Every subset is equally likely (Floyd's algorithm: Bentley and Floyd, CACM 30(9), 1987); its order is not random.
    Time grows with n · size², memory with n · size: not with the populations, so hubs cost nothing.

    Shapes: (n,) -> (n, size).
    """
    found = population.new_empty(population.numel(), size)
    for place in range(size):
        newest = population - size + place  # (n,), larger than all that stand in `found` already
        drawn = draw_below(newest + 1, generator)
        taken = (found[:, :place] == drawn[:, None]).any(1)
        found[:, place] = torch.where(taken, newest, drawn)
    return found


class NeighbourSampler:
    """Draws, hop by hop, in-neighbours of seed nodes; what it draws is a graph of local numbers.

    ``num_neighbors`` has one number for each hop, from the seeds outwards, and -1 takes all. A node is expanded once,
    in the hop after the one that found it. Without ``replace`` every set of so many edges is equally likely, and a
    node with fewer has them all; with it every edge is drawn by itself.

    Memory: the edges by destination, and one number for every node of the graph.
    """

    def __init__(
        self, edges: InEdges, num_neighbors: Sequence[int], replace: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        self.edges = edges
        self.num_neighbors = check_fan_out(num_neighbors)
        self.replace = replace
        self.generator = generator
        self._position = torch.full((edges.num_nodes,), -1, dtype=torch.long, device=edges.col.device)

    def sample(self, seeds: Tensor) -> Data:
        """The neighbourhood of ``seeds`` (B,), which differ.

        Returns a ``Data`` without features: ``edge_index`` (2, E') towards the seeds in local numbers, ``n_id`` (n,)
        the nodes, seeds first in their order and every hop in ascending order, ``e_id`` (E',) the edges, hop by hop
        in the order of the nodes that they lead to, ``batch_size`` B, and ``num_sampled_nodes`` and
        ``num_sampled_edges`` as lists by hop. Raises UsageError for a node that stands twice or is not there.
        """
        from torch_geometric.data import Data

        self._check(seeds)
        nodes, rows, cols, chosen = [seeds], [], [], []
        self._position[seeds] = torch.arange(seeds.numel(), device=seeds.device)
        reached, frontier = seeds.numel(), seeds
        try:
            for count in self.num_neighbors:
                places, target = self._edges_into(frontier, count)
                source = self.edges.col[places]
                found = torch.unique(source[self._position[source] < 0])
                self._position[found] = torch.arange(reached, reached + found.numel(), device=seeds.device)
                nodes.append(found)
                rows.append(self._position[source])
                cols.append(target + reached - frontier.numel())
                chosen.append(self.edges.edge[places])
                reached, frontier = reached + found.numel(), found
        finally:  # only what was touched: a batch costs nothing that grows with the graph
            self._position[torch.cat(nodes)] = -1
        batch = Data(edge_index=torch.stack([torch.cat(rows), torch.cat(cols)]))
        batch.n_id, batch.e_id, batch.batch_size = torch.cat(nodes), torch.cat(chosen), seeds.numel()
        batch.num_nodes = reached
        batch.num_sampled_nodes = [part.numel() for part in nodes]
        batch.num_sampled_edges = [part.numel() for part in chosen]
        return batch

    def _edges_into(self, nodes: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Places of at most ``count`` edges into each of the nodes (n,), and the node that each leads to, ascending."""
        if count == ALL:
            return self.edges.into(nodes)
        degree = self.edges.degree(nodes)
        drawn_from = degree > (0 if self.replace else count)
        many, whole = drawn_from.nonzero().view(-1), (~drawn_from).nonzero().view(-1)
        if self.replace:
            offsets = draw_below(degree[many, None].expand(-1, count), self.generator)
        else:
            offsets = draw_subsets(degree[many], count, self.generator)  # (m, count)
        drawn = (self.edges.rowptr[nodes[many], None] + offsets).view(-1)
        places, target = self.edges.into(nodes[whole])
        places, target = torch.cat([drawn, places]), torch.cat([many.repeat_interleave(count), whole[target]])
        target, order = target.sort(stable=True)
        return places[order], target

    def _check(self, seeds: Tensor) -> None:
        if seeds.numel() == 0:
            raise UsageError("there is no node to draw neighbours of: give at least one")
        low, high = int(seeds.min()), int(seeds.max())
        if low < 0 or high >= self.edges.num_nodes:
            raise UsageError(
                f"node {low if low < 0 else high} is not one of the {self.edges.num_nodes} nodes of the graph"
            )
        if torch.unique(seeds).numel() != seeds.numel():
            raise UsageError("a node stands twice among those whose neighbours are drawn: give each one once")


def check_fan_out(num_neighbors: Sequence[int]) -> tuple[int, ...]:
    """Numbers of neighbours by hop; raises UsageError for none and for one that is neither positive nor -1."""
    if not num_neighbors or any(count < 1 and count != ALL for count in num_neighbors):
        raise UsageError(
            f"num_neighbors has a positive number for every hop, or -1 for all neighbours (got {list(num_neighbors)})"
        )
    return tuple(num_neighbors)


def has_pyg_sampler() -> bool:
    """Whether PyG's own sampler works here: it needs pyg-lib or torch-sparse, which are compiled."""
    from torch_geometric import typing

    return bool(typing.WITH_PYG_LIB or typing.WITH_TORCH_SPARSE)


def neighbour_sampler(
    edge_index: Tensor,
    num_nodes: int,
    num_neighbors: Sequence[int],
    replace: bool = False,
    backend: Backend = "auto",
    edges: InEdges | None = None,
) -> Callable[[Tensor], Data]:
    """A function from seeds (B,) to their neighbourhood, with numbers from torch's global random state.

    PyG's sampler where it is installed and the graph is on the CPU, unless ``backend`` is ``torch``. The order of
    nodes within a hop differs between the two, the distribution does not. ``edges`` are those of edge_index by
    destination, where they have been sorted already. Raises UsageError for ``pyg`` without it.
    """
    check_fan_out(num_neighbors)
    if backend == "pyg" and not has_pyg_sampler():
        raise UsageError("PyG's neighbour sampler needs pyg-lib or torch-sparse: install one, or use backend='torch'")
    if backend == "torch" or not has_pyg_sampler() or edge_index.device.type != "cpu":
        return NeighbourSampler(edges or InEdges.of(edge_index, num_nodes), num_neighbors, replace).sample
    from torch_geometric.data import Data
    from torch_geometric.loader import NeighborLoader

    check_edges(edge_index, num_nodes)
    graph = Data(edge_index=edge_index, num_nodes=num_nodes)
    return NeighborLoader(graph, list(num_neighbors), replace=replace)
