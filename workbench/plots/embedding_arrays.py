"""What the embeddings views show: the nodes of two sides, their features, and their places in one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.node_sample import stratified_sample
from workbench.analysis.projection import pca, procrustes
from workbench.analysis.similarity import (
    edges_among,
    global_structural_correlation,
    linear_cka,
    local_structural_correlation,
    unit_rows,
)
from workbench.errors import RunError, UsageError, check_choice
from workbench.runs.graph_arrays import SPLITS as SPLITS
from workbench.runs.graph_arrays import read_graph_arrays
from workbench.runs.side import Side

Projection = Literal["pca", "umap"]
Which = Literal["sample", "all"]
Points = NDArray[np.float32]

DRAWN = 20_000  # points, in both panels together: among more, a lasso takes seconds
SAMPLE = DRAWN // 2  # nodes


@dataclass(frozen=True)
class Nodes:
    """What is known about the m nodes that are drawn, as arrays.

    ``number`` (m,) of every node in the graph, ascending; ``y``, ``left_class`` and ``right_class`` (m,) true and
    predicted classes; ``split`` (m,) positions in :data:`SPLITS`; ``degree`` (m,).
    """

    number: NDArray[np.integer]
    y: NDArray[np.integer]
    left_class: NDArray[np.integer]
    right_class: NDArray[np.integer]
    split: NDArray[np.integer]
    degree: NDArray[np.integer]


@dataclass(frozen=True)
class Pair:
    """Two embeddings of the same nodes: ``left`` (m, a) and ``right`` (m, b).

    ``edge_index`` (2, e) joins their positions 0..m-1, or is None where the run did not store its edges.
    """

    nodes: Nodes
    left: NDArray[np.floating]
    right: NDArray[np.floating]
    edge_index: NDArray[np.integer] | None


@dataclass(frozen=True)
class Likeness:
    """How alike two embeddings are, read as G-CRD's paper does; a number may be NaN where it is not defined.

    ``nodes`` were compared, along ``edges`` (None: not stored); they are of the validation split, or all that are
    drawn.
    """

    cka: float
    global_correlation: float
    local_correlation: float
    nodes: int
    edges: int | None
    validation: bool


def read_pair(left: Side, right: Side, points: Which = "sample") -> Pair:
    """The arrays of two sides; RunError where they are missing or do not fit.

    Of a graph with more than :data:`SAMPLE` nodes, ``sample`` takes that many: by class, always the same ones.
    """
    check_choice("points", points, get_args(Which))
    graph = read_graph_arrays(left.run)
    count = len(graph.y)
    first, second = (side.arrays("embedding", "logits") for side in (left, right))
    for side, arrays in ((left, first), (right, second)):
        if len(arrays["embedding"]) != count:
            raise RunError(f"the arrays of run {side.run.id} are not of the same nodes: run the spec again")
    number = shown_nodes(graph.y, points)
    nodes = Nodes(
        number=number,
        y=graph.y[number],
        left_class=first["logits"][number].argmax(axis=1),
        right_class=second["logits"][number].argmax(axis=1),
        split=graph.split[number],
        degree=graph.degree[number],
    )
    edges = graph.edge_index
    among = None if edges is None else edges_among(edges, number, count).astype(np.int32)
    return Pair(nodes, first["embedding"][number], second["embedding"][number], among)


def graph_arrays(side: Side) -> dict[str, NDArray[Any]]:
    """``y``, ``split`` and ``degree`` (N,) of the run's graph, and ``edge_index`` (2, E) where it was stored."""
    return {name: array for name, array in vars(read_graph_arrays(side.run)).items() if array is not None}


def shown_nodes(y: NDArray[np.integer], points: Which) -> NDArray[np.int64]:
    """Numbers (m,) of the nodes that are drawn, of classes ``y`` (N,)."""
    return np.arange(len(y)) if points == "all" or len(y) <= SAMPLE else stratified_sample(y, SAMPLE)


def frame(
    left: Side, right: Side, pair: Pair, projection: Projection = "pca", dimensions: int = 2
) -> tuple[Points, Points, float]:
    """Points (m, dimensions) of both sides in the frame of the left one, and their Procrustes disparity.

    The best fit shrinks the right side the more, the less it fits. For the eye it gets the spread of the left one
    instead; how badly it fits is what the disparity says.
    """
    if dimensions not in (2, 3):
        raise UsageError(f"a picture has 2 or 3 dimensions, not {dimensions!r}")
    if projection == "umap":
        if not can_have_umap(left, right) or dimensions != 2:
            raise UsageError(
                "a UMAP is stored of the teacher and the student of one run, at the best epoch and in two dimensions: "
                "choose pca for the film, for two runs and for 3-D"
            )
        stored = left.run.arrays("umap")
        if not all(_are_places(stored.get(side.who), pair.nodes) for side in (left, right)):
            raise RunError(f"the UMAP of run {left.run.id} is not of the same nodes: run the spec again")
        first, second = (stored[side.who][pair.nodes.number] for side in (left, right))
    else:
        first, second = pca(pair.left, dimensions), pca(pair.right, dimensions)
    aligned, disparity = procrustes(first, second)
    if disparity < 1:
        centre = aligned.mean(axis=0)
        aligned = centre + (aligned - centre) / np.sqrt(1 - disparity)
    return first.astype(np.float32), aligned.astype(np.float32), disparity


def _are_places(stored: NDArray[Any] | None, nodes: Nodes) -> bool:
    """Whether a UMAP holds a place (., 2) for every node that is drawn."""
    if stored is None or stored.dtype.kind != "f" or stored.ndim != 2 or stored.shape[1] != 2:
        return False
    return len(stored) > int(nodes.number.max(initial=0)) and bool(np.isfinite(stored).all())


def can_have_umap(left: Side, right: Side) -> bool:
    """Whether a run stores a UMAP of both sides, once it is asked for."""
    return left.run.path == right.run.path and left.epoch is None is right.epoch


def likeness(pair: Pair) -> Likeness:
    """Three numbers over the validation nodes that are drawn, or over all where fewer than three are of that split.

    Final hidden features with rows of length one: linear CKA, and the structural correlations over all pairs and
    along edges (Joshi et al., TNNLS 2022, arXiv 2111.04964, who take validation nodes).
    """
    chosen = np.nonzero(pair.nodes.split == SPLITS.index("validation"))[0]
    validation = len(chosen) >= 3
    if not validation:
        chosen = np.arange(len(pair.nodes.number))
    left, right = unit_rows(pair.left[chosen]), unit_rows(pair.right[chosen])
    local, count = float("nan"), None
    if pair.edge_index is not None:
        edges = edges_among(pair.edge_index, chosen, len(pair.nodes.number))
        local, count = local_structural_correlation(left, right, edges), edges.shape[1]
    return Likeness(
        cka=linear_cka(left, right),
        global_correlation=global_structural_correlation(left, right),
        local_correlation=local,
        nodes=len(chosen),
        edges=count,
        validation=validation,
    )
