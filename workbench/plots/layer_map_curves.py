"""How the maps that ABKD learns move while the student is trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.epochs import line
from workbench.plots.layer_map_arrays import Kind, LayerMap, Recorded, learned_map, recorded
from workbench.runs.folder import Run
from workbench.runs.side import Side

HEIGHT = 360
LINES = 8  # that can be told apart
SHARPEST = "largest of a row"
TITLES: Mapping[str, str] = {"attention": "attention", "dissimilarity": "squared distance"}


def layer_pair_curves(run: Run, kind: Kind = "attention", epoch: int | None = None) -> go.Figure:
    """A line for every layer pair over the epochs of a run with ABKD; a dotted one marks ``epoch``.

    Of many pairs a line for every student layer, the mean over the teacher's layers. Raises UsageError for ``cka``,
    which is not recorded over training, RunError where the run has no such map.
    """
    if kind == "cka":
        raise UsageError("CKA is not recorded over training: choose attention or dissimilarity")
    sides = Side(run, "teacher"), Side(run)
    found = recorded(*sides, kind)
    return draw(found, learned_map(*sides, kind, found), epoch)


def draw(found: Recorded, names: LayerMap, epoch: int | None = None) -> go.Figure:
    """The lines of all maps that were ``found``; ``names`` is one of these maps, with the names of its layers."""
    figure = go.Figure()
    for index, (name, values) in enumerate(series(found, names).items()):
        shade = theme.appearance(index)[0] if name != SHARPEST else "#888888"
        points = found.epochs.astype(np.float32), values.astype(np.float32)
        trace = line(points, name, shade, "%{y:.3g}")
        if name == SHARPEST:
            trace.update(line={"color": shade, "width": 2, "dash": "dash"})
        figure.add_trace(trace)
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": "#888888", "dash": "dot", "width": 2}, layer="below")
    figure.update_xaxes(title="epoch", rangemode="tozero")
    top = [0, 1.03] if names.kind == "attention" else [0, 1.05 * names.top]
    figure.update_yaxes(title=TITLES[names.kind], range=top)
    theme.finish(figure, HEIGHT)
    return figure.update_layout(hovermode="x", legend_y=-0.24, showlegend=True, margin_t=36)


def series(found: Recorded, names: LayerMap) -> dict[str, NDArray[np.float64]]:
    """What is drawn, by name, (e,) each: every pair, or the mean over rows of every column (LINES of them at most).

    Beside means of attention stands the largest number of a row, averaged over rows: one where every teacher layer
    looks at a single student layer, one divided by their number where all are looked at alike.
    """
    rows, columns = names.values.shape
    if rows * columns <= LINES:
        return {
            f"{names.rows[i]} × {names.columns[j]}": found.values[:, i, j] for i in range(rows) for j in range(columns)
        }
    # Evenly among the columns, the last one always.
    shown = np.unique(np.linspace(0, columns - 1, min(columns, LINES - 1)).round().astype(int))
    of = {f"student {names.columns[j]}, mean": found.values[:, :, j].mean(axis=1) for j in shown}
    return of | ({SHARPEST: found.values.max(axis=2).mean(axis=1)} if names.kind == "attention" else {})
