"""How alike every layer of one model is to every layer of another, and what two layers say about the edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.projection import as_features
from workbench.errors import UsageError

AT_A_TIME = 4_000_000  # float64 numbers of the wider model in a block of nodes
DEGREE = 40  # neighbours beside which a person can still tell one edge from the next


def cka_map(left: Sequence[ArrayLike], right: Sequence[ArrayLike]) -> NDArray[np.float64]:
    r"""Linear centred kernel alignment of all layer pairs (Kornblith et al., ICML 2019, arXiv 1905.00414).

    .. math:: M_{ij} = \frac{\| Y_j^\top X_i \|_F^2}{\| X_i^\top X_i \|_F \; \| Y_j^\top Y_j \|_F}

    with centred columns. Shapes: T_l features (N, a_i) and S_l features (N, b_j) -> (T_l, S_l) in [0, 1]; 0 also
    where all nodes of a layer coincide. In feature space, O(N a b) for a pair; the norm of a layer with itself is
    computed once, and all layers of the right model are multiplied at a time. float64, in blocks of nodes.
    Raises UsageError for no layers, other nodes, or features that are not finite.
    """
    if not left or not right:
        raise UsageError("layers are compared in pairs: give at least one of each model")
    x, y = [_checked(layer) for layer in left], [_checked(layer) for layer in right]
    if len({len(layer) for layer in (*x, *y)}) > 1:
        raise UsageError("the layers are not of the same nodes, so they cannot be compared")
    own_x = np.array([_products(layer, [layer])[0] for layer in x])
    own_y = np.array([_products(layer, [layer])[0] for layer in y])
    cross = np.array([_products(layer, y) for layer in x])  # (T_l, S_l), squares of norms
    size = np.sqrt(own_x)[:, None] * np.sqrt(own_y)
    return np.minimum(np.divide(cross, size, out=np.zeros_like(cross), where=size > 0), 1.0)


def edge_cosine(features: ArrayLike, edge_index: ArrayLike) -> NDArray[np.float64]:
    """Cosine of the two ends' features on every edge. Shapes: (N, d) and (2, e) -> (e,) in [−1, 1]; 0 for zeros."""
    source, target = np.asarray(edge_index)
    x = np.asarray(features)
    start, end = x[source].astype(np.float64), x[target].astype(np.float64)  # (e, d) each
    size = np.linalg.norm(start, axis=1) * np.linalg.norm(end, axis=1)
    return np.divide((start * end).sum(axis=1), size, out=np.zeros(len(size)), where=size > 0)


def edge_attention(
    attended: ArrayLike, weight: ArrayLike, edge_index: ArrayLike, num_nodes: int
) -> NDArray[np.float64]:
    """Attention on chosen edges.

    Shapes: ``attended`` (2, E') and its ``weight`` (E', H), ``edge_index`` (2, e) -> (e, H). Of parallel edges the
    attention is that of the first; NaN where a layer does not attend along an edge.
    """
    pairs, wanted = (np.asarray(edges).astype(np.int64) for edges in (attended, edge_index))
    known, chosen = pairs[0] * num_nodes + pairs[1], wanted[0] * num_nodes + wanted[1]
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], chosen), len(order) - 1)
    found = order[place]
    return np.where((known[found] == chosen)[:, None], np.asarray(weight)[found].astype(np.float64), np.nan)


def node_to_show(degree: ArrayLike) -> int:
    """The node with most neighbours that can still be told apart, or the one with fewest where all have more."""
    degree = np.asarray(degree)
    return int(np.where(degree <= DEGREE, degree, -degree).argmax())


def _checked(features: ArrayLike) -> NDArray[np.floating]:
    """As it is stored, to be widened block by block."""
    x = np.asarray(features)
    as_features(x[:1])  # its shape
    if not np.isfinite(x).all():
        raise UsageError("a layer holds NaN or infinity (a diverged run?): lower the learning rate and train again")
    return x


def _products(x: NDArray[np.floating], layers: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Squared Frobenius norms of the products of the centred ``x`` (N, a) with every one of ``layers`` (N, b_j)."""
    centre = [_centre(layer) for layer in (x, *layers)]
    ends = np.cumsum([layer.shape[1] for layer in layers])
    total = np.zeros((x.shape[1], ends[-1]))
    step = max(AT_A_TIME // max(x.shape[1], int(ends[-1])), 1)
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        block, *others = (of[rows] - mean for of, mean in zip((x, *layers), centre, strict=True))
        total += block.T @ np.concatenate(others, axis=1)
    return np.add.reduceat(np.square(total).sum(axis=0), [0, *ends[:-1]])


def _centre(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """The mean row (a,); exactly the entry of a column that is the same everywhere, so that nothing is left of it."""
    return np.where((x == x[0]).all(axis=0), x[0].astype(np.float64), x.mean(axis=0, dtype=np.float64))
