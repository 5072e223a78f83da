"""How well the neighbourhoods of all nodes are matched by two models: their divergence, and whose it is."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.analysis.local_structure import Direction, Floats, Kernel
from workbench.plots import theme
from workbench.plots.local_structure import Structure, at_epoch, check_node, nats, read_structure
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides

HEIGHT = 360
BINS = 40
POINTS = 20_000  # nodes drawn as points; of more, a sample
ALL = theme.PALETTE[4]


def neighbourhood_divergence(
    left: Run | Side,
    right: Run | Side | None = None,
    node: int | None = None,
    kernel: Kernel = "rbf",
    sigma: float = 1.0,
    direction: Direction = "student_teacher",
    epoch: int | None = None,
) -> go.Figure:
    """How well the neighbourhoods of all nodes are matched: a histogram of their divergence, and by number of
    neighbours. ``node`` is marked; everything else as in :func:`neighbourhood`."""
    of = read_structure(*at_epoch(sides(left, right), epoch), kernel, sigma)
    if node is not None:
        check_node(of, node)
    return draw_divergence(of, of.divergence(direction), direction, node)


def draw_divergence(
    of: Structure, divergence: Floats, direction: Direction = "student_teacher", node: int | None = None
) -> go.Figure:
    """How many nodes have which divergence (N,), and every node by its number of neighbours.

    A node with a single neighbour gives it everything in every model: only nodes with more are counted. A point
    carries its node first. Of more than :data:`POINTS` nodes a sample is drawn, every k-th from the worst on.
    """
    degree = of.degree
    counted = np.flatnonzero(degree > 1)
    sample = counted[np.argsort(-divergence[counted], kind="stable")]
    sample = sample[:: -(-len(sample) // POINTS) or 1]
    seen = "nodes" if len(sample) == len(counted) else f"{len(sample):,} of {len(counted):,} nodes"
    mean = nats(float(divergence.mean())) if len(divergence) else nats(0.0)
    figure = make_subplots(
        1, 2, subplot_titles=[f"Mean over all nodes: {mean}", f"{seen} with 2 or more neighbours".capitalize()]
    )
    largest = float(divergence[counted].max(initial=0.0)) or 1.0
    heights, ends = np.histogram(divergence[counted], bins=BINS, range=(0.0, largest))
    hover = "%{y:,} nodes with about %{x:.3g} nats<extra></extra>"
    middle, width = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    shade = {"color": ALL, "line": {"width": 0}}
    figure.add_trace(go.Bar(x=middle, y=heights, width=width, marker=shade, hovertemplate=hover), row=1, col=1)
    facts = np.stack([sample, of.y[sample], degree[sample]], axis=1).astype(np.int32)
    hover = "node %{customdata[0]}, class %{customdata[1]}<br>%{customdata[2]} neighbours<br>%{y:.3g} nats"
    how = {"mode": "markers", "customdata": facts, "hovertemplate": hover + "<extra></extra>"}
    how["unselected"] = {"marker": {"opacity": 0.6}}
    dot = {"color": ALL, "size": 7, "opacity": 0.6}
    places = {"x": degree[sample].astype(np.float32), "y": divergence[sample].astype(np.float32)}
    figure.add_trace(go.Scattergl(**places, **how, marker=dot), row=1, col=2)
    if node is not None and degree[node]:
        _mark(figure, node, float(divergence[node]), int(degree[node]), int(max(heights.max(), 1)))
    said = f"{as_text(of.order(direction))}, nats"
    figure.update_xaxes(title=said, row=1, col=1).update_yaxes(title="nodes", row=1, col=1)
    figure.update_xaxes(title="neighbours that send to the node", type="log", row=1, col=2)
    figure.update_xaxes(theme.log_ticks(2, max(int(degree[counted].max(initial=2)), 3)), row=1, col=2)
    figure.update_yaxes(title=said, rangemode="tozero", row=1, col=2)
    theme.finish(figure, HEIGHT)
    return figure.update_layout(showlegend=False, bargap=0, hovermode="closest")


def _mark(figure: go.Figure, node: int, divergence: float, degree: int, height: int) -> None:
    """The chosen node as a line in the histogram and as a ring among the points."""
    line = {"color": theme.STUDENT, "width": 3}
    hover = f"node {node}: {nats(divergence)}<extra></extra>"
    there = {"x": [divergence] * 2, "y": [0, height], "mode": "lines", "line": line}
    figure.add_trace(go.Scatter(**there, hovertemplate=hover), row=1, col=1)
    ring = {"symbol": "circle-open", "size": 16, "color": theme.STUDENT, "line": {"width": 3}}
    there = {"x": [degree], "y": [divergence], "mode": "markers", "marker": ring}
    figure.add_trace(go.Scattergl(**there, customdata=[[node]], hovertemplate=hover), row=1, col=2)
