"""Teacher and student embedding side by side over the online steps, with the ways of the nodes that drift most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.evolution import aligned_pair, drift, most_drifting, most_linked
from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.evolution_arrays import Snapshots, check_step, online_steps, read_embeddings, read_snapshots
from workbench.plots.evolution_nodes import community_legend, node_facts, node_marker, plain_axes, scatter
from workbench.runs.folder import Run

HEIGHT = 600
TRAIL = 3  # steps that a trail reaches back
FOLLOWED = 15  # nodes with a trail, unless some are chosen
MOST_NODES = 2000
FADED = "rgba(128, 128, 128, {})"


@dataclass(frozen=True)
class Journey:
    """Places of teacher (K, 2) and student (N_t, 2) per online step, all in one frame, and the nodes to draw."""

    sequence: Snapshots
    steps: Sequence[int]
    teacher: Sequence[NDArray[np.floating]]
    student: Sequence[NDArray[np.floating]]
    shown: NDArray[np.int64]

    def drifters(self, count: int = FOLLOWED) -> NDArray[np.int64]:
        """The nodes shown whose student embedding goes the longest way over all steps."""
        moved = np.full((len(self.steps) - 1, len(self.sequence.birth)), np.nan)
        found = drift(self.student)
        moved[:, : found.shape[1]] = found
        return self.shown[most_drifting(moved[:, self.shown], count)]


def embeddings_over_time(
    run: Run,
    step: int,
    trail: int = TRAIL,
    nodes: Sequence[int] | None = None,
    most_nodes: int = MOST_NODES,
) -> go.Figure:
    """Both embeddings at an online step, in axes that are the same at every step.

    Each is the PCA of its step, turned onto what came before (see :func:`workbench.analysis.evolution.aligned_pair`).
    ``nodes``, or those whose student embedding drifts most, draw a trail of their places in the last ``trail``
    steps. Of larger graphs the ``most_nodes`` nodes with most links are drawn. Raises UsageError for a step
    or node that there is not.
    """
    check_step(step, online_steps(run))  # before the costly part
    return draw(read_journey(run, most_nodes), step, trail, nodes)


def read_journey(run: Run, most_nodes: int = MOST_NODES) -> Journey:
    """The embeddings of all online steps in one frame: the costly part, the same for every step."""
    sequence, steps = read_snapshots(run), online_steps(run)
    teacher, student = aligned_pair(*zip(*(read_embeddings(run, step, sequence) for step in steps), strict=True))
    shown = most_linked(sequence.links, len(sequence.birth), most_nodes)
    return Journey(sequence, steps, teacher, student, shown)


def draw(of: Journey, step: int, trail: int = TRAIL, nodes: Sequence[int] | None = None) -> go.Figure:
    """Two panels of the step, teacher and student; the teacher's holds the nodes that it knows.

    Raises UsageError for a step or node that there is not.
    """
    check_step(step, list(of.steps))
    index = list(of.steps).index(step)
    followed = of.drifters() if nodes is None else _checked(nodes, len(of.sequence.birth))
    panels = (("Teacher", of.teacher), ("Student", of.student))
    figure = make_subplots(1, 2, subplot_titles=[_title(of, name, places[index]) for name, places in panels])
    for column, (_, places) in enumerate(panels, start=1):
        for trace in _trails(places, index, trail, followed):
            figure.add_trace(trace, row=1, col=column)
        figure.add_trace(_points(of, step, places[index], followed, column), row=1, col=column)
    figure.add_traces(community_legend(of.sequence))
    theme.finish(figure, HEIGHT)
    plain_axes(figure, *_reach(of))
    figure.update_layout(xaxis2={"matches": "x"}, yaxis2={"matches": "y"})
    return figure.update_layout(dragmode="pan", hovermode="closest")


def _points(of: Journey, step: int, places: NDArray[Any], followed: NDArray[np.int64], column: int) -> Any:
    nodes = of.shown[of.shown < len(places)]
    marked = np.isin(nodes, followed)
    size = float(np.clip(220 / np.sqrt(len(of.shown)), 4, 11))
    marker = {
        "size": np.where(marked, size + 3, size).astype(np.float32),
        "opacity": 0.9,
        "line": {"color": np.where(marked, "#777777", "white"), "width": np.where(marked, 2.5, 0.5).astype(np.float32)},
        **node_marker(of.sequence, step, nodes, bar=column == 2),
    }
    facts, hover = node_facts(of.sequence, step, nodes)
    x, y = places[nodes].T.astype(np.float32)
    how = {"mode": "markers", "marker": marker, "customdata": facts, "hovertemplate": hover}
    return scatter(len(nodes))(x=x, y=y, ids=nodes.astype(str), name=f"nodes {column}", showlegend=False, **how)


def _trails(places: Sequence[NDArray[Any]], index: int, trail: int, followed: NDArray[np.int64]) -> list[Any]:
    """One trace per step that the trails reach back, the older the fainter, the oldest first."""
    traces = []
    for back in range(trail, 0, -1):
        stroke = np.full((3, len(followed), 2), np.nan, dtype=np.float32)  # from, to, gap
        if index - back >= 0:
            before, after = places[index - back], places[index - back + 1]
            both = followed < min(len(before), len(after))
            stroke[0, both], stroke[1, both] = before[followed[both]], after[followed[both]]
        x, y = stroke.transpose(2, 1, 0).reshape(2, -1)
        line = {"color": FADED.format(round(1 - (back - 1) / trail * 0.8, 2)), "width": 2.5, "simplify": False}
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", name="trail", showlegend=False))
    return traces


def _reach(of: Journey) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lowest and highest places of all nodes shown at all steps."""
    every = np.concatenate([places[of.shown[of.shown < len(places)]] for places in (*of.teacher, *of.student)])
    return every.min(axis=0), every.max(axis=0)


def _title(of: Journey, name: str, places: NDArray[Any]) -> str:
    shown = int((of.shown < len(places)).sum())
    most = f" of {len(places):,}, those with most links" if shown < len(places) else ""
    return f"{name}: {shown:,} nodes{most}"


def _checked(nodes: Sequence[int], count: int) -> NDArray[np.int64]:
    if any(not 0 <= node < count for node in nodes):
        raise UsageError(f"there is no such node among {list(nodes)}: nodes are numbered 0..{count - 1}")
    return np.asarray(nodes, dtype=np.int64)
