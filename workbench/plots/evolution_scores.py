"""Scores of links that are to come: how well teacher and student tell them from node pairs that stay unlinked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.plots import theme
from workbench.plots.evolution_arrays import Step, read_step, step_metrics
from workbench.plots.evolution_nodes import BORN, scatter
from workbench.runs.folder import Run

HEIGHT = 430
BINS = 25
TRUE, FALSE = "true links", "negatives: pairs that stay unlinked"
LOOKS: Mapping[str, tuple[str, str]] = {  # line or point, and area
    FALSE: ("#777777", "rgba(128, 128, 128, 0.30)"),
    TRUE: (BORN, "rgba(0, 158, 115, 0.35)"),
}


def link_scores(run: Run, step: int) -> go.Figure:
    """Scores at an online step of the test links of the next snapshot and of as many negatives.

    One histogram per model, with its AUC in the title: the less the two areas overlap, the higher. Beside them,
    both scores of every link: on the diagonal the student says what its teacher says. Raises UsageError for a
    step that there is not, and for one that could not be judged.
    """
    return draw(read_step(run, step), step_metrics(run, step))


def draw(of: Step, metrics: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """The three panels. A score is None (NaN) where a model does not know a node; such links are left out."""
    sides = {"teacher": of.scores_teacher, "student": of.scores_student}
    titles = [f"{name.capitalize()}{_auc(metrics, name)}" for name in sides]
    figure = make_subplots(1, 3, subplot_titles=[*titles, "Link by link"], horizontal_spacing=0.07)
    positive = np.arange(len(of.scores_student)) < of.positives.shape[1]
    highest = 0.0
    for column, scores in enumerate(sides.values(), start=1):
        for name, own in ((FALSE, ~positive), (TRUE, positive)):
            trace = _histogram(scores[own], name, column)
            highest = max(highest, float(np.max(trace.y, initial=0.0)))
            figure.add_trace(trace, row=1, col=column)
    for name, own in ((FALSE, ~positive), (TRUE, positive)):
        figure.add_trace(_pairs(of, own, name), row=1, col=3)
    diagonal = {"color": theme.GRID, "width": 1.5}
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=diagonal, layer="below", row=1, col=3)
    figure.update_xaxes(range=[-0.02, 1.02], title="score")
    figure.update_yaxes(range=[0, 1.08 * highest or 1], tickformat=".0%", title="share of its kind", col=1)
    figure.update_yaxes(range=[0, 1.08 * highest or 1], tickformat=".0%", col=2)
    figure.update_xaxes(title="teacher's score", row=1, col=3)
    figure.update_yaxes(range=[-0.02, 1.02], title="student's score", row=1, col=3)
    theme.finish(figure, HEIGHT)
    return figure.update_layout(legend_y=-0.2, legend_traceorder="reversed", hovermode="closest", barmode="overlay")


def _histogram(scores: NDArray[np.floating], name: str, column: int) -> Any:
    """Shares (BINS + 2,) per bin as a stepped area; its ends touch zero."""
    known = scores[np.isfinite(scores)]
    count, edges = np.histogram(known, bins=BINS, range=(0, 1))
    share = np.concatenate([count, count[-1:]]) / max(len(known), 1)
    shade, area = LOOKS[name]
    return go.Scatter(
        x=edges.astype(np.float32),
        y=share.astype(np.float32),
        name=name,
        legendgroup=name,
        showlegend=column == 1,
        line={"color": shade, "width": 2, "shape": "hv"},
        fill="tozeroy",
        fillcolor=area,
        hovertemplate=f"{name}<br>from %{{x:.2f}}: %{{y:.1%}}<extra></extra>",
    )


def _pairs(of: Step, own: NDArray[np.bool_], name: str) -> Any:
    links = np.concatenate([of.positives, of.negatives], axis=1).T.astype(np.int32)
    known = own & np.isfinite(of.scores_teacher) & np.isfinite(of.scores_student)
    hover = f"{name}<br>nodes %{{customdata[0]}} and %{{customdata[1]}}"
    return scatter(int(known.sum()))(
        x=of.scores_teacher[known].astype(np.float32),
        y=of.scores_student[known].astype(np.float32),
        customdata=links[known],
        mode="markers",
        marker={"color": LOOKS[name][0], "size": float(np.clip(150 / np.sqrt(known.sum() or 1), 3, 8)), "opacity": 0.6},
        hovertemplate=f"{hover}<br>teacher %{{x:.2f}}, student %{{y:.2f}}<extra></extra>",
        legendgroup=name,
        showlegend=False,
        name=name,
    )


def _auc(metrics: Mapping[str, Mapping[str, Any]], name: str) -> str:
    auc = (metrics.get(name) or {}).get("auc")
    return "" if auc is None else f" · AUC {auc:.3f}"
