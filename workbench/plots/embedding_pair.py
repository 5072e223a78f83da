"""Two embeddings of the same nodes side by side, the right one turned into the left one's frame, with its spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.agreement import CASES, agreement
from workbench.analysis.similarity import neighbour_overlap
from workbench.errors import UsageError, check_choice
from workbench.plots import theme
from workbench.plots.embedding_arrays import (
    DRAWN,
    SPLITS,
    Nodes,
    Points,
    Projection,
    Which,
    frame,
    read_pair,
)
from workbench.plots.markup import as_text
from workbench.plots.scenes import same_cube
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides, titles

Colour = Literal["class", "prediction", "agreement", "split", "overlap", "degree"]
PANELS = ("Teacher", "Student")
AXES = {"pca": "PC", "umap": "UMAP"}
HEIGHT = 560
TRACES = 16  # categories that are a trace each
# From few links to many: blue to orange over grey, ever lighter, and seen on light and dark backgrounds.
MANY = ((0.0, "#0072B2"), (0.5, "#8F9194"), (1.0, "#E69F00"))


def embeddings(
    run: Run | Side,
    right: Run | Side | None = None,
    colour: Colour = "class",
    projection: Projection = "pca",
    dimensions: Literal[2, 3] = 2,
    epoch: int | None = None,
    points: Which = "sample",
    highlight: Sequence[int] = (),
) -> go.Figure:
    """Two embeddings of the nodes of one graph in one frame: a run's teacher and student, or any two sides.

    ``colour`` is the true class, the class that each model predicts, who of them is right, the split, the share of
    common nearest neighbours, or the degree. ``epoch`` shows the right side as it was at one of its kept epochs.
    Above 10,000 nodes a sample of so many is drawn, by class and always the same; ``points="all"`` draws every node.
    ``highlight`` are numbers of nodes to ring on both sides; those that are not drawn are left out.
    Raises UsageError for a wrong choice and RunError where the run has no such arrays (yet).
    """
    check_choice("colour", colour, get_args(Colour))
    check_choice("projection", projection, get_args(Projection))
    left, other = sides(run, right)
    if epoch is not None:
        other = Side(other.run, other.who, epoch)
    pair = read_pair(left, other, points)
    first, second, _ = frame(left, other, pair, projection, dimensions)
    overlap = neighbour_overlap(pair.left, pair.right) if colour == "overlap" else None
    shown = (as_text(title) for title in titles(left, other))
    axis = AXES[projection]
    return draw(
        first, second, pair.nodes, colour, highlight, overlap, panels=tuple(shown), who=who(left, other), axis=axis
    )


def who(left: Side, right: Side) -> tuple[str, str]:
    """How the two sides are called in few words: by what they are where that tells them apart."""
    return (left.who, right.who) if left.who != right.who else ("left", "right")


def draw(
    left: Points,
    right: Points,
    nodes: Nodes,
    colour: Colour = "class",
    highlight: Sequence[int] | NDArray[np.integer] = (),
    overlap: NDArray[np.floating] | None = None,
    panels: Sequence[str] = PANELS,
    who: tuple[str, str] = ("teacher", "student"),
    axis: str = AXES["pca"],
) -> go.Figure:
    """Two panels of points. Shapes: left and right (m, 2) or (m, 3); ``highlight`` numbers of nodes to ring.

    ``overlap`` (m,) is the share of common neighbours, which that colour needs. Up to :data:`DRAWN` points carry
    number, class and both predictions, which are shown on hover and handed back by a selection.
    """
    if colour == "overlap" and overlap is None:
        raise UsageError("the colour overlap needs the share of common neighbours of every node")
    flat = left.shape[1] == 2
    kind = "xy" if flat else "scene"
    figure = make_subplots(1, 2, specs=[[{"type": kind}] * 2], subplot_titles=panels, horizontal_spacing=0.05)
    facts = np.stack([nodes.number, nodes.y, nodes.left_class, nodes.right_class], axis=1).astype(np.int32)  # (m, 4)
    ringed = np.nonzero(np.isin(nodes.number, np.asarray(highlight, dtype=np.int64)))[0]
    for column, points in enumerate((left, right), start=1):
        if colour in ("overlap", "degree"):
            traces = [_shaded(points, facts, nodes, overlap if colour == "overlap" else None, column, who)]
        else:
            traces = _grouped(points, facts, nodes, colour, column, who)
        if len(ringed):
            traces.append(_rings(points, facts, ringed, who))
        for trace in traces:
            figure.add_trace(trace, row=1, col=column)
    _name_once(figure)
    theme.finish(figure, HEIGHT)
    both = np.concatenate([left, right])
    if flat:
        _link_axes(figure, both, axis)
    else:
        same_cube(figure, both)
    return figure.update_layout(dragmode="pan" if flat else "orbit", hovermode="closest")


def _name_once(figure: go.Figure) -> None:
    """One entry of the legend for both panels, also for a class that only one of them has."""
    named: set[str] = set()
    for trace in figure.data:
        if trace.showlegend is None:
            trace.showlegend = trace.name not in named
            named.add(trace.name)


def _shaded(
    points: Points,
    facts: NDArray[np.int32],
    nodes: Nodes,
    overlap: NDArray[np.floating] | None,
    column: int,
    who: tuple[str, str],
) -> Any:
    """All points in one trace, shaded by a share in 0..1, or else by degree, with one colour bar for both panels."""
    if overlap is not None:
        bar: dict[str, Any] = {"title": {"text": "common<br>neighbours"}, "tickformat": ".0%"}
        marker = {"color": overlap, "cmin": 0, "cmax": 1, "colorscale": theme.SHARE}
    else:
        logs = np.log10(1 + nodes.degree).astype(np.float32)  # a node without links has a place as well
        low, high = float(logs.min()), float(logs.max())
        ticks = [d for d in _round_numbers() if low <= np.log10(1 + d) <= high] or [int(nodes.degree.min())]
        places, names = [float(np.log10(1 + d)) for d in ticks], [f"{d:,}" for d in ticks]
        bar = {"title": {"text": "degree<br>(links, log)"}, "tickvals": places, "ticktext": names}
        marker = {"color": logs, "cmin": low, "cmax": max(high, low + 0.01), "colorscale": MANY}
    marker |= {"showscale": column == 2, "colorbar": {"thickness": 14, **bar}}
    return _scatter(points, facts, marker, who, showlegend=False)


def _round_numbers() -> list[int]:
    """0, 1, 3, 10, 30, … – degrees that are named at a colour bar."""
    return [0, *(digit * 10**power for power in range(8) for digit in (1, 3))]


def _grouped(
    points: Points, facts: NDArray[np.int32], nodes: Nodes, colour: Colour, column: int, who: tuple[str, str]
) -> list[Any]:
    """One trace per category; of many classes one per marker, because the browser pays for every trace."""
    categories, looks = _categories(nodes, colour, column, who)
    if len(looks) > TRACES and points.shape[1] == 2:
        return _by_marker(points, facts, categories, who)
    traces = []
    for category in np.unique(categories):
        name, shade, symbol = looks[int(category)]
        own = categories == category
        marker = {"color": shade, "symbol": symbol if points.shape[1] == 2 else "circle"}
        trace = _scatter(points[own], facts[own], marker, who, len(points), name=name, legendgroup=name)
        traces.append(trace)
    return traces


def _by_marker(
    points: Points, facts: NDArray[np.int32], categories: NDArray[np.integer], who: tuple[str, str]
) -> list[Any]:
    """Classes of one marker in one trace, which colours its points one by one; hover tells the class."""
    number = len(theme.PALETTE)
    rounds = np.where(categories < 0, -1, categories // number)  # (m,)
    traces = []
    for turn in np.unique(rounds).tolist():
        own = rounds == turn
        name = "no class" if turn < 0 else f"classes {turn * number}–{turn * number + number - 1}"
        marker: dict[str, Any] = {"symbol": "circle" if turn < 0 else theme.appearance(turn * number)[1]}
        if turn < 0:
            marker["color"] = theme.PALETTE[-1]
        else:
            steps = [(at / number, shade) for i, shade in enumerate(theme.PALETTE) for at in (i, i + 1)]
            colours = (categories[own] % number).astype(np.uint8)
            marker |= {"color": colours, "cmin": -0.5, "cmax": number - 0.5, "colorscale": steps, "showscale": False}
        traces.append(_scatter(points[own], facts[own], marker, who, len(points), name=name, legendgroup=name))
    return traces


Looks = dict[int, tuple[str, str, str]]  # category -> name, colour and marker


def _categories(nodes: Nodes, colour: Colour, column: int, who: tuple[str, str]) -> tuple[NDArray[np.integer], Looks]:
    """Category (m,) of every node, and the look of every category."""
    if colour == "agreement":
        cases = agreement(nodes.left_class, nodes.right_class, nodes.y)
        names = (CASES[0], f"{who[0]} only", f"{who[1]} only", CASES[3])
        return cases, {case: (name, theme.CASE_COLOURS[case], "circle") for case, name in enumerate(names)}
    if colour == "split":
        return nodes.split, {code: (SPLITS[code], *theme.appearance(at)) for code, at in enumerate((7, 0, 1, 2))}
    predicted = (nodes.left_class, nodes.right_class)
    categories = nodes.y if colour == "class" else predicted[column - 1]
    named = {c: (f"class {c}", *theme.appearance(c)) for c in np.unique(categories).tolist()}
    return categories, named | {c: ("no class", *theme.appearance(7)) for c in named if c < 0}


def _scatter(
    points: Points,
    facts: NDArray[np.int32],
    marker: dict[str, Any],
    who: tuple[str, str],
    total: int | None = None,
    **more: Any,
) -> Any:
    """Points as a trace; ``total`` nodes in the panel decide how large a point is, and whether it can be asked."""
    total = total or len(points)
    size = float(np.clip(280 / np.sqrt(total), 3, 12))
    scatter = go.Scattergl if points.shape[1] == 2 else go.Scatter3d
    axes = dict(zip("xyz", np.ascontiguousarray(points.T), strict=False))
    marker = {"size": size if points.shape[1] == 2 else size / 2, "opacity": 0.85, **marker}
    if 2 * total > DRAWN:
        return scatter(**axes, mode="markers", marker=marker, hoverinfo="skip", **more)
    lines = ["node %{customdata[0]}", "class %{customdata[1]}", f"{who[0]} says %{{customdata[2]}}"]
    hover = "<br>".join([*lines, f"{who[1]} says %{{customdata[3]}}"]) + "<extra></extra>"
    return scatter(**axes, mode="markers", marker=marker, customdata=facts, hovertemplate=hover, **more)


def _rings(points: Points, facts: NDArray[np.int32], ringed: NDArray[np.integer], who: tuple[str, str]) -> Any:
    ring = {"color": theme.STUDENT, "symbol": "circle-open", "size": 18, "opacity": 1.0, "line": {"width": 3}}
    return _scatter(points[ringed], facts[ringed], ring, who, name="selected", showlegend=False)


def _link_axes(figure: go.Figure, points: Points, axis: str) -> None:
    """One scale for both panels and both directions: moving one moves the other."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.06 * float((high - low).max() or 1.0)
    # The axes of a projection mean nothing but distance: a frame says more than ticks and grid lines.
    frame = {"showticklabels": False, "showgrid": False, "showline": True, "mirror": True, "linecolor": theme.GRID}
    figure.update_xaxes(range=[float(low[0]) - room, float(high[0]) + room], **frame)
    figure.update_yaxes(range=[float(low[1]) - room, float(high[1]) + room], **frame)
    figure.update_xaxes(title_text=f"{axis} 1 of the left side")
    figure.update_yaxes(title_text=f"{axis} 2 of the left side", row=1, col=1)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, row=1, col=1)
    figure.update_layout(xaxis2={"matches": "x"}, yaxis2={"matches": "y"}, legend_y=-0.09)  # below the titles of axes
