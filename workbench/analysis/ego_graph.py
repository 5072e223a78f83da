"""The graph around one node: who sends messages to it, and a place for everyone on rings around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError

Numbers = NDArray[np.int64]
AT_MOST = 60  # neighbours beside which a person can still tell one from the next
PASSES = 20  # of swaps on the ring; it takes three or four until none helps


@dataclass(frozen=True)
class Ego:
    """A node, the centre, and the m − 1 nodes shown around it, with the e directed edges among them.

    ``nodes`` (m,) are their numbers in the whole graph: the centre, then hop by hop, each in order. ``edge_index``
    (2, e) holds edges (j → i) as positions in ``nodes`` and ``edges`` (e,) where these stand in the whole graph's;
    ``hop`` (m,) is the distance to the centre and ``position`` (m, 2) float32 a place in the plane, the centre's at
    the origin, those of hop h at distance h. ``left_out`` nodes are as near, but too many to show.
    """

    nodes: Numbers
    edge_index: Numbers
    edges: Numbers
    hop: Numbers
    position: NDArray[np.float32]
    left_out: int

    @property
    def centre(self) -> int:
        return int(self.nodes[0])


def ego_graph(edge_index: ArrayLike, num_nodes: int, node: int, hops: int = 1, at_most: int = AT_MOST) -> Ego:
    """The in-neighbours of ``node``, with ``hops=2`` theirs too, and every edge among all of these.

    Shapes: edge_index (2, E) with edges (j → i). Of more than ``at_most`` neighbours those with most edges into the
    rest are kept, the nearer hop first, and of equals the one with the lower number. Always gives the same places:
    linked nodes stand near each other on the ring, and those of the second hop outside one that they are linked to.
    Raises UsageError for what are no edges, a node that there is not, an edge to one, or other hops than 1 and 2.
    """
    edge_index = np.asarray(edge_index)
    if edge_index.ndim != 2 or len(edge_index) != 2 or (edge_index.size and edge_index.dtype.kind not in "iu"):
        raise UsageError(f"edges are whole numbers of shape (2, E), not {edge_index.dtype} of {edge_index.shape}")
    edge_index = edge_index.astype(np.int64, copy=False)
    if not 0 <= node < num_nodes:
        raise UsageError(f"there is no node {node}: this graph has the nodes 0 to {num_nodes - 1}")
    if edge_index.size and not 0 <= edge_index.min() <= edge_index.max() < num_nodes:
        raise UsageError(f"the edges name nodes outside 0 to {num_nodes - 1}")
    if hops not in (1, 2) or at_most < 1:
        raise UsageError(f"a picture of a node shows 1 or 2 hops and at least one neighbour, not {hops} and {at_most}")
    rings, left_out = [np.array([node])], 0
    inside = np.zeros(num_nodes, dtype=bool)
    inside[node] = True
    for _ in range(hops):
        found = _senders(edge_index, rings[-1], inside)
        room = at_most + 1 - sum(map(len, rings))
        kept = _most_linked(edge_index, found, inside, num_nodes, room)
        left_out += len(found) - len(kept)
        inside[kept] = True
        rings.append(kept)
    nodes = np.concatenate(rings)
    hop = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    number = np.full(num_nodes, -1)
    number[nodes] = np.arange(len(nodes))
    edges = np.flatnonzero(inside[edge_index[0]] & inside[edge_index[1]])
    among = number[edge_index[:, edges]]
    return Ego(nodes, among, edges, hop, _places(hop, among), left_out)


def _senders(edge_index: Numbers, ring: Numbers, inside: NDArray[np.bool_]) -> Numbers:
    """Nodes that are not inside yet and have an edge to one of ``ring``, in order."""
    wanted = np.zeros(len(inside), dtype=bool)
    wanted[ring] = True
    senders = np.unique(edge_index[0, wanted[edge_index[1]]])
    return senders[~inside[senders]]


def _most_linked(edge_index: Numbers, found: Numbers, inside: NDArray[np.bool_], num_nodes: int, room: int) -> Numbers:
    """The ``room`` nodes of ``found`` with most edges to all of them and to those inside, in order."""
    if len(found) <= room:
        return found
    around = inside.copy()
    around[found] = True
    into = np.bincount(edge_index[0, around[edge_index[1]]], minlength=num_nodes)[found]
    return np.sort(found[np.lexsort((found, -into))][:room])


def _places(hop: Numbers, edge_index: Numbers) -> NDArray[np.float32]:
    """Places (m, 2). Every node of the first ring has a sector as wide as it has children in the second."""
    linked = np.zeros((len(hop), len(hop)))
    np.add.at(linked, (edge_index[0], edge_index[1]), 1.0)
    linked += linked.T
    first, second = np.flatnonzero(hop == 1), np.flatnonzero(hop == 2)
    ring = first[_ring_order(linked[np.ix_(first, first)])]
    children: dict[int, list[int]] = {int(node): [] for node in ring}
    for node in second:  # the parent with fewest children so far keeps the sectors even
        parents = [parent for parent in children if linked[node, parent]]
        children[min(parents, key=lambda parent: len(children[parent]))].append(int(node))
    place = np.zeros((len(hop), 2))
    slots, slot = sum(max(len(own), 1) for own in children.values()), 0
    for parent, own in children.items():
        width = max(len(own), 1)
        place[parent] = _on_circle(slot + (width - 1) / 2, slots)
        for number, child in enumerate(own):
            place[child] = 2 * _on_circle(slot + number, slots)
        slot += width
    return place.astype(np.float32)


def _on_circle(slot: float, slots: int) -> NDArray[np.float64]:
    """A place (2,) at distance 1: the first one on top, the others follow clockwise."""
    angle = np.pi / 2 - 2 * np.pi * slot / slots
    return np.array([np.cos(angle), np.sin(angle)])


def _ring_order(linked: NDArray[np.float64]) -> list[int]:
    """Positions on a ring with short ways between linked nodes: numbers of links (k, k) -> an order of k nodes.

    One after the other is put beside those that it has most links to; then two are swapped for as long as this
    makes Σ links · distance along the ring smaller.
    """
    count = len(linked)
    linked = linked * (1 - np.eye(count))
    order: list[int] = []
    pull = linked.sum(axis=1) / (1 + linked.sum())  # the first one is the one with most links
    free = np.ones(count, dtype=bool)
    for _ in range(count):
        chosen = int(np.where(free, pull, -1.0).argmax())
        order.append(chosen)
        free[chosen] = False
        pull = pull / 2 + linked[chosen]
    apart = np.abs(np.arange(count)[:, None] - np.arange(count))
    apart = np.minimum(apart, count - apart)
    for _ in range(PASSES):
        if not _swap(order, linked, apart):
            break
    return order


def _swap(order: list[int], linked: NDArray[np.float64], apart: NDArray[np.int64]) -> bool:
    """For every place on the ring the best swap with another, where one helps; whether any did."""
    helped = False
    for here in range(len(order)):
        links = linked[np.ix_(order, order)]  # by place
        more = (links[here] - links) * (apart - apart[here])  # [there, third]: how much longer its links become
        change = more.sum(axis=1) - more[:, here] - np.diagonal(more)
        there = int(change.argmin())
        if change[there] < -1e-9:
            order[here], order[there] = order[there], order[here]
            helped = True
    return helped
