"""Where the nodes of a graph that changes are drawn: in every snapshot near to where they were before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.evolution import Links, most_linked
from workbench.errors import UsageError

Places = NDArray[np.float32]
FIRST = 4  # the first snapshot starts from nothing and takes so many times the iterations
# Forces per mass; they hold all nodes in a disc of radius 1, however many there are, and a quarter of them that is
# linked to itself only in one of radius 0.2.
GRAVITY = 1.0
PULL = 6.0
NEAR = 0.01  # nearer nodes push no harder than at this distance
BLOCK = 1024  # rows of the table of all distances that are in memory at once
MEMORY = 0.6  # weight of a link one snapshot away: places follow what lasts, not what happens once
HORIZON = 4  # snapshots on either side that are looked at


def evolving_layout(
    links: Sequence[Links],
    birth: ArrayLike,
    iterations: int = 50,
    anchor: float = 0.5,
    max_move: float = 0.05,
    most_nodes: int = 2000,
    seed: int = 0,
) -> Places:
    r"""Places of the nodes in every snapshot, in one unit square, such that nothing jumps.

    A spring layout: linked nodes pull with their distance, all nodes push with one over it, each weighted by
    :math:`1 + \deg` (Jacomy et al. 2014, ForceAtlas2; cooled as by Fruchterman and Reingold 1991). Snapshot t
    starts from the places of t−1, to which every node is pulled back by ``anchor``; new nodes start at the mean
    of their neighbours. Links of the snapshots before and after pull as well, the less the farther away in time
    (as in the foresighted layout of Diehl and Görg 2002). No node that was there before moves by more than
    ``max_move`` of the picture's side from one snapshot to the next: every step of the optimisation is cut to that
    radius. A node that no link pulls stays where it is.

    Shapes: links (2, L_t) per snapshot; birth (N,), the first snapshot of each node -> (T, N, 2) float32 in
    0..1, NaN before birth. Of larger graphs only the ``most_nodes`` nodes with most links over all snapshots are
    laid out, and the others are NaN throughout. Costs the square of that number. Raises UsageError for links
    between nodes that ``birth`` does not know.
    """
    born = np.asarray(birth)
    if any(len(pairs[0]) and not 0 <= pairs.min() <= pairs.max() < len(born) for pairs in links):
        raise UsageError(f"the links name nodes outside 0..{len(born) - 1}: give a birth for every node")
    shown = most_linked(links, len(born), most_nodes)
    number = np.full(len(born), -1)
    number[shown] = np.arange(len(shown))
    rng = np.random.default_rng(seed)
    x = np.full((len(shown), 2), np.nan, dtype=np.float32)
    found = np.full((len(links), len(shown), 2), np.nan, dtype=np.float32)
    side = 0.0  # of the picture so far; it only grows, so a bound on moves in its units holds in the end
    own = [_proper(number[np.asarray(pairs)]) for pairs in links]
    for t in range(len(links)):
        there = born[shown] <= t
        if not there.any():
            continue
        pairs, weight = _around(own, t, there)
        home = x.copy()
        _place_newborn(x, pairs, there, rng)
        rank = np.cumsum(there) - 1
        effort = iterations * (1 if side else FIRST)
        x[there] = _settle(x[there], rank[pairs], weight, home[there], effort, anchor, max_move * side)
        found[t] = x
        side = _side(found[: t + 1])
    places = np.full((len(links), len(born), 2), np.nan, dtype=np.float32)
    if side:
        flat = found[np.isfinite(found[..., 0])]
        places[:, shown] = (found - (flat.min(axis=0) + flat.max(axis=0)) / 2) / side + 0.5
    else:  # a single place has no extent
        places[:, shown] = np.where(np.isfinite(found), 0.5, np.nan)
    return places


def _around(links: Sequence[Links], t: int, there: NDArray[np.bool_]) -> tuple[Links, Places]:
    """Links (2, L) between nodes that are ``there`` of the snapshots around t, and their weights (L,)."""
    near = range(max(t - HORIZON, 0), min(t + HORIZON + 1, len(links)))
    pairs = [links[s][:, there[links[s]].all(axis=0)] for s in near]
    fade = MEMORY ** np.abs(np.asarray(near) - t)
    weight = np.repeat(fade / fade.sum(), [found.shape[1] for found in pairs])
    return np.concatenate(pairs, axis=1), weight.astype(np.float32)


def _settle(
    x: Places, links: Links, weight: Places, home: Places, iterations: int, anchor: float, reach: float
) -> Places:
    """Places (n, 2) after the springs have pulled; ``home`` (n, 2) is NaN for nodes that are free to go anywhere."""
    degree = np.bincount(links.ravel(), np.tile(weight, 2), len(x)).astype(np.float32)
    mass, moves = 1 + degree[:, None], degree[:, None] > 0
    settled = np.isfinite(home)
    heat = 0.1 * max(_side(x), 1.0)
    for cooled in np.linspace(1, 0, iterations, endpoint=False):
        force = _push(x, mass) + _pull(x, links, weight) / mass - GRAVITY * (x - x.mean(axis=0))
        force += np.where(settled, anchor * PULL * (home - x), 0)
        length = np.linalg.norm(force, axis=1, keepdims=True) + 1e-9
        x = x + moves * force * np.minimum(heat * cooled / length, 1 / (GRAVITY + PULL))
        x = np.where(settled, _within(x, home, reach), x).astype(np.float32)
    return x


def _within(x: Places, home: Places, reach: float) -> Places:
    """Places cut to the disc of radius ``reach`` around ``home``."""
    way = x - home
    length = np.linalg.norm(way, axis=1, keepdims=True)
    return home + way * np.minimum(1, 0.999 * reach / np.maximum(length, 1e-9))


def _push(x: Places, mass: Places) -> Places:
    """Every node from all others, with their share of the mass over their distance."""
    x = x - x.mean(axis=0)  # the expansion below loses digits far from the origin
    square, share = (x * x).sum(axis=1), mass[:, 0] / mass.sum()
    force = np.empty_like(x)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        weight = x[rows] @ (-2 * x.T)  # (block, n), becomes share / squared distance
        weight += square[rows, None]
        weight += square
        np.maximum(weight, NEAR**2, out=weight)
        np.divide(share, weight, out=weight)
        force[rows] = weight.sum(axis=1, keepdims=True) * x[rows] - weight @ x
    return force


def _pull(x: Places, links: Links, weight: Places) -> Places:
    """Linked nodes towards each other, with weight · distance."""
    tail, head = links
    way = (x[head] - x[tail]) * (PULL * weight[:, None])
    force = np.zeros_like(x)
    for axis in (0, 1):
        force[:, axis] += np.bincount(tail, way[:, axis], len(x)) - np.bincount(head, way[:, axis], len(x))
    return force


def _place_newborn(x: Places, links: Links, there: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Give every node that is there a place: newborn ones the mean of their neighbours', outward from those placed."""
    if not np.isfinite(x).any():
        x[there] = rng.normal(size=(int(there.sum()), 2)) / 2
        return
    both = np.concatenate([links, links[::-1]], axis=1)
    while True:
        placed = np.isfinite(x[:, 0])
        near = both[:, placed[both[0]] & ~placed[both[1]]]
        if near.shape[1]:
            count = np.bincount(near[1], minlength=len(x))
            for axis in (0, 1):
                total = np.bincount(near[1], x[near[0], axis], len(x))
                x[count > 0, axis] = total[count > 0] / count[count > 0] + rng.normal(size=(count > 0).sum()) * NEAR
            continue
        apart = np.bincount(both[0], minlength=len(x)) * ~placed
        if not apart.any():
            break
        x[apart.argmax()] = _emptiest(x[placed], rng)  # of a part without any way to the rest
    alone = there & ~np.isfinite(x[:, 0])
    for node in np.flatnonzero(alone):
        x[node] = x[rng.choice(np.flatnonzero(placed))] + rng.normal(size=2) * 0.1


def _emptiest(x: Places, rng: np.random.Generator) -> Places:
    """Of some places in the disc of the picture the one farthest from every node."""
    tried = rng.normal(size=(64, 2))
    tried *= rng.random((64, 1)) ** 0.5 / np.linalg.norm(tried, axis=1, keepdims=True)
    tried = x.mean(axis=0) + tried * _side(x) / 2
    return tried[((tried[:, None] - x[None]) ** 2).sum(axis=2).min(axis=1).argmax()].astype(np.float32)


def _proper(links: Links) -> Links:
    """Without loops and without nodes that are not laid out (−1)."""
    return links[:, (links >= 0).all(axis=0) & (links[0] != links[1])]


def _side(x: Places) -> float:
    """The longer side of the smallest box around all finite places (…, 2)."""
    flat = x[np.isfinite(x[..., 0])]
    return float(np.ptp(flat, axis=0).max()) if len(flat) else 0.0
