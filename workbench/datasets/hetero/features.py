"""What a model of a heterogeneous graph is given: the nodes of every type, and the relations between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Relation = tuple[str, str, str]  # type of the sources, name, type of the destinations


@dataclass(frozen=True)
class NodeType:
    """The nodes of one type: how many there are, and the width of their features, 0 where they have none."""

    name: str
    count: int
    channels: int


class HeteroChannels(int):
    """The width of the target nodes' features: a whole number, that also knows all ``types`` and ``relations``."""

    types: tuple[NodeType, ...]
    relations: tuple[Relation, ...]
    target: str

    def __new__(cls, types: tuple[NodeType, ...], relations: tuple[Relation, ...], target: str) -> HeteroChannels:
        found = super().__new__(cls, next(each.channels for each in types if each.name == target))
        found.types, found.relations, found.target = types, relations, target
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return HeteroChannels, (self.types, self.relations, self.target)


@dataclass(frozen=True, eq=False, repr=False)
class HeteroFeatures:
    """The ``x`` of a :class:`~workbench.datasets.hetero.graph.HeteroGraph`: a heterogeneous graph without its labels.

    ``counts`` number of nodes of every type, ``features`` (n, F) of the types that have some, ``relations``
    edge_index (2, E) of every relation, edges (j → i) with the numbers of the nodes within their types. ``target`` is
    the type whose nodes are classified. ``prepared`` is what models make of the relations; copies on the same device,
    which have the same relations, share it.
    """

    target: str
    counts: Mapping[str, int]
    features: Mapping[str, Tensor]
    relations: Mapping[Relation, Tensor]
    prepared: dict[Any, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return f"{type(self).__name__}({counts}; {len(self.relations)} relations, target {self.target})"

    @property
    def channels(self) -> HeteroChannels:
        widths = {name: int(x.shape[1]) for name, x in self.features.items()}
        types = tuple(NodeType(name, count, widths.get(name, 0)) for name, count in self.counts.items())
        return HeteroChannels(types, tuple(self.relations), self.target)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of the target nodes and width of their features."""
        return self.counts[self.target], int(self.channels)

    @property
    def device(self) -> torch.device:
        return next(iter(self.relations.values())).device

    def detach(self) -> HeteroFeatures:
        """The same, in tensors of features that no model has seen."""
        return self.with_features(lambda x: x.detach())

    def with_features(self, change: Callable[[Tensor], Tensor]) -> HeteroFeatures:
        """The same graph with other features."""
        return replace(self, features={name: change(x) for name, x in self.features.items()})

    def to(self, device: Any = None, non_blocking: bool = False) -> HeteroFeatures:
        """A copy on ``device``."""
        features = {name: x.to(device, non_blocking=non_blocking) for name, x in self.features.items()}
        relations = {key: edges.to(device, non_blocking=non_blocking) for key, edges in self.relations.items()}
        return HeteroFeatures(self.target, self.counts, features, relations)

    def few(self, at_most: int) -> HeteroFeatures:
        """The first nodes of every type, with the edges among them: what a model can be tried on."""
        counts = {name: min(count, at_most) for name, count in self.counts.items()}
        features = {name: x[: counts[name]] for name, x in self.features.items()}
        among = {
            relation: edges[:, (edges[0] < counts[relation[0]]) & (edges[1] < counts[relation[2]])]
            for relation, edges in self.relations.items()
        }
        return HeteroFeatures(self.target, counts, features, among)
