"""What views of the knowledge gap draw: two models' answers on the nodes of one graph, and slices of these nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.agreement import CASES, agreement
from workbench.analysis.graph_measures import hops_to, local_homophily
from workbench.analysis.knowledge_gap import UNKNOWN, Slices, in_cell, log_softmax, relative_entropy, slices
from workbench.analysis.node_bins import Bins, category_bins, degree_bins, distance_bins, homophily_bins
from workbench.errors import RunError, UsageError, check_choice
from workbench.runs.folder import Run
from workbench.runs.graph_arrays import SPLITS as STORED
from workbench.runs.graph_arrays import read_graph_arrays
from workbench.runs.side import Side, titles

By = Literal["degree", "homophily", "distance", "class", "split"]
Split = Literal["test", "validation", "train", "all"]
BY: Mapping[str, str] = {
    "degree": "degree (in-edges of a node)",
    "homophily": "neighbours of the same class",
    "distance": "hops to the nearest training node",
    "class": "true class",
    "split": "split",
}
SPLITS: Mapping[str, int | None] = {"test": 3, "validation": 2, "train": 1, "all": None}  # -> its number in a run
SPLIT_NAMES = STORED  # by that number
KINDS = ("both right", "left only", "right only", "both wrong")  # the four cases, whatever both sides are called
TRAIN = 1


@dataclass(frozen=True)
class Graph:
    """What a run knows of its N nodes: ``y``, ``split``, ``degree`` (N,), and, where its edges are stored,
    ``homophily`` (N,) float64 with NaN for no neighbour and ``distance`` (N,) in hops to a training node."""

    y: NDArray[np.integer]
    split: NDArray[np.integer]
    degree: NDArray[np.integer]
    homophily: NDArray[np.float64] | None
    distance: NDArray[np.int32] | None


@dataclass(frozen=True)
class Gap:
    """Left and right model, ``titles``, on the N nodes of one graph.

    ``says`` (N, 2) the class that each one predicts, ``sure`` (N, 2) the probability it gives to that class,
    ``divergence`` (N,) KL(left ‖ right) in nats, ``cases`` (N,) positions in :data:`KINDS`, or UNKNOWN where the
    true class is not known. ``classes`` is how many there are.
    """

    graph: Graph
    titles: tuple[str, str]
    says: NDArray[np.int32]
    sure: NDArray[np.float32]
    divergence: NDArray[np.float32]
    cases: NDArray[np.int8]
    classes: int

    @property
    def names(self) -> tuple[str, ...]:
        """What the four cases are called."""
        return case_names(*self.titles)


def read_graph(run: Run) -> Graph:
    """Raises RunError for arrays that are missing or do not fit to each other."""
    found = read_graph_arrays(run)
    homophily = distance = None
    if found.edge_index is not None:
        homophily = local_homophily(found.edge_index, found.y)
        distance = hops_to(found.edge_index, found.split == TRAIN)
    return Graph(found.y, found.split, found.degree, homophily, distance)


def read_gap(left: Side, right: Side, graph: Graph | None = None) -> Gap:
    """Both sides' answers; ``graph`` is given where it is known already. Raises RunError as :func:`read_graph` does."""
    graph = graph or read_graph(left.run)
    logits = [side.arrays("logits")["logits"] for side in (left, right)]
    for side, of in zip((left, right), logits, strict=True):
        if (
            of.dtype.kind != "f"
            or of.ndim != 2
            or len(of) != len(graph.y)
            or of.shape != logits[0].shape
            or (of.shape[1] <= graph.y.max(initial=0))
        ):
            raise RunError(f"the arrays of run {side.run.id} are not of the same nodes and classes: run the spec again")
        if not np.isfinite(of).all():
            raise RunError(f"predictions of run {side.run.id} are NaN or infinite (a diverged run?): train it again")
    says = np.stack([of.argmax(axis=1) for of in logits], axis=1).astype(np.int32)
    logs = [log_softmax(of) for of in logits]
    sure = np.stack([np.exp(of.max(axis=1)) for of in logs], axis=1).astype(np.float32)
    cases = np.where(graph.y >= 0, agreement(says[:, 0], says[:, 1], graph.y), UNKNOWN).astype(np.int8)
    lost = relative_entropy(logs[0], logs[1]).astype(np.float32)
    return Gap(graph, titles(left, right), says, sure, lost, cases, logits[0].shape[1])


def case_names(left: str, right: str) -> tuple[str, ...]:
    """The four cases of two sides with these titles: ``teacher only``, ``only student, epoch 20``."""

    def only(title: str) -> str:
        title = title[:1].lower() + title[1:]
        return f"{title} only" if title.isalpha() else f"only {title}"

    return (CASES[0], only(left), only(right), CASES[3])


def in_split(gap: Gap, split: str) -> NDArray[np.bool_]:
    """The nodes (N,) of a split whose class is known; UsageError for a wrong name, or where there are none."""
    check_choice("split", split, tuple(SPLITS))
    number = SPLITS[split]
    own = (gap.cases != UNKNOWN) & (True if number is None else gap.graph.split == number)
    if not own.any():
        raise UsageError(f"there are no {split} nodes with a known class: choose another split")
    return own


def known_properties(graph: Graph) -> list[str]:
    """By what the nodes can be sliced; two properties need the edges."""
    return [by for by in BY if by not in ("homophily", "distance") or graph.homophily is not None]


def bins_by(gap: Gap, by: str) -> Bins:
    """The bin of every node by a property of :data:`BY`; UsageError for others, and where the edges are not stored."""
    check_choice("property", by, tuple(BY))
    graph = gap.graph
    if by == "degree":
        return degree_bins(graph.degree)
    if by == "class":
        return category_bins(graph.y, [f"class {c}" for c in range(gap.classes)])
    if by == "split":
        return category_bins(graph.split, SPLIT_NAMES)
    if graph.homophily is None or graph.distance is None:
        raise UsageError(f"this run has stored no edges, which {by} needs: choose degree, class or split")
    return homophily_bins(graph.homophily) if by == "homophily" else distance_bins(graph.distance)


def sliced(gap: Gap, by: str, split: str) -> Slices:
    """The four cases in every bin of the nodes of a split."""
    return slices(bins_by(gap, by), gap.cases, in_split(gap, split))


def behind_bar(gap: Gap, split: str, by: str, bin: str | None, case: str | None) -> NDArray[np.int64]:
    """Nodes (m,) of a bin and a case, None: of any, that of the largest divergence first."""
    own = in_split(gap, split)
    if bin is not None:
        bins = bins_by(gap, by)
        check_choice("bin", bin, bins.labels)
        own &= bins.index == bins.labels.index(bin)
    if case is not None:
        check_choice("case", case, KINDS)
        own &= gap.cases == KINDS.index(case)
    return _ordered(gap, own)


def behind_cell(gap: Gap, split: str, cell: tuple[int, int]) -> NDArray[np.int64]:
    """Nodes (m,) behind a cell (true class, predicted class) of the confusion difference, in the same order."""
    if not all(0 <= c < gap.classes for c in cell):
        raise UsageError(f"there is no cell {cell}: classes run from 0 to {gap.classes - 1}")
    return _ordered(gap, in_split(gap, split) & in_cell(gap.graph.y, gap.says[:, 0], gap.says[:, 1], *cell))


def _ordered(gap: Gap, own: NDArray[np.bool_]) -> NDArray[np.int64]:
    nodes = np.flatnonzero(own)
    return nodes[np.argsort(-gap.divergence[nodes], kind="stable")]
