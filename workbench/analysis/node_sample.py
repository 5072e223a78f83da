"""A sample of nodes that looks like all of them: every class has its share, and no class is left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError


def stratified_sample(classes: ArrayLike, size: int, seed: int = 0) -> NDArray[np.int64]:
    """``size`` nodes without replacement, of every class in proportion to its share, at least one of each.

    One node of every class is set aside first; the other places are shared out in proportion to the nodes that are
    left, by largest remainders (among equals the smaller class number first). Shapes: classes (N,), any integers ->
    sorted positions (m,), m = min(size, N). The same classes, size and seed give the same nodes.
    Raises UsageError where ``size`` cannot hold one node of every class.
    """
    classes = np.asarray(classes)
    if classes.ndim != 1:
        raise UsageError(f"expected one class per node, and got an array of shape {classes.shape}")
    _, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if size < len(counts):
        raise UsageError(f"a sample of {size} nodes cannot hold one of each of {len(counts)} classes: choose a larger")
    if size >= len(classes):
        return np.arange(len(classes))
    order = np.random.default_rng(seed).permutation(len(classes))
    order = order[np.argsort(inverse[order], kind="stable")]  # class by class, in random order within each
    first = np.cumsum(counts) - counts  # (C,) where each class begins
    rank = np.arange(len(classes)) - np.repeat(first, counts)  # (N,) of a node within its class
    return np.sort(order[rank < np.repeat(_places(counts, size), counts)])


def _places(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """How many nodes (C,) of classes with ``counts`` (C,) nodes are taken; they add up to ``size``."""
    spare = counts - 1
    share = spare * ((size - len(counts)) / max(int(spare.sum()), 1))
    places = np.floor(share).astype(np.int64)
    largest = np.argsort(places - share, kind="stable")  # the most left over first
    places[largest[: size - len(counts) - int(places.sum())]] += 1
    return places + 1
