"""A graph that changes: which links come and go, and how far embeddings drift.

Arrays in, numbers out. Nodes are numbered in the order of their birth, so that the nodes of an earlier snapshot
are the first ones of a later.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.projection import Points, pca

Links = NDArray[np.integer]  # (2, L): each undirected link once


def most_linked(links: Sequence[Links], num_nodes: int, count: int) -> NDArray[np.int64]:
    """The ``count`` nodes with most links, summed over all snapshots, in the order of their numbers."""
    degree = sum((np.bincount(np.ravel(pairs), minlength=num_nodes) for pairs in links), np.zeros(num_nodes, int))
    return np.sort(np.argsort(-degree, kind="stable")[:count])


def link_changes(before: Links, now: Links) -> tuple[Links, Links, Links]:
    """Links that were born, kept, and have died between two snapshots, as (2, L) arrays with the smaller node first."""
    earlier, later = _codes(before), _codes(now)
    kept = np.intersect1d(earlier, later)
    return _pairs(np.setdiff1d(later, earlier)), _pairs(kept), _pairs(np.setdiff1d(earlier, later))


def aligned_embeddings(embeddings: Sequence[ArrayLike]) -> list[Points]:
    """Embeddings over time in one two-dimensional frame: PCA of each step, turned onto the step before.

    The turn (or mirroring) is the orthogonal Procrustes fit of the nodes that both steps have, the first ones;
    no step is stretched on its own. One scale for all steps makes the mean square distance to the centre one.
    Shapes: (N_t, d) per step -> (N_t, 2) per step. Raises UsageError for features that are not finite.
    """
    return _one_scale(_chained([pca(features) for features in embeddings]))


def aligned_pair(teacher: Sequence[ArrayLike], student: Sequence[ArrayLike]) -> tuple[list[Points], list[Points]]:
    """Teacher and student over time in the student's frame.

    The student as in :func:`aligned_embeddings`; the teacher of each step, with one scale of its own for all steps,
    is turned onto the student of the same step by the nodes that both know.
    """
    followed = aligned_embeddings(student)
    flat = _one_scale([pca(features) for features in teacher])
    return [turned(onto, points) for onto, points in zip(followed, flat, strict=True)], followed


def turned(reference: Points, points: Points) -> Points:
    """``points`` moved, turned and mirrored, not scaled, until the nodes that both have (the first ones) fit best."""
    shared = min(len(reference), len(points))
    there, here = reference[:shared].mean(axis=0), points[:shared].mean(axis=0)
    left, _, right = np.linalg.svd((points[:shared] - here).T @ (reference[:shared] - there))
    return (points - here) @ (left @ right) + there


def drift(aligned: Sequence[ArrayLike]) -> Points:
    """How far each node moves from step to step: (N_t, 2) per step -> (T − 1, N), NaN where a node is in one only."""
    steps = [np.asarray(points, dtype=np.float64) for points in aligned]
    moved = np.full((max(len(steps) - 1, 0), max(map(len, steps), default=0)), np.nan)
    for row, (before, now) in enumerate(pairwise(steps)):
        shared = min(len(before), len(now))
        moved[row, :shared] = np.linalg.norm(now[:shared] - before[:shared], axis=1)
    return moved


def most_drifting(moved: Points, count: int) -> NDArray[np.int64]:
    """The ``count`` nodes with the longest way in all, from what :func:`drift` returns, the farthest first."""
    ways = np.nansum(moved, axis=0)
    return np.argsort(-ways, kind="stable")[: min(count, int((ways > 0).sum()))]


def _codes(links: Links) -> NDArray[np.int64]:
    """One number per link, whatever its direction."""
    pairs = np.sort(np.asarray(links, dtype=np.int64), axis=0)
    return np.unique(pairs[0] << 32 | pairs[1])


def _pairs(codes: NDArray[np.int64]) -> Links:
    return np.stack([codes >> 32, codes & 0xFFFFFFFF])


def _chained(steps: list[Points]) -> list[Points]:
    for index in range(1, len(steps)):
        steps[index] = turned(steps[index - 1], steps[index])
    return steps


def _one_scale(steps: list[Points]) -> list[Points]:
    square = np.concatenate([((points - points.mean(axis=0)) ** 2).sum(axis=1) for points in steps] or [np.zeros(1)])
    return [points / (float(np.sqrt(square.mean())) or 1.0) for points in steps]
