"""Which earlier snapshots teacher and student look at: temporal attention as two heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.errors import RunError, UsageError
from workbench.plots import theme
from workbench.plots.evolution_arrays import read_attention
from workbench.runs.folder import Run

HEIGHT = 480
UNKNOWN, NOT_STORED = "does not know this node", "not stored, too many nodes"
SCALE = "Viridis"  # told apart by all readers
NUMBERS = 10  # snapshots in a window up to which every cell says its number


def temporal_attention(run: Run, step: int, node: int | None = None) -> go.Figure:
    """Temporal attention of both models at an online step: mean over their nodes, or of one ``node``.

    A row is an attending snapshot of the window and sums to one, a column an attended one; nothing looks ahead,
    so the upper triangle is empty. Of many nodes a model's attention is not stored, and its title says so. Raises
    UsageError for a step or node that there is not, RunError where none is stored or it is
    damaged.
    """
    teacher, student, count = read_attention(run, step)
    if teacher is None and student is None:
        raise RunError(f"run {run.id} has stored no temporal attention at step {step}: there are too many nodes for it")
    if node is not None and not 0 <= node < count:
        raise UsageError(f"there is no node {node!r} at step {step}: nodes are numbered 0..{count - 1}")
    absent = [NOT_STORED if weights is None else UNKNOWN for weights in (teacher, student)]
    return draw(_averaged(teacher, node), _averaged(student, node), step, absent)


def draw(
    teacher: NDArray[np.floating] | None,
    student: NDArray[np.floating] | None,
    step: int,
    absent: Sequence[str] = (UNKNOWN, UNKNOWN),
) -> go.Figure:
    """Two heat maps of (W, W) weights, the windows ending at ``step``; where one is None, ``absent`` says why."""
    panels = (("Teacher", teacher), ("Student", student))
    titles = [f"{name}: {_window(weight) or why}" for (name, weight), why in zip(panels, absent, strict=True)]
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.1)
    for column, (_, weight) in enumerate(panels, start=1):
        if weight is not None:
            figure.add_trace(_heat_map(weight, step), row=1, col=column)
    shades = {"cmin": 0, "cmax": 1, "colorscale": SCALE, "colorbar": {"title": {"text": "weight"}, "thickness": 14}}
    figure.update_layout(coloraxis=shades)
    figure.update_xaxes(title="attended snapshot", dtick=1, showgrid=False, constrain="domain")
    figure.update_yaxes(title="attending snapshot", dtick=1, showgrid=False, autorange="reversed", constrain="domain")
    for column, axis in enumerate(("x", "x2"), start=1):
        figure.update_yaxes(scaleanchor=axis, row=1, col=column)
    return theme.finish(figure, HEIGHT)


def _averaged(weights: NDArray[np.floating] | None, node: int | None) -> NDArray[np.floating] | None:
    """Attention (n, W, W) of one node, or the mean over all, in float32; None where there is none of it."""
    if weights is None:
        return None
    if node is None:
        return weights.mean(axis=0, dtype=np.float32)
    return weights[node].astype(np.float32) if node < len(weights) else None


def _heat_map(weight: NDArray[np.floating], step: int) -> Any:
    window = len(weight)
    snapshots = np.arange(step - window + 1, step + 1)
    causal = np.where(np.tri(window, dtype=bool), weight, np.nan)
    said = {"texttemplate": "%{z:.2f}", "textfont": {"size": theme.FONT}} if window <= NUMBERS else {}
    hover = "snapshot %{y} looks at %{x}: %{z:.3f}<extra></extra>"
    return go.Heatmap(
        x=snapshots, y=snapshots, z=causal, coloraxis="coloraxis", xgap=2, ygap=2, hovertemplate=hover, **said
    )


def _window(weight: NDArray[np.floating] | None) -> str:
    if weight is None:
        return ""
    return f"a window of {len(weight)} snapshot" + ("s" if len(weight) > 1 else "")
