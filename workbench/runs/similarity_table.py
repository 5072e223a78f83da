"""How alike the embeddings of teacher and student are, for any number of runs: the three figures of G-CRD's paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.analysis.similarity import (
    edges_among,
    global_structural_correlation,
    linear_cka,
    local_structural_correlation,
    unit_rows,
)
from workbench.analysis.statistics import Summary, summarise
from workbench.errors import RunError, WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.graph_arrays import SPLITS, read_graph_arrays
from workbench.runs.leaderboard import Entry, leaderboard
from workbench.runs.side import Side

FIGURES: Mapping[str, str] = {
    "global": "Global structural correlation",
    "local": "Local structural correlation",
    "cka": "Linear CKA",
}


@dataclass(frozen=True)
class Similarity:
    """Teacher and student of one run on its ``nodes`` validation nodes, and on ``edges`` directed edges among these.

    ``values`` by the names of :data:`FIGURES`; None where a figure is not defined (fewer than three nodes or edges, all
    distances equal, edges that were not stored).
    """

    run: str
    nodes: int
    edges: int | None
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class Row:
    """An entry of the leaderboard: its runs that could be compared, in the order of their seeds."""

    entry: Entry
    runs: tuple[Similarity, ...]

    def summary(self, figure: str) -> Summary | None:
        """Mean and sample standard deviation over the seeds; None where no seed has the figure."""
        values = [value for run in self.runs if (value := run.values[figure]) is not None]
        return summarise(values) if values else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold."""
        seeds = {seed.run: seed.seed for seed in self.entry.runs}
        summaries = {figure: self.summary(figure) for figure in FIGURES}
        return {
            "entry": self.entry.id,
            "title": self.entry.title,
            "dataset": self.entry.dataset,
            **{figure: found and vars(found) for figure, found in summaries.items()},
            "runs": [{"seed": seeds[run.run], **vars(run), "values": dict(run.values)} for run in self.runs],
        }


@dataclass(frozen=True)
class SimilarityTable:
    """``rows``, the best entry of each dataset first; ``left_out`` says by run why it could not be compared."""

    rows: tuple[Row, ...]
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        return {"rows": [row.to_dict() for row in self.rows], "left_out": dict(self.left_out)}


def similarity(run: Run) -> Similarity:
    """The three figures of a finished run on the nodes of one graph, from the arrays that it has stored.

    As Joshi et al. (TNNLS 2022, arXiv 2111.04964) do: last hidden features of the validation nodes, rows of length one;
    Pearson's r between the cosine distances of all pairs of nodes (global) and of linked ones (local), and linear CKA.
    Raises RunError for arrays that are missing or do not fit.
    """
    graph = read_graph_arrays(run)
    nodes = (graph.split == SPLITS.index("validation")).nonzero()[0]
    sides = [Side(run, "teacher"), Side(run, "student")]
    stored = [side.arrays("embedding")["embedding"] for side in sides]
    if any(len(embedding) != len(graph.y) for embedding in stored):
        raise RunError(f"the arrays of run {run.id} are not of the same nodes: run the spec again")
    if len(nodes) < 3:
        raise RunError(f"run {run.id} has {len(nodes)} validation nodes: three are needed at least")
    teacher, student = (unit_rows(embedding[nodes]) for embedding in stored)
    edges = None if graph.edge_index is None else edges_among(graph.edge_index, nodes, len(graph.y))
    found = {
        "global": global_structural_correlation(teacher, student),
        "local": math.nan if edges is None else local_structural_correlation(teacher, student, edges),
        "cka": linear_cka(teacher, student),
    }
    values = {name: value if math.isfinite(value) else None for name, value in found.items()}
    return Similarity(run.id, len(nodes), None if edges is None else edges.shape[1], values)


def similarity_table(runs: Iterable[Run]) -> SimilarityTable:
    """The finished ones of ``runs``, grouped by spec and data as the leaderboard does.

    Runs on anything else than the nodes of one graph, and those whose arrays cannot be read, are left out and named.
    """
    several = list(runs)
    by_id = {run.id: run for run in reversed(several)}  # of two with one id the first counts
    entries = leaderboard(several).entries
    left_out: dict[str, str] = {}
    rows = []
    for entry in entries:
        found = []
        for seed in entry.runs:
            try:
                found.append(similarity(by_id[seed.run]))
            except WorkbenchError as error:
                left_out[seed.run] = str(error)
        if found:
            rows.append(Row(entry, tuple(found)))
    return SimilarityTable(tuple(rows), left_out)
