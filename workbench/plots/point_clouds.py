"""Point clouds in space: how near a model's features bring the points to one of them, and whom its layers link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.point_clouds import feature_distances, undirected
from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.scenes import same_cube

HEIGHT = 480
POINT = "#808080"
EDGE = "#999999"  # no transparency in here: Plotly leaves out lines in space whose colour has any
SIZE = 3.5
AWAY = 0.75  # a cloud is round: corners of its cube may be out of sight

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]


def distances(clouds: Sequence[tuple[str, Floats, Floats]], point: int) -> go.Figure:
    """A cloud per panel, coloured by the distance of its points from ``point`` in a model's features.

    ``clouds`` holds, per model, a title, the points (n, 3) and their features (n, d). Distances are shares of the
    largest one of the panel, as models scale their features differently. Raises UsageError for no cloud, a point
    that is not there, and features of other points.
    """
    for title, points, features in clouds:
        if len(features) != len(points):
            raise UsageError(f"{title!r} has {len(points)} points and features of {len(features)}: give one row each")
    figure = _panels([(title, points) for title, points, _ in clouds], point)
    bar = {"title": {"text": "distance<br>in features"}, "tickformat": ".0%", "thickness": 14}
    for column, (_, points, features) in enumerate(clouds, start=1):
        far = feature_distances(features, point).astype(np.float32)
        last = column == len(clouds)
        marker = {"color": far, "cmin": 0, "cmax": 1, "colorscale": theme.SHARE, "showscale": last, "colorbar": bar}
        hover = "point %{customdata}<br>%{marker.color:.0%} of the largest distance<extra></extra>"
        figure.add_trace(_dots(points, marker, hover), row=1, col=column)
        figure.add_trace(_chosen(points, point), row=1, col=column)
    return _finished(figure, [points for _, points, _ in clouds])


def neighbour_graphs(models: Sequence[tuple[str, Floats, Integers]], point: int) -> go.Figure:
    """The graph of one layer per panel, with the neighbours of ``point`` highlighted.

    ``models`` holds, per model, a title, the points (n, 3) and the layer's edges (2, E) from neighbours to centres, of
    which each pair is drawn once. Raises UsageError for no model, a point that is not there, and edges between
    other points.
    """
    for title, points, edge_index in models:
        if edge_index.size and not 0 <= edge_index.min() <= edge_index.max() < len(points):
            raise UsageError(f"{title!r} has edges between other points than its {len(points)}: give one cloud's")
    figure = _panels([(title, points) for title, points, _ in models], point)
    for column, (_, points, edge_index) in enumerate(models, start=1):
        source, centre = edge_index
        own = edge_index[:, (centre == point) & (source != point)]
        hover = "point %{customdata}<extra></extra>"
        thin = {"line": {"color": EDGE, "width": 1}, "opacity": 0.4, "mode": "lines"}
        figure.add_trace(_lines(points, undirected(edge_index), name="edges", **thin), row=1, col=column)
        figure.add_trace(_dots(points, {"color": POINT, "size": SIZE / 2}, hover), row=1, col=column)
        bold = {"line": {"color": theme.STUDENT, "width": 6}, "mode": "lines+markers"}
        ends = {"color": theme.STUDENT, "size": SIZE}
        figure.add_trace(_lines(points, own, name="neighbours", marker=ends, **bold), row=1, col=column)
        figure.add_trace(_chosen(points, point), row=1, col=column)
    return _finished(figure, [points for _, points, _ in models])


def _panels(clouds: Sequence[tuple[str, Floats]], point: int) -> go.Figure:
    """Empty panels with the titles of the clouds, which are looked at first."""
    if not clouds:
        raise UsageError("there is no cloud to draw: give at least one")
    for title, points in clouds:
        if points.ndim != 2 or points.shape[1] != 3:
            raise UsageError(f"{title!r} has points of shape {points.shape}: expected (n, 3)")
        if not 0 <= point < len(points):
            raise UsageError(f"{title!r} has the points 0 to {len(points) - 1}, and no point {point}")
    titles = [title for title, _ in clouds]
    specs = [[{"type": "scene"}] * len(clouds)]
    return make_subplots(1, len(clouds), specs=specs, subplot_titles=titles, horizontal_spacing=0.02)


def _dots(points: Floats, marker: dict[str, Any], hover: str) -> Any:
    """Every point, with its number on hover."""
    x, y, z = points.astype(np.float32).T
    marker = {"size": SIZE, **marker}
    number = np.arange(len(points), dtype=np.int32)
    return go.Scatter3d(
        x=x, y=y, z=z, mode="markers", marker=marker, customdata=number, hovertemplate=hover, showlegend=False
    )


def _chosen(points: Floats, point: int) -> Any:
    """The chosen point, larger than the others."""
    x, y, z = points[point : point + 1].astype(np.float32).T
    marker = {"size": 2 * SIZE, "color": theme.STUDENT, "symbol": "diamond"}
    hover = f"point {point}, the chosen one<extra></extra>"
    return go.Scatter3d(
        x=x, y=y, z=z, mode="markers", marker=marker, hovertemplate=hover, name="chosen point", showlegend=False
    )


def _lines(points: Floats, edges: Integers, **look: Any) -> Any:
    """One trace of line segments: both ends and a gap, edge by edge."""
    ends = points.astype(np.float32)[edges.T]  # (E, 2, 3)
    gaps = np.full((len(ends), 1, 3), np.nan, dtype=np.float32)
    x, y, z = np.concatenate([ends, gaps], axis=1).reshape(-1, 3).T
    return go.Scatter3d(x=x, y=y, z=z, hoverinfo="skip", showlegend=False, **look)


def _finished(figure: go.Figure, clouds: Sequence[Floats]) -> go.Figure:
    theme.finish(figure, HEIGHT)
    same_cube(figure, np.concatenate(list(clouds)), AWAY)
    return figure.update_layout(dragmode="orbit")
