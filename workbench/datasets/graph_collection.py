"""Many graphs end to end in a few tensors: what a dataset of graphs gives, and its mini-batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.channels import Channels
from workbench.datasets.graph_faults import graph_faults
from workbench.datasets.point_clouds import SPLITS
from workbench.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch_geometric.data import Data

Level = Literal["graph", "node"]
TENSORS = ("x", "edge_index", "edge_attr", "node_slices", "edge_slices", "y", "split")


@dataclass(eq=False)
class GraphCollection:
    """M graphs with N nodes and E edges in all.

    ``x`` (N, F) float32, or (N, K) int64 where features are categories: then K numbers from 0 to
    ``node_categories`` − 1 for each node. ``edge_index`` (2, E) int64 numbers the nodes of each graph from 0.
    ``node_slices`` and ``edge_slices`` (M + 1,) say where the nodes and edges of every graph begin. ``y`` has a row for
    every graph, or with ``level="node"`` for every node: (…,) int64 classes, or (…, L) float32 of 0 and 1 for
    independent labels, NaN where one is missing. ``split`` (M,) int8: 1 train, 2 validation, 3 test, always of whole
    graphs. ``edge_attr`` (E, D) float32, or int64 categories below ``edge_categories``; None where there is none.
    """

    x: Tensor
    edge_index: Tensor
    node_slices: Tensor
    edge_slices: Tensor
    y: Tensor
    split: Tensor
    level: Level = "graph"
    edge_attr: Tensor | None = None
    node_categories: int = 0
    edge_categories: int = 0

    @classmethod
    def of_arrays(
        cls,
        x: NDArray[Any],
        edge_index: NDArray[Any],
        graph: NDArray[Any],
        y: NDArray[Any],
        split: NDArray[Any],
        level: Level = "graph",
        edge_attr: NDArray[Any] | None = None,
        **categories: int,
    ) -> GraphCollection:
        """The same of NumPy arrays: ``graph`` (N,) says in rising order which graph each node is of, and
        ``edge_index`` (2, E) numbers the nodes through; edges may stand in any order."""
        import torch

        def tensor(array: NDArray[Any], kind: Any) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array, dtype=kind))

        def features(array: NDArray[Any]) -> Tensor:
            return tensor(array, np.int64 if array.dtype.kind in "iu" else np.float32)

        graphs = len(split)
        node_slices = np.searchsorted(graph, np.arange(graphs + 1))
        owner = graph[edge_index[0]]  # (E,)
        order = np.argsort(owner, kind="stable")
        local = edge_index[:, order] - node_slices[owner[order]]
        return cls(
            features(x),
            tensor(local, np.int64),
            tensor(node_slices, np.int64),
            tensor(np.searchsorted(owner[order], np.arange(graphs + 1)), np.int64),
            tensor(y, np.float32 if y.ndim == 2 else np.int64),
            tensor(split, np.int8),
            level,
            None if edge_attr is None else features(edge_attr[order]),
            **categories,
        )

    @property
    def num_features(self) -> Channels:
        """Width of the nodes' features, which knows that of the edges'."""
        nodes = self.node_categories or self.x.shape[1]
        edges = 0 if self.edge_attr is None else self.edge_categories or self.edge_attr.shape[1]
        return Channels(nodes, edges)

    @cached_property
    def num_classes(self) -> int:
        """Classes, or independent labels: how many outputs a model has."""
        return int(self.y.max()) + 1 if self.y.dim() == 1 else int(self.y.shape[1])

    def __len__(self) -> int:
        """Number of graphs."""
        return int(self.split.numel())

    def of_split(self, split: str) -> Tensor:
        """Numbers (m,) of the graphs of ``train``, ``val`` or ``test``."""
        return (self.split == SPLITS[split]).nonzero().view(-1)

    def nodes_of(self, graphs: Tensor) -> Tensor:
        """Numbers (n,) of the nodes of ``graphs`` (B,), graph after graph."""
        return ranges(self.node_slices, graphs)[0]

    def rows_of(self, graphs: Tensor) -> Tensor:
        """Which rows of ``y``, and of a model's logits, belong to ``graphs`` (B,): these, or their nodes."""
        return graphs if self.level == "graph" else self.nodes_of(graphs)

    def labels_of(self, graphs: Tensor) -> Tensor:
        """The labels of ``graphs`` (B,), or of their nodes."""
        return self.y[self.rows_of(graphs)]

    def with_labels(self, y: Tensor) -> GraphCollection:
        """The same graphs with other labels."""
        return replace(self, y=y)

    @property
    def labels(self) -> Tensor:
        return self.y

    def mini_batch(self, graphs: Tensor) -> Data:
        """The graphs with the numbers ``graphs`` (B,), as one PyG ``Data`` with disjoint parts.

        It holds ``x`` (n, F), ``edge_index`` (2, e) with the nodes numbered through, ``y``, ``batch`` (n,) the place in
        ``graphs`` that every node belongs to and, where there are any, ``edge_attr`` (e, D).
        """
        from torch_geometric.data import Data

        nodes, batch = ranges(self.node_slices, graphs)
        edges, owner = ranges(self.edge_slices, graphs)
        sizes = self.node_slices[graphs + 1] - self.node_slices[graphs]  # (B,)
        first = sizes.cumsum(0) - sizes  # the number that the first node of every graph has in the mini-batch
        found = Data(
            x=self.x[nodes],
            edge_index=self.edge_index[:, edges] + first[owner],
            y=self.y[graphs if self.level == "graph" else nodes],
            batch=batch,
        )
        if self.edge_attr is not None:
            found.edge_attr = self.edge_attr[edges]
        return found

    def to(self, device: torch.device | str) -> GraphCollection:
        """The same on a device."""
        moved = {name: getattr(self, name) for name in TENSORS}
        return replace(self, **{name: part.to(device) for name, part in moved.items() if part is not None})

    def check(self, where: str) -> None:
        """Raise one UsageError, headed by ``where``, that lists everything wrong with the graphs."""
        if faults := graph_faults(self):
            raise UsageError("\n".join([f"{where} cannot be learned from:", *(f"  - {fault}" for fault in faults)]))

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of all tensors with types and shapes, and of what they mean."""
        sha = hashlib.sha256(f"{self.level} {self.node_categories} {self.edge_categories}\n".encode())
        for name in TENSORS:
            if (value := getattr(self, name)) is not None:
                value = value.detach().cpu().contiguous()
                sha.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
                sha.update(value.numpy().tobytes())
        return sha.hexdigest()[:12]

    def measure(self) -> dict[str, float | int]:
        """Counts: graphs, nodes and edges of all of them (an undirected edge counts twice), features, classes (or
        independent labels), and the graphs of each split."""
        return {
            "graphs": len(self),
            "nodes": int(self.x.shape[0]),
            "edges": int(self.edge_index.shape[1]),
            "features": int(self.num_features),
            "classes": self.num_classes,
            **{name: int(self.of_split(name).numel()) for name in SPLITS},
        }


def ranges(slices: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """What lies in the chosen ones (B,) of the ranges that ``slices`` (M + 1,) begin, one after the other.

    Returns the numbers (n,) of their members, and for each the place (n,) in ``chosen`` of its range.
    """
    import torch

    starts, sizes = slices[chosen], slices[chosen + 1] - slices[chosen]
    owner = torch.arange(chosen.numel(), device=slices.device).repeat_interleave(sizes)
    before = sizes.cumsum(0) - sizes  # (B,)
    return torch.arange(owner.numel(), device=slices.device) + (starts - before)[owner], owner
