"""A graph that changes: a sequence of snapshots over shared nodes, made from a list of events in time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workbench.datasets.event_links import event_columns, gather, numbered, numbers
from workbench.datasets.sequence_faults import too_little, wrong_links
from workbench.datasets.slices import DAY, MOST_SNAPSHOTS, Slicing, column_boundaries, sliced
from workbench.datasets.temporal_data import events_of, temporal_data
from workbench.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import TemporalData


@dataclass(eq=False)
class SnapshotSequence:
    """Links over time between shared nodes. Nodes are numbered in the order of their birth.

    Shapes: N nodes, T snapshots, L_t links in snapshot t. A link is an undirected pair of nodes, a loop included.

    num_nodes: N.
    links: per snapshot (2, L_t) int64, each link once, the smaller number first, sorted.
    weights: per snapshot (L_t,) float32, the weights of a link's events added up (their number where they have none).
    events: the number of events in each slice, T whole numbers.
    birth: (N,) int64, non-decreasing: the first snapshot with an event of the node; T for a node without any.
    boundaries: (T+1,) float64 seconds, the starts of the slices and the end of the last; None where unknown.
    groups: (T, N) int16 true communities, −1 for none; None where there is no ground truth.
    node_ids: the N ids in the source, in our order; None where there are none.
    cumulative: whether a snapshot holds all links up to its slice, not only those of its slice.
    """

    num_nodes: int
    links: list[Tensor]
    weights: list[Tensor]
    events: list[int]
    birth: Tensor
    boundaries: Tensor | None = None
    groups: Tensor | None = None
    node_ids: list[str] | None = None
    cumulative: bool = False

    @classmethod
    def from_events(
        cls,
        src: Any,
        dst: Any,
        time: Any,
        weight: Any = None,
        *,
        slicing: Slicing = "calendar",
        width: float = 30 * DAY,
        snapshots: int = 10,
        boundaries: Sequence[float] | None = None,
        cumulative: bool = False,
        num_nodes: int | None = None,
        node_ids: Sequence[str] | None = None,
    ) -> Self:
        """Slice events between ``src`` (M,) and ``dst`` (M,) at ``time`` (M,) (seconds), with a ``weight`` (M,) > 0.

        ``slicing``: ``"calendar"`` slices are ``width`` seconds long, from the first event; ``"equal-count"`` cuts
        ``snapshots`` slices with equally many events, never between events of the same time; ``"boundaries"`` takes
        the given starts and the end of the last slice, and leaves out what happens before or after.

        The ends are ids of any kind; or, with ``num_nodes`` or the ``node_ids`` of nodes 0 … N−1, such numbers (then
        nodes without an event are kept). The order of the events does not matter. Raises UsageError for columns that
        do not fit, times or weights that are none, and slices that cannot be cut.
        """
        event_columns(src, dst, time, weight)
        index, edges = sliced(numbers(time, "time"), slicing, width, snapshots, boundaries)
        return cls._of(index, edges, src, dst, weight, len(edges) - 1, num_nodes, node_ids, cumulative)

    @classmethod
    def from_snapshot_column(
        cls,
        snapshot: Any,
        src: Any,
        dst: Any,
        time: Any = None,
        weight: Any = None,
        *,
        cumulative: bool = False,
        num_nodes: int | None = None,
        node_ids: Sequence[str] | None = None,
    ) -> Self:
        """Events (M,) that come with the number of their ``snapshot``, from 0; otherwise as :meth:`from_events`.

        With ``time``, a snapshot starts at its first event, and the last one ends with the last event; there are no
        boundaries where the times contradict the snapshots.
        """
        index = event_columns(snapshot, src, dst, time, weight)[0]
        if index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= MOST_SNAPSHOTS:
            raise UsageError(f"the snapshots of the events must be whole numbers from 0 to {MOST_SNAPSHOTS - 1:,}")
        count = int(index.max()) + 1
        edges = None if time is None else column_boundaries(index, numbers(time, "time"), count)
        return cls._of(index.astype(np.int64), edges, src, dst, weight, count, num_nodes, node_ids, cumulative)

    @classmethod
    def from_temporal_data(cls, data: TemporalData, *, weighted: bool = False, **slicing: Any) -> Self:
        """From PyG's ``TemporalData`` with src, dst and t (M,), sliced as in :meth:`from_events`.

        ``weighted`` takes the first column of ``msg`` (M, D) as the weights, which must then be positive. Raises
        UsageError for columns that are not there.
        """
        return cls.from_events(*events_of(data, weighted), **slicing)

    @classmethod
    def _of(
        cls,
        index: Any,
        edges: Any,
        src: Any,
        dst: Any,
        weight: Any,
        count: int,
        num_nodes: int | None,
        node_ids: Sequence[str] | None,
        cumulative: bool,
    ) -> Self:
        import torch

        ends, ids = numbered(np.asarray(src), np.asarray(dst), num_nodes, node_ids)
        amount = None if weight is None else numbers(weight, "weight", positive=True)
        found = gather(index, ends, amount, count, ids, cumulative)
        return cls(
            num_nodes=len(ids),
            links=[torch.from_numpy(links) for links in found.links],
            weights=[torch.from_numpy(weights) for weights in found.weights],
            events=found.events,
            birth=torch.from_numpy(found.birth),
            boundaries=None if edges is None else torch.from_numpy(edges),
            node_ids=found.node_ids,
            cumulative=cumulative,
        )

    def to_temporal_data(self) -> TemporalData:
        """PyG's ``TemporalData`` with one event per link and slice: src, dst and t (M,), msg (M, 1) its weight.

        The time is the start of the slice, or the number of the snapshot where the boundaries are unknown. Of a
        cumulative sequence these are the links of each slice alone.
        """
        return temporal_data(self)

    def __len__(self) -> int:
        """T, the number of snapshots."""
        return len(self.links)

    def __repr__(self) -> str:
        kind = ", cumulative" if self.cumulative else ""
        links = sum(len(weight) for weight in self.weights)
        return f"SnapshotSequence({self.num_nodes:,} nodes, {len(self)} snapshots, {links:,} links{kind})"

    def seen(self, t: int) -> int:
        """How many nodes were born in snapshot t or before: they are the nodes 0 … seen(t) − 1."""
        return int((self.birth <= t).sum())

    def edge_index(self, t: int) -> Tensor:
        """(2, E) int64: both directions of every link of snapshot t, a loop once."""
        import torch

        links = self.links[t]
        return torch.cat([links, links[:, links[0] != links[1]].flip(0)], dim=1)

    def edge_weight(self, t: int) -> Tensor:
        """(E,) float32: the weights beside :meth:`edge_index`."""
        import torch

        weights = self.weights[t]
        return torch.cat([weights, weights[self.links[t][0] != self.links[t][1]]])

    def new_links(self, t: int) -> Tensor:
        """(2, L) int64: the links of snapshot t that stand in no earlier one, between two nodes seen before t."""
        low, high = self.links[t]
        return self.links[t][:, self._first[t] & (self.birth[high] < t) & (low != high)]

    @cached_property
    def _first(self) -> list[Tensor]:
        """Per snapshot (L_t,) bool: whether a link stands in no earlier snapshot."""
        import torch

        sizes = [links.shape[1] for links in self.links]
        ends = torch.cat(self.links, dim=1)
        when = torch.arange(len(self)).repeat_interleave(torch.tensor(sizes))
        pairs, pair = torch.unique(ends[0] * self.num_nodes + ends[1], return_inverse=True)
        first = torch.full((len(pairs),), len(self)).scatter_reduce(0, pair, when, "amin")
        return list(torch.split_with_sizes(first[pair] == when, sizes))

    def measure(self) -> dict[str, float | int]:
        """Counts of a checked sequence.

        ``links`` adds up the links of all snapshots, ``distinct_links`` counts a pair once; ``new_links`` is their
        mean number over the snapshots 1 … T − 1, the ones that can be predicted.
        """
        return {
            "nodes": self.num_nodes,
            "snapshots": len(self),
            "links": sum(len(weight) for weight in self.weights),
            "distinct_links": sum(int(first.sum()) for first in self._first),
            "events": sum(self.events),
            "new_links": sum(self.new_links(t).shape[1] for t in range(1, len(self))) / max(len(self) - 1, 1),
        }

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of nodes, births, links and weights, with types and shapes."""
        sha = hashlib.sha256(f"{self.num_nodes} {self.cumulative}\n".encode())
        for value in (self.birth, *self.links, *self.weights):
            sha.update(f"{value.dtype} {tuple(value.shape)}\n".encode())
            sha.update(value.cpu().contiguous().numpy().tobytes())
        return sha.hexdigest()[:12]

    def check(self, where: str) -> None:
        """Raise one UsageError, headed by ``where``, that lists everything that keeps it from being learned from.

        A snapshot without links is allowed.
        """
        faults = wrong_links(self) or too_little(self)
        if faults:
            raise UsageError("\n".join([f"{where} cannot be learned from:", *(f"  - {fault}" for fault in faults)]))
