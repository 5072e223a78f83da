"""What happens to a graph when its edges or features are disturbed, and what is left of an accuracy then.

Every disturbance is a pure function of the graph, its level and a seed. The levels of one seed lie on one path: what a
low level removes or adds, a higher one removes or adds too, and its noise is the same noise, made larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError

ENUMERATED = 1_000_000  # pairs of nodes: of smaller graphs the absent ones are listed, of larger ones they are drawn
DRAWS = 4096  # at least so many pairs are drawn at once
REMOVE, ADD, NOISE = 1, 2, 3  # beside the seed, so that each kind has random numbers of its own

Edges = NDArray[np.int64]


def remove_edges(edge_index: ArrayLike, share: float, seed: int) -> Edges:
    """The graph without a ``share`` (0..1) of its undirected edges, chosen uniformly at random.

    An undirected edge is a pair of nodes: all entries of ``edge_index`` that join the two go together, in both
    directions. round(share × pairs) of them go, a half rounded up. Self-loops stay, and so does the order of the rest.
    Shapes: (2, E) -> (2, E'). Raises UsageError for a share outside 0..1 and for what are no edges.
    """
    edges = _edges(edge_index)
    if not 0 <= share <= 1:
        raise UsageError(f"the share of edges to remove is between 0 and 1 (got {share!r})")
    loops = edges[0] == edges[1]
    pairs, member = np.unique(_codes(edges), return_inverse=True)
    real = np.unique(member[~loops])  # positions in `pairs`, without those of self-loops
    gone = np.zeros(len(pairs), dtype=bool)
    order = np.random.default_rng([seed, REMOVE]).permutation(len(real))
    gone[real[order[: _count(share, len(real))]]] = True
    return edges[:, ~gone[member]]


def add_edges(edge_index: ArrayLike, num_nodes: int, share: float, seed: int) -> Edges:
    """The graph with new undirected edges: a ``share`` (≥ 0) of those it has, uniform over the pairs that it has not.

    round(share × pairs) new pairs are added, a half rounded up, each once and in both directions, behind the edges that
    are there; none is a self-loop. Self-loops do not count among the pairs. Shapes: (2, E) -> (2, E + 2 · new).
    Raises UsageError for a share that is negative or not finite, for more new edges than there are absent pairs, and
    for edges that are not between ``num_nodes`` nodes.
    """
    edges = _edges(edge_index, num_nodes)
    if not (np.isfinite(share) and share >= 0):
        raise UsageError(f"the share of edges to add is a number from 0 on (got {share!r})")
    present = np.unique(_codes(edges[:, edges[0] != edges[1]], num_nodes))  # (pairs,)
    wanted = _count(share, len(present))
    every = num_nodes * (num_nodes - 1) // 2
    if wanted > every - len(present):
        raise UsageError(
            f"{wanted:,} edges cannot be added: only {every - len(present):,} of the {every:,} pairs of nodes have none"
        )
    rng = np.random.default_rng([seed, ADD])
    new = (_listed if every <= ENUMERATED else _drawn)(present, num_nodes, wanted, rng)
    low, high = np.divmod(new, num_nodes)  # (new,) each
    return np.concatenate([edges, np.stack([low, high]), np.stack([high, low])], axis=1)


def noisy_features(x: ArrayLike, level: float, seed: int) -> NDArray[np.float32]:
    r"""Features with Gaussian noise, in every column ``level`` (≥ 0) times the standard deviation of that column.

    .. math:: x_{ij} + \ell\, \sigma_j\, \varepsilon_{ij}, \qquad \varepsilon_{ij} \sim N(0, 1)

    σ_j is the column's standard deviation over all nodes (N in the denominator), so a constant column stays as it is.
    At level 1 the noise of a node has, on average, the squared length of what tells a node from the mean node: as much
    noise as signal. Shapes: (N, F) -> (N, F) float32, dense. Raises UsageError for a level below 0.

    Bags of words, as those of the citation graphs, become something else: nearly all of their entries are 0, and
    afterwards none is. Every paper then uses every word a little, often by a negative amount, a frequent word by more
    than a rare one. Rows that were scaled to a sum of one no longer have that sum, and are not scaled again. Models
    that use sparse features get dense ones.
    """
    features = np.asarray(x, dtype=np.float32)
    if features.ndim != 2:
        raise UsageError(f"expected features (N, F), and got something of shape {features.shape}")
    if not (np.isfinite(level) and level >= 0):
        raise UsageError(f"the level of noise is a number from 0 on (got {level!r})")
    if level == 0:
        return features.copy()
    spread = features.std(axis=0, dtype=np.float64)  # (F,)
    noise = np.random.default_rng([seed, NOISE]).standard_normal(features.shape, dtype=np.float32)
    noise *= (level * spread).astype(np.float32)
    noise += features
    return noise


@dataclass(frozen=True)
class CurveSummary:
    """One accuracy curve (0..1): its ``area``, and by how much it has dropped at each level (L,) from level 0."""

    area: float
    drops: tuple[float, ...]


def summarise_curve(levels: ArrayLike, accuracy: ArrayLike) -> CurveSummary:
    """The area under ``accuracy`` (L,) against ``levels`` (L,), by the trapezoidal rule, over the width of the levels.

    So it is the mean accuracy over that range, in 0..1, and areas of equal levels compare. Of one level it is the
    accuracy there. Drops are accuracy at the first level minus that at each; negative where it rose. Raises UsageError
    for levels that do not rise, or that are not as many as the accuracies.
    """
    x, y = np.asarray(levels, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x) or (np.diff(x) <= 0).any():
        raise UsageError("a curve has one accuracy per level, and levels that rise")
    area = float(np.trapezoid(y, x) / (x[-1] - x[0])) if len(x) > 1 else float(y[0])
    return CurveSummary(area, tuple(float(drop) for drop in y[0] - y))


def _edges(edge_index: ArrayLike, num_nodes: int | None = None) -> Edges:
    edges = np.asarray(edge_index)
    if edges.ndim != 2 or len(edges) != 2 or (edges.size and edges.dtype.kind not in "iu"):
        raise UsageError(f"expected edges (2, E) of whole numbers, and got something of shape {edges.shape}")
    if edges.size and not 0 <= edges.min() <= edges.max() < (num_nodes or np.inf):
        raise UsageError("the edges are not between the nodes of this graph")
    return edges.astype(np.int64)


def _codes(edges: Edges, num_nodes: int | None = None) -> Edges:
    """One number (E,) per pair of nodes, the same for both directions: low · nodes + high."""
    nodes = num_nodes if num_nodes is not None else int(edges.max(initial=0)) + 1
    return edges.min(axis=0) * nodes + edges.max(axis=0)


def _count(share: float, pairs: int) -> int:
    return int(np.floor(share * pairs + 0.5))


def _listed(present: Edges, num_nodes: int, wanted: int, rng: np.random.Generator) -> Edges:
    """``wanted`` codes of absent pairs, all of which are listed."""
    low, high = np.triu_indices(num_nodes, k=1)
    absent = np.setdiff1d(low * num_nodes + high, present, assume_unique=True)
    return rng.permutation(absent)[:wanted]


def _drawn(present: Edges, num_nodes: int, wanted: int, rng: np.random.Generator) -> Edges:
    """``wanted`` codes of absent pairs: pairs are drawn, and those that are there already are left out."""
    new = np.empty(0, dtype=np.int64)
    at_once = max(DRAWS, len(present))  # whatever is wanted: more of it is the same and then more
    while len(new) < wanted:
        drawn = rng.integers(num_nodes, size=(2, at_once))
        codes = _codes(drawn[:, drawn[0] != drawn[1]], num_nodes)
        together = np.concatenate([new, codes[~np.isin(codes, present)]])
        _, first = np.unique(together, return_index=True)
        new = together[np.sort(first)]
    return new[:wanted]
