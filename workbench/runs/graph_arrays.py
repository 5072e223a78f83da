"""The stored graph of a run on the nodes of one graph, checked once for every view that draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import RunError
from workbench.runs.folder import Run

SPLITS = ("no split", "train", "validation", "test")  # by the number that stands for it
FACTS = ("y", "split", "degree")


@dataclass(frozen=True)
class GraphArrays:
    """N nodes: ``y`` (N,) classes, below 0 where not known, ``split`` (N,) places in :data:`SPLITS`, ``degree`` (N,).

    ``edge_index`` (2, E), edges (j → i), is None where the graph has too many to be stored.
    """

    y: NDArray[np.integer]
    split: NDArray[np.integer]
    degree: NDArray[np.integer]
    edge_index: NDArray[np.integer] | None

    def edges(self, run: Run) -> NDArray[np.integer]:
        """The edges (2, E); RunError where ``run``, whose graph this is, keeps none."""
        if self.edge_index is None:
            raise RunError(
                f"run {run.id} keeps no edges: too many edges (above 2 million) are not stored, nor were they by older "
                f"versions. Choose a run on a smaller graph, or run the spec again"
            )
        return self.edge_index


def read_graph_arrays(run: Run) -> GraphArrays:
    """Raises RunError for arrays that are missing, of a wrong kind or shape, or not of the same nodes."""
    stored = run.arrays("graph")
    if missing := set(FACTS) - stored.keys():
        raise RunError(f"the arrays of run {run.id} hold no {min(missing)!r}: run the spec again")
    y, split, degree = (stored[name] for name in FACTS)
    if any(of.ndim != 1 or len(of) != len(y) or not len(of) or of.dtype.kind not in "iu" for of in (y, split, degree)):
        raise RunError(f"the arrays of run {run.id} are not of the same nodes: run the spec again")
    if not 0 <= split.min() <= split.max() < len(SPLITS):
        raise RunError(f"run {run.id} has a split that is not known here: run the spec again")
    if degree.min() < 0:
        raise RunError(f"run {run.id} has a node with fewer than no edges: run the spec again")
    edges = stored.get("edge_index")
    if edges is not None and not _join_nodes(edges, len(y)):
        raise RunError(f"the edges of run {run.id} are not between its nodes: run the spec again")
    return GraphArrays(y, split, degree, edges)


def _join_nodes(edges: NDArray[Any], nodes: int) -> bool:
    if edges.ndim != 2 or len(edges) != 2 or edges.dtype.kind not in "iu":
        return False
    return bool(0 <= edges.min(initial=0) <= edges.max(initial=0) < nodes)
