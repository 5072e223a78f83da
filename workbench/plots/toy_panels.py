"""Panels that the toys are put together from: bars of two models, and matrices with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.plots import theme

Array = NDArray[np.float64]
HEIGHT = 430
NUMBERS = 8  # columns of a matrix up to which every cell says its number
SHADES = "Viridis"  # told apart by all readers
MODELS = {"Teacher": theme.TEACHER, "Student": theme.STUDENT}


def panels(titles: Sequence[str], widths: Sequence[float] | None = None, spacing: float = 0.13) -> go.Figure:
    return make_subplots(1, len(titles), subplot_titles=titles, column_widths=widths, horizontal_spacing=spacing)


def add_bars(
    figure: go.Figure, names: Sequence[str], teacher: Array, student: Array, *, column: int = 1, legend: bool = True
) -> None:
    """Teacher beside student for every name."""
    for (who, colour), values in zip(MODELS.items(), (teacher, student), strict=True):
        bars = go.Bar(
            x=list(names),
            y=values,
            name=who,
            marker={"color": colour},
            text=[f"{value:.2f}" for value in values],
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            showlegend=legend,
            hovertemplate=f"{who}, %{{x}}: %{{y:.3f}}<extra></extra>",
        )
        figure.add_trace(bars, row=1, col=column)


def add_matrix(
    figure: go.Figure,
    values: Array,
    column: int,
    rows: Sequence[str],
    columns: Sequence[str],
    limits: tuple[float, float] = (0.0, 1.0),
    digits: int = 2,
) -> None:
    """One heat map, its first row on top, with its numbers where there is room.

    ``limits`` with a zero between them are drawn from vermilion over grey to blue, others from dark to bright.
    """
    numbers = {"texttemplate": f"%{{z:.{digits}f}}", "textfont": {"size": theme.FONT - 3}}
    shades = [list(stop) for stop in theme.SHARE] if limits[0] < 0 < limits[1] else SHADES
    heat = go.Heatmap(
        x=list(columns),
        y=list(rows),
        z=values,
        zmin=limits[0],
        zmax=limits[1],
        colorscale=shades,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate=f"%{{y}}, %{{x}}: %{{z:.{digits + 1}f}}<extra></extra>",
        **(numbers if len(columns) <= NUMBERS else {}),
    )
    figure.add_trace(heat, row=1, col=column)
    figure.update_xaxes(showgrid=False, type="category", row=1, col=column)
    figure.update_yaxes(showgrid=False, type="category", autorange="reversed", row=1, col=column)


def finished(figure: go.Figure, legend: bool = True, height: int = HEIGHT) -> go.Figure:
    theme.finish(figure, height)
    return figure.update_layout(legend_y=-0.2, showlegend=legend, margin_b=16)
