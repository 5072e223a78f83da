"""How alike every layer of one model is to every layer of another, and what two layers say about the edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.projection import as_features
from workbench.errors import UsageError

Floats = NDArray[np.float64]

AT_A_TIME = 4_000_000  # numbers of all layers in a block of nodes
PRECISE = 2**22  # numbers: of more, layers stored in half or single precision are multiplied in single precision
LARGEST = 1e9  # of numbers whose squares single precision holds, with room for their sum
DEGREE = 40  # neighbours beside which a person can still tell one edge from the next


def cka_map(left: Sequence[ArrayLike], right: Sequence[ArrayLike]) -> NDArray[np.float64]:
    r"""Linear centred kernel alignment of all layer pairs (Kornblith et al., ICML 2019, arXiv 1905.00414).

    .. math:: M_{ij} = \frac{\| Y_j^\top X_i \|_F^2}{\| X_i^\top X_i \|_F \; \| Y_j^\top Y_j \|_F}

    with centred columns. Shapes: T_l features (N, a_i) and S_l features (N, b_j) -> (T_l, S_l) in [0, 1]; 0 also
    where all nodes of a layer coincide. In feature space, O(N a b) for a pair, in one pass over blocks of nodes.
    float64; above :data:`PRECISE` numbers of half or single precision the products of a block are float32 and their
    sum is float64, which leaves five digits. Raises UsageError for no layers, other nodes, or features that are not
    finite.
    """
    if not left or not right:
        raise UsageError("layers are compared in pairs: give at least one of each model")
    x, y = [_checked(layer) for layer in left], [_checked(layer) for layer in right]
    if len({len(layer) for layer in (*x, *y)}) > 1:
        raise UsageError("the layers are not of the same nodes, so they cannot be compared")
    own_x, own_y, cross = _products(x, y)
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
    weight = np.asarray(weight)
    pairs, wanted = (np.asarray(edges).astype(np.int64) for edges in (attended, edge_index))
    known, chosen = pairs[0] * num_nodes + pairs[1], wanted[0] * num_nodes + wanted[1]
    if not len(known):
        return np.full((len(chosen), weight.shape[1]), np.nan)
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], chosen), len(order) - 1)
    found = order[place]
    return np.where((known[found] == chosen)[:, None], weight[found].astype(np.float64), np.nan)


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


def _products(x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]]) -> tuple[Floats, Floats, Floats]:
    """Squared Frobenius norms of the products of centred layers (N, .).

    (T_l,) of every layer of ``x`` with itself, (S_l,) of ``y``, and (T_l, S_l) of every pair.
    """
    layers = [*x, *y]
    short = all(map(_is_short, layers)) and sum(layer.size for layer in layers) > PRECISE
    kind: Any = np.float32 if short else np.float64
    centre = [_centre(layer).astype(kind) for layer in layers]
    widths = [layer.shape[1] for layer in layers]
    own = [np.zeros((width, width)) for width in widths]
    cross = np.zeros((sum(widths[: len(x)]), sum(widths[len(x) :])))
    step = max(AT_A_TIME // sum(widths), 1)
    for start in range(0, len(x[0]), step):
        rows = slice(start, start + step)
        blocks = [layer[rows].astype(kind) - mean for layer, mean in zip(layers, centre, strict=True)]
        for total, block in zip(own, blocks, strict=True):
            total += block.T @ block
        cross += np.concatenate(blocks[: len(x)], axis=1).T @ np.concatenate(blocks[len(x) :], axis=1)
    norms = np.array([np.square(total).sum() for total in own])
    by_row = np.add.reduceat(np.square(cross), _starts(widths[: len(x)]), axis=0)
    return norms[: len(x)], norms[len(x) :], np.add.reduceat(by_row, _starts(widths[len(x) :]), axis=1)


def _starts(widths: Sequence[int]) -> NDArray[np.int64]:
    """Where each layer begins among the columns of all of them."""
    return np.cumsum([0, *widths[:-1]])


def _is_short(x: NDArray[Any]) -> bool:
    """Whether products in single precision lose little of what is stored."""
    if x.dtype == np.float16:
        return True
    return x.dtype == np.float32 and max(x.max(), -x.min()) < LARGEST


def _centre(x: NDArray[Any]) -> Floats:
    """The mean row (a,); exactly the entry of a column that is the same everywhere, so that nothing is left of it."""
    mean = x.mean(axis=0, dtype=np.float64)  # of halves and singles the sum has room enough to be exact
    return np.where((x == x[0]).all(axis=0), x[0], mean) if x.dtype == np.float64 else mean
