"""A drawn graph that changes: communities are born, merge, split and die, and every node's community is known.

Nodes arrive over time and join a community. In each snapshot part of the links of the last one stay, and others are
drawn, mostly inside communities, which is what makes new links predictable, and only in part: which of the many pairs
of a community meet is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.datasets.snapshot_presets import SMALL, Presets
from workbench.datasets.snapshots import SnapshotSequence
from workbench.options import Option
from workbench.registry import datasets

FOUNDERS = 0.5  # share of the nodes that are there from the first snapshot on; the others arrive evenly
DEGREE = 6.0  # mean number of links per node and snapshot
LOYALTY = 0.9  # chance that a drawn link stays inside the community of the node that draws it
KEPT, KEPT_ACROSS = 0.6, 0.2  # chance that a link stays, inside a community and between two
MOVING = 0.02  # chance that a node changes its community in a snapshot
SHARES = (0.3, 0.2, 0.3, 0.2)  # of the founders, in the communities 0 to 3

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Happening:
    """In snapshot ``step`` the communities ``before`` became ``after``."""

    step: int
    kind: Literal["birth", "merge", "split", "death"]
    before: tuple[int, ...]
    after: tuple[int, ...]


def history(snapshots: int) -> tuple[Happening, ...]:
    """What happens to the communities, spread evenly over at least six snapshots.

    4 is born of newcomers and movers, 1 is merged into 0, half of 2 splits off as 5, 3 dies (its members scatter),
    and 6 is born.
    """
    steps = [round(part * snapshots / 6) for part in range(1, 6)]
    return (
        Happening(steps[0], "birth", (), (4,)),
        Happening(steps[1], "merge", (0, 1), (0,)),
        Happening(steps[2], "split", (2,), (2, 5)),
        Happening(steps[3], "death", (3,), ()),
        Happening(steps[4], "birth", (), (6,)),
    )


def community_events(nodes: int, snapshots: int, seed: int) -> tuple[Integers, Integers, NDArray[np.int16]]:
    """The graph of one seed, the same on every machine.

    Returns the snapshot (M,) and the ends (2, M) of every link, each once per snapshot, and the communities (T, N)
    with −1 before a node arrives. Nodes are numbered in the order in which they arrive; who arrives has a link at
    once, unless nobody else is in that community.
    """
    random = np.random.RandomState(seed)  # its stream is frozen for good; only uniform draws and permutations are used
    arrival = _arrivals(nodes, snapshots)
    group = np.full(nodes, -1, dtype=np.int64)
    groups = np.empty((snapshots, nodes), dtype=np.int16)
    links = np.zeros((2, 0), dtype=np.int64)
    found = []
    for step in range(snapshots):
        newcomers = np.flatnonzero(arrival == step)
        if step == 0:
            _found(random, group, newcomers)
        else:
            _change(random, group, newcomers, [h for h in history(snapshots) if h.step == step])
        groups[step] = group
        links = _next_links(random, group, newcomers, links)
        found.append(links)
    snapshot = np.repeat(np.arange(snapshots), [part.shape[1] for part in found])
    return snapshot, np.concatenate(found, axis=1), groups


def _arrivals(nodes: int, snapshots: int) -> Integers:
    """The snapshot (N,) in which a node arrives: the founders in 0, the others evenly in 1 … T − 1."""
    founders = round(FOUNDERS * nodes)
    later = 1 + np.arange(nodes - founders) * (snapshots - 1) // (nodes - founders)
    return np.concatenate([np.zeros(founders, dtype=np.int64), later])


def _found(random: np.random.RandomState, group: Integers, founders: Integers) -> None:
    """Put the founders into the first communities; ``group`` (N,) is changed, here and below."""
    ends = np.round(np.cumsum(SHARES) * len(founders))
    group[founders] = random.permutation(np.searchsorted(ends, np.arange(len(founders)), side="right"))


def _change(random: np.random.RandomState, group: Integers, newcomers: Integers, happenings: list[Happening]) -> None:
    """Some nodes move, newcomers join, and then the communities change."""
    present = np.flatnonzero(group >= 0)
    living = np.unique(group[present])
    moving = present[random.random_sample(len(present)) < MOVING]
    group[moving] = _pick(random, living, len(moving))
    group[newcomers] = _pick(random, living, len(newcomers))
    for happening in happenings:
        members = random.permutation(np.flatnonzero(np.isin(group, happening.before)))
        if happening.kind == "birth":  # the newcomers, and as many others as make it an average community
            size = len(present) // (len(living) + 1)
            others = random.permutation(present)[: max(size - len(newcomers), 0)]
            group[newcomers] = group[others] = happening.after[0]
        elif happening.kind == "merge":
            group[members] = happening.after[0]
        elif happening.kind == "split":
            group[members[: len(members) // 2]] = happening.after[1]
        else:
            group[members] = _pick(random, np.setdiff1d(living, happening.before), len(members))


def _next_links(random: np.random.RandomState, group: Integers, newcomers: Integers, links: Integers) -> Integers:
    """The links (2, L) of the next snapshot: what stays, what newcomers begin with, and what else is drawn."""
    present = np.flatnonzero(group >= 0)
    same = group[links[0]] == group[links[1]]
    stays = links[:, random.random_sample(links.shape[1]) < np.where(same, KEPT, KEPT_ACROSS)]
    missing = max(round(DEGREE * len(present) / 2) - stays.shape[1] - len(newcomers), 0)
    source = np.concatenate([newcomers, _pick(random, present, missing)])
    inside = random.random_sample(len(source)) < LOYALTY
    inside[: len(newcomers)] = True  # so that somebody who arrives is seen
    target = np.where(inside, _companion(random, group, source), _pick(random, present, len(source)))
    drawn = np.sort(np.stack([source, target])[:, source != target], axis=0)
    keys = np.concatenate([stays, drawn], axis=1)
    return np.stack(np.divmod(np.unique(keys[0] * len(group) + keys[1]), len(group)))


def _companion(random: np.random.RandomState, group: Integers, node: Integers) -> Integers:
    """For each ``node`` (n,), somebody else of its community, or itself where it is alone."""
    order = np.argsort(group, kind="stable")  # the members of a community stand together
    place = np.argsort(order, kind="stable")
    begin = np.searchsorted(group[order], group[node], side="left")
    size = np.searchsorted(group[order], group[node], side="right") - begin
    step = 1 + np.floor(random.random_sample(len(node)) * (size - 1)).astype(np.int64)  # 1 … size − 1
    return order[begin + (place[node] - begin + step) % size]


def _pick(random: np.random.RandomState, values: Integers, count: int) -> Integers:
    """``count`` of ``values``, each with the same chance, with repetition."""
    return values[np.floor(random.random_sample(count) * len(values)).astype(np.int64)]


@datasets.register
class BuiltinCommunitiesConfig(DatasetConfig):
    """Communities that are born, merge, split and die, with every node's community known."""

    title: ClassVar[str] = "Communities (synthetic)"
    card: ClassVar[Card] = Card(
        title="Communities (synthetic)",
        task="link prediction",
        summary=(
            "A drawn, not collected, graph that changes: 400 nodes, half of them there from the start, in communities "
            "of which two are born, two merge, one splits and one dies. Six links in ten stay from one snapshot to "
            "the next; of the others, nine in ten are drawn inside a community. Accuracies on it say nothing about "
            "real data. Ready without a network."
        ),
        citation=(
            "Drawn by the workbench: a stochastic block model over time; the happenings are those of Greene, Doyle "
            "and Cunningham, Tracking the Evolution of Communities in Dynamic Social Networks, ASONAM 2010."
        ),
        licence="MIT, as the workbench",
        url="https://doi.org/10.1109/ASONAM.2010.17",
        synthetic=True,
        measured={
            "nodes": 400,
            "snapshots": 12,
            "links": 10520,
            "distinct_links": 4949,
            "events": 10520,
            "new_links": 334.2727,
        },
    )

    presets: ClassVar[Presets] = SMALL

    name: Literal["builtin-communities"] = "builtin-communities"
    nodes: int = Option(400, help="How many nodes there are in the end.", ge=60, le=100_000)
    snapshots: int = Option(12, help="How many snapshots there are.", ge=6, le=200)
    graph_seed: int = Option(0, help="Which graph is drawn; the seed of a run does not change it.", ge=0, lt=2**31)

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        import torch

        snapshot, ends, groups = community_events(self.nodes, self.snapshots, self.graph_seed)
        sequence = SnapshotSequence.from_snapshot_column(snapshot, *ends, num_nodes=self.nodes)
        order = [int(node) for node in sequence.node_ids or ()]
        sequence.groups = torch.from_numpy(groups[:, order])
        return sequence
