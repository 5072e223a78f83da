"""A graph's edges as compressed rows: sorted by destination once, so that every kernel reads them in order."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.errors import UsageError


class EdgePattern(NamedTuple):
    """Edges (j → i) sorted by destination i and then by source j; duplicate edges stand side by side.

    ``rowptr`` (N + 1,) where the in-edges of every node begin, ``col`` (E,) their sources, ``row`` (E,) their
    destinations, ``order`` (E,) their places in the ``edge_index`` they came from, ``transposed`` (E,) the edges in
    the order of their sources and then destinations: that of the transposed matrix. ``symmetric`` says that every
    edge has its reverse as often as itself; then ``transposed[e]`` is the reverse of edge e.
    """

    rowptr: Tensor
    col: Tensor
    row: Tensor
    order: Tensor
    transposed: Tensor
    symmetric: bool

    @classmethod
    def of(cls, edge_index: Tensor, num_nodes: int) -> EdgePattern:
        """Of edge_index (2, E) among ``num_nodes`` nodes. Costs two sorts of E numbers.

        Raises UsageError for an edge whose end is not one of the nodes.
        """
        check_edges(edge_index, num_nodes)
        source, destination = edge_index[0], edge_index[1]
        key, order = (destination * num_nodes + source).sort(stable=True)
        col, row = source[order], destination[order]
        reverse, transposed = (col * num_nodes + row).sort(stable=True)
        return cls(row_pointer(row, num_nodes), col, row, order, transposed, torch.equal(reverse, key))

    @property
    def num_nodes(self) -> int:
        return self.rowptr.numel() - 1

    @property
    def num_edges(self) -> int:
        return self.col.numel()

    def transposed_pointers(self) -> tuple[Tensor, Tensor]:
        """``rowptr`` and ``col`` of the transposed matrix: the out-edges of every node."""
        if self.symmetric:
            return self.rowptr, self.col
        return row_pointer(self.col[self.transposed], self.num_nodes), self.row[self.transposed]

    def matrix(self, values: Tensor) -> Tensor:
        """Sparse CSR (N, N) with ``values`` (E,) at the edges; edges that stand twice add up in products."""
        return csr_matrix(self.rowptr, self.col, values, self.num_nodes)

    def transposed_matrix(self, values: Tensor) -> Tensor:
        """The transposed of :meth:`matrix`, without a conversion."""
        return csr_matrix(*self.transposed_pointers(), values[self.transposed], self.num_nodes)


def check_edges(edge_index: Tensor, num_nodes: int) -> None:
    """Refuse what is no (2, E) list of edges among ``num_nodes`` nodes; raises UsageError."""
    check_edge_list(edge_index)
    if edge_index.numel() == 0:
        return
    low, high = torch.stack(edge_index.aminmax()).tolist()
    if low < 0 or high >= num_nodes:
        raise UsageError(
            f"edge_index names node {low if low < 0 else high}, and there are {num_nodes} nodes, 0 to {num_nodes - 1}: "
            f"give the features of all nodes, or edges among these only"
        )


def check_edge_list(edge_index: Tensor) -> None:
    """Refuse what is no (2, E) tensor of node numbers; raises UsageError."""
    if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.dtype != torch.long:
        raise UsageError(
            f"edge_index is a (2, E) tensor of node numbers (torch.long); got shape {tuple(edge_index.shape)} "
            f"and {edge_index.dtype}"
        )


def union_edges(first: Tensor, second: Tensor) -> Tensor:
    """Edges (2, E) that stand in either of two edge lists (2, E1) and (2, E2), each once, sorted by destination.

    Raises UsageError for what is no list of edges.
    """
    for edge_index in (first, second):
        check_edge_list(edge_index)
    source, destination = torch.cat([first, second], dim=1)
    if source.numel() == 0:
        return first
    size = int(source.max()) + 1
    key = torch.unique(destination * size + source)
    return torch.stack([key % size, key // size])


def row_pointer(row: Tensor, num_rows: int) -> Tensor:
    """Where every row begins in a sorted list of row numbers (E,) -> (num_rows + 1,)."""
    counts = torch.bincount(row, minlength=num_rows)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def csr_matrix(rowptr: Tensor, col: Tensor, values: Tensor, num_columns: int) -> Tensor:
    """Sparse CSR (rows, num_columns) of its parts, which are not checked."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        shape = (rowptr.numel() - 1, num_columns)
        return torch.sparse_csr_tensor(rowptr, col, values, shape, check_invariants=False)
