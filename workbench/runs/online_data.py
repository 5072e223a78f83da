"""What one online step is about: the snapshots that are there, and the links of the next one, split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.errors import RunError
from workbench.training.links import Pairs

if TYPE_CHECKING:
    from workbench.datasets.snapshots import SnapshotSequence
    from workbench.settings import Online
    from workbench.spec import Spec

SHARES = {"train": 0.2, "val": 0.2, "test": 0.6}
LEAST = 10  # links of the next snapshot: two train the regression, two select, six test


@dataclass(frozen=True)
class Stage:
    """Online step ``step``: everything up to that snapshot may be learned from, the next one is predicted."""

    spec: Spec
    data: SnapshotSequence
    step: int
    splits: dict[str, Pairs]

    @classmethod
    def of(cls, spec: Spec, data: SnapshotSequence, step: int) -> Stage:
        return cls(spec, data, step, link_split(data, spec.protocol, step, spec.seed))

    @cached_property
    def nodes(self) -> int:
        """How many nodes there are by now."""
        return self.data.seen(self.step)

    @property
    def known(self) -> int:
        """How many of them the teacher has seen."""
        return self.data.seen(first_step(self.spec))

    @property
    def judgeable(self) -> bool:
        """Whether there are links enough to predict."""
        return bool(self.splits)

    @property
    def facts(self) -> dict[str, Any]:
        links = {name: pairs.links.shape[1] for name, pairs in self.splits.items()}
        return {
            "step": self.step,
            "predicts": self.step + 1,
            "nodes": self.nodes,
            "known": self.known,
            "links": links or dict.fromkeys(SHARES, 0),
        }

    def window(self, length: int) -> range:
        """The latest ``length`` snapshots, the present one last; all that there are where these are fewer."""
        return range(max(self.step + 1 - length, 0), self.step + 1)

    def teaches(self, length: int) -> bool:
        """Whether any of the latest ``length`` snapshots has a link between two nodes."""
        links = (self.data.links[at] for at in self.window(length))
        return any(bool((ends[0] != ends[1]).any()) for ends in links)


def first_step(spec: Spec) -> int:
    """The first online step: the last snapshot that the teacher learns from, as many as its window holds."""
    return max(int(getattr(spec.teacher, "window", 1)), 1) - 1


def last_step(spec: Spec, data: SnapshotSequence) -> int:
    """The last online step, which predicts the last snapshot unless the spec says otherwise."""
    return len(data) - 2 if spec.protocol.last is None else spec.protocol.last


def check_no_leak(at: int, now: int) -> None:
    """Refuse to learn from what is to be predicted. Raises RunError: it would be a fault of the workbench."""
    if at > now:
        raise RunError(f"snapshot {at} is predicted from snapshot {now} and must not be learned from")


def check_no_test_link(edge_index: Tensor, test: Tensor, num_nodes: int) -> None:
    """Refuse edges (2, E) to learn from that hold one of the links (2, m) of the test. Raises RunError."""
    keys = (_keys(edges, num_nodes) for edges in (edge_index, test))
    caught = torch.isin(*keys)
    if caught.any():
        a, b = edge_index[:, caught][:, 0].tolist()
        raise RunError(f"the link between nodes {a} and {b} is in the test and must not be learned from")


def predicted_links(data: SnapshotSequence, protocol: Online, step: int) -> Tensor:
    """Links (2, m) of the next snapshot between two nodes that are there already: new ones, or all of them."""
    if protocol.predict == "new":
        return data.new_links(step + 1)
    links = data.links[step + 1]
    return links[:, (links < data.seen(step)).all(0) & (links[0] != links[1])]


def link_split(data: SnapshotSequence, protocol: Online, step: int, seed: int) -> dict[str, Pairs]:
    """``train``, ``val`` and ``test`` pairs of an online step, 20/20/60 %; empty where there are too few links, or
    too few pairs without one to hold against them.

    The pairs without a link are drawn uniformly among the nodes that there are, as many as there are links; none
    of them has a link in the next snapshot or in any before it. They depend on ``seed`` and ``step`` alone.
    """
    links = predicted_links(data, protocol, step)
    count = links.shape[1]
    taken = torch.unique(torch.cat([_keys(data.links[t], data.num_nodes) for t in range(step + 2)]))
    nodes = data.seen(step)
    if count < LEAST or nodes * (nodes - 1) // 2 - taken.numel() < 2 * count:
        return {}
    generator = torch.Generator().manual_seed(seed * 100_003 + step)
    links = links[:, torch.randperm(count, generator=generator)]
    others = _without_link(taken, nodes, data.num_nodes, count, generator)
    ends = [0, round(SHARES["train"] * count), round((SHARES["train"] + SHARES["val"]) * count), count]
    parts = zip(SHARES, ends, ends[1:], strict=False)
    return {name: Pairs(links[:, a:b], others[:, a:b]) for name, a, b in parts}


def _without_link(taken: Tensor, nodes: int, num_nodes: int, count: int, generator: torch.Generator) -> Tensor:
    """Different pairs (2, count) of the first ``nodes`` nodes that are not ``taken``, numbers as of :func:`_keys`."""
    found = torch.zeros(0, dtype=torch.long)
    while found.numel() < count:
        ends = torch.randint(nodes, (2, 2 * count), generator=generator)
        key = _keys(ends[:, ends[0] != ends[1]], num_nodes)
        key = key[~torch.isin(key, taken)]
        found = _first_of_each(torch.cat([found, key]))
    found = found[:count]
    return torch.stack([found // num_nodes, found % num_nodes])


def _keys(edges: Tensor, num_nodes: int) -> Tensor:
    """One number for every undirected pair."""
    return edges.amin(0) * num_nodes + edges.amax(0)


def _first_of_each(keys: Tensor) -> Tensor:
    """Every number once, in the order in which they come first."""
    values, place = torch.unique(keys, return_inverse=True)
    first = torch.full_like(values, keys.numel()).scatter_reduce(0, place, torch.arange(keys.numel()), "amin")
    return keys[first.sort().values]
