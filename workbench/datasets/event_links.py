"""From events to the links of every snapshot, in NumPy: nodes by birth, links once each, weights added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError

Array = NDArray[Any]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
MOST_LINKS = 20_000_000  # of all cumulative snapshots together: 20 bytes each, 400 MB


@dataclass
class Links:
    """What :class:`workbench.datasets.snapshots.SnapshotSequence` holds, as arrays."""

    links: list[Integers]  # per snapshot (2, L_t)
    weights: list[NDArray[np.float32]]  # per snapshot (L_t,)
    events: list[int]
    birth: Integers  # (N,)
    node_ids: list[str]


def event_columns(src: Any, dst: Any, *others: Any) -> list[Array]:
    """The columns of a list of events as arrays of one length M ≥ 1; an absent one (None) is left out."""
    columns = [np.asarray(column) for column in (src, dst, *others) if column is not None]
    shapes = {column.shape for column in columns}
    if len(shapes) > 1 or columns[0].ndim != 1:
        raise UsageError(
            f"the columns of the events have the shapes {', '.join(str(column.shape) for column in columns)}: "
            f"expected one number per event in each"
        )
    if not len(columns[0]):
        raise UsageError("there are no events: expected at least one link with its time")
    return columns


def numbers(values: Any, what: str, positive: bool = False) -> Floats:
    """``values`` (M,) in float64; raises UsageError, naming the first fault, unless all are finite (and above zero)."""
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"every {what} must be a number") from None
    wrong = ~np.isfinite(found) | (found <= 0 if positive else False)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        expected = "a finite number above zero" if positive else "a finite number"
        raise UsageError(f"event {first} has the {what} {found[first]:g}: expected {expected}")
    return found


def numbered(src: Array, dst: Array, num_nodes: int | None, node_ids: Sequence[str] | None) -> tuple[Array, list[str]]:
    """Ends (2, M) as numbers 0 … N−1, and the N ids.

    With ``num_nodes`` (or ``node_ids``, one per node) the ends are such numbers already; otherwise they are ids of
    any kind that can be sorted, and the nodes are those that occur, in that order.
    """
    ends = np.stack([src, dst])
    if num_nodes is None and node_ids is None:
        ids, inverse = np.unique(ends, return_inverse=True)
        return inverse.reshape(ends.shape), [str(name) for name in ids.tolist()]
    known = num_nodes if num_nodes is not None else len(node_ids or ())
    if node_ids is not None and len(node_ids) != known:
        raise UsageError(f"there are {len(node_ids):,} node ids for {known:,} nodes: expected one for each")
    if ends.dtype.kind not in "iu" or ends.min() < 0 or ends.max() >= known:
        raise UsageError(f"the ends of the events must be whole numbers from 0 to {known - 1:,}")
    return ends, list(node_ids) if node_ids is not None else [str(node) for node in range(known)]


def gather(
    snapshot: Integers, ends: Integers, weight: Floats | None, count: int, node_ids: list[str], cumulative: bool
) -> Links:
    """The links of ``count`` snapshots from events of ``ends`` (2, M) in the slice ``snapshot`` (M,).

    An event in the slice −1 is left out. Nodes are numbered anew by their first snapshot, those of one snapshot in
    their old order, and those without an event last. Weights are added up in float64.
    """
    inside = snapshot >= 0
    snapshot, ends = snapshot[inside], ends[:, inside]
    if not len(snapshot):
        raise UsageError("no event falls into any of the slices: look at the boundaries and the unit of the times")
    nodes = len(node_ids)
    birth = np.full(nodes, count, dtype=np.int64)
    np.minimum.at(birth, ends[0], snapshot)
    np.minimum.at(birth, ends[1], snapshot)
    order = np.argsort(birth, kind="stable")  # (N,) old numbers
    rank = np.empty_like(order)
    rank[order] = np.arange(nodes)
    ends = np.sort(rank[ends], axis=0)  # the smaller number first

    pairs, pair = np.unique(ends[0] * nodes + ends[1], return_inverse=True)
    keys, place = np.unique(snapshot * len(pairs) + pair, return_inverse=True)
    total = np.bincount(place, None if weight is None else weight[inside])  # (links of all snapshots,)
    when, which = np.divmod(keys, len(pairs))
    cuts = np.searchsorted(when, np.arange(1, count))
    per_snapshot: Iterable[tuple[Array, Array]] = zip(np.split(which, cuts), np.split(total, cuts), strict=True)
    if cumulative:
        _check_size(count - when[np.unique(which, return_index=True)[1]], count)
        per_snapshot = _cumulative(per_snapshot, len(pairs))
    links, weights = [], []
    for chosen, value in per_snapshot:
        links.append(np.stack(np.divmod(pairs[chosen], nodes)))
        weights.append(value.astype(np.float32))
    return Links(
        links=links,
        weights=weights,
        events=np.bincount(snapshot, minlength=count).tolist(),
        birth=birth[order],
        node_ids=[node_ids[node] for node in order.tolist()],
    )


def _check_size(lasting: Integers, count: int) -> None:
    """Refuse more links than fit; a pair (P,) stands in the ``lasting`` snapshots from its first one to the end."""
    if (links := int(lasting.sum())) > MOST_LINKS:
        raise UsageError(
            f"{count:,} cumulative snapshots would hold {links:,} links together: at most {MOST_LINKS:,} are kept; "
            f"take fewer slices, or cumulative=false"
        )


def _cumulative(per_snapshot: Iterable[tuple[Array, Array]], pairs: int) -> Iterator[tuple[Array, Array]]:
    """Every pair seen so far with the weight it has gathered."""
    total = np.zeros(pairs)
    for chosen, value in per_snapshot:
        total[chosen] += value
        seen = np.flatnonzero(total)
        yield seen, total[seen]
