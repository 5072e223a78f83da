"""Nodes sorted into a few named bins by a property: degree, homophily, distance, or a category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_BIN = -1
DEGREES = (0, *(2**power for power in range(11)))  # where a bin of degrees begins: 0, 1, 2, 4, … 1,024
FIFTHS = ("below 20 %", "20–40 %", "40–60 %", "60–80 %", "80–100 %")
NO_NEIGHBOURS = "no neighbours"
DISTANCES = ("0 (training)", "1", "2", "3 or more", "unreachable")
MOST = 60  # categories beside each other that can still be read


@dataclass(frozen=True)
class Bins:
    """``labels`` of B bins, in the order in which they are shown, and the bin (N,) of every node, or :data:`NO_BIN`."""

    labels: tuple[str, ...]
    index: NDArray[np.int16]


def degree_bins(degree: ArrayLike) -> Bins:
    """Degrees (N,) by powers of two: 0, 1, 2–3, 4–7, … and 1,024 or more."""
    last = [above - 1 for above in DEGREES[1:]]
    labels = [f"{low:,}" if low == high else f"{low:,}–{high:,}" for low, high in zip(DEGREES, last, strict=False)]
    index = np.searchsorted(DEGREES, np.asarray(degree), side="right") - 1
    return Bins((*labels, f"{DEGREES[-1]:,} or more"), index.astype(np.int16))


def homophily_bins(homophily: ArrayLike) -> Bins:
    """Shares (N,) in fifths; the lower end belongs to a bin, and 1 to the last one. NaN: no neighbours."""
    homophily = np.asarray(homophily, dtype=np.float64)
    known = np.isfinite(homophily)
    fifth = np.minimum(np.where(known, homophily, 0) * len(FIFTHS), len(FIFTHS) - 1)
    return Bins((*FIFTHS, NO_NEIGHBOURS), np.where(known, fifth, len(FIFTHS)).astype(np.int16))


def distance_bins(hops: ArrayLike) -> Bins:
    """Distances (N,) in hops to a training node, as :func:`~workbench.analysis.graph_measures.hops_to` gives them."""
    hops = np.asarray(hops)
    return Bins(DISTANCES, np.where(hops < 0, 4, np.minimum(hops, 3)).astype(np.int16))


def category_bins(categories: ArrayLike, names: Sequence[str], most: int = MOST) -> Bins:
    """One bin per category (N,) that occurs, a position in ``names``; negative numbers are in no bin.

    Of more than ``most``, the most frequent ones (of equals the first) have their own, and one last bin the others.
    """
    categories = np.asarray(categories)
    count = np.bincount(categories[categories >= 0], minlength=len(names))
    kept = np.flatnonzero(count)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-count[kept], kind="stable")[: most - 1]])
    bin_of = np.full(len(count) + 1, len(kept))
    bin_of[kept], bin_of[-1] = np.arange(len(kept)), NO_BIN  # the last is what a negative number points to
    labels = [names[category] for category in kept.tolist()]
    if others := int((count > 0).sum()) - len(kept):
        labels.append(f"{others} others")
    return Bins(tuple(labels), bin_of[np.maximum(categories, -1)].astype(np.int16))
