"""The graph around one node, once or several times beside each other, with a number at every edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from workbench.analysis.ego_graph import Ego
from workbench.errors import UsageError
from workbench.plots import theme

Scale = Literal["share", "difference"]
# Grey for nothing: the ends stand out on light and dark. Where two sides differ, blue is more on the left one.
COLOURS: Mapping[Scale, tuple[tuple[float, str], ...]] = {
    "share": ((0.0, "#A0A0A0"), (0.4, "#E69F00"), (1.0, "#D55E00")),
    "difference": ((0.0, "#0072B2"), (0.5, "#A0A0A0"), (1.0, "#D55E00")),
}
AXIS: Mapping[Scale, str] = {"share": "coloraxis", "difference": "coloraxis2"}
CONTEXT = "rgba(128, 128, 128, 0.3)"  # an edge without a value
HEIGHT = 460
BINS = 9  # of values; the edges of one are a single trace
BEND = 0.12  # how far an edge leaves the straight line, as a share of its length: i → j and j → i lie apart
NAMED = 26  # nodes up to which each has its number beside it
SMOOTH = 600  # edges up to which they are drawn with bends of many points


def draw(
    ego: Ego,
    panels: Mapping[str, ArrayLike],
    *,
    node_class: ArrayLike | None = None,
    scale: Scale | Mapping[str, Scale] = "share",
    names: Sequence[str] | None = None,
    bar: str = "share",
    height: int = HEIGHT,
) -> go.Figure:
    """One panel for every entry of ``panels``, its title -> values (e,) of the edges, all in the same places.

    Shapes: ``node_class`` (m,) colours the nodes of ``ego``, ``names`` (m,) is what they are called on hover instead
    of by number. ``scale`` holds for all panels or is given for each: "share" for 0 and more, "difference" for
    values around 0; all panels of one scale have the same colours, from 0 to the largest. ``bar`` is the title of the
    colour bar. An edge whose value is NaN is drawn faintly, without an arrow. A point of a node carries
    its number in the whole graph first in ``customdata``, an arrow that of the node it comes from. Raises UsageError
    for values that are not one per edge.
    """
    figure = make_subplots(1, len(panels), subplot_titles=list(panels), horizontal_spacing=0.03)
    place(figure, ego, panels, node_class=node_class, scale=scale, names=names, bar=bar)
    return theme.finish(figure, height).update_layout(dragmode="pan", hovermode="closest")


def place(
    figure: go.Figure,
    ego: Ego,
    panels: Mapping[str, ArrayLike],
    *,
    node_class: ArrayLike | None = None,
    scale: Scale | Mapping[str, Scale] = "share",
    names: Sequence[str] | None = None,
    bar: str = "share",
) -> None:
    """Put the panels of :func:`draw` side by side into the first row of a figure that has room for them there."""
    values = {title: np.asarray(of, dtype=np.float64) for title, of in panels.items()}
    if any(of.shape != ego.edges.shape for of in values.values()):
        raise UsageError(f"an ego-graph of {len(ego.edges)} edges needs as many values in every panel")
    scales = {title: scale if isinstance(scale, str) else scale.get(title, "share") for title in panels}
    tops = {kind: _top([values[title] for title in panels if scales[title] == kind]) for kind in get_args(Scale)}
    curves = _curves(ego)
    classes = None if node_class is None else np.asarray(node_class)
    for column, (title, of) in enumerate(values.items(), start=1):
        traces = _edges(ego, curves, of, scales[title], tops[scales[title]], names)
        traces += _nodes(ego, classes, of, names, with_legend=column == 1)
        figure.add_traces(traces, rows=1, cols=column)
    _plain_axes(figure, ego, curves, len(panels))
    _colour_bars(figure, tops, scales, bar)


def _top(values: list[NDArray[np.float64]]) -> float:
    """The largest size of any value, the end of the colours; not 0."""
    found = np.abs(np.concatenate([np.zeros(1), *values]))
    return float(found[np.isfinite(found)].max()) or 1.0


def _curves(ego: Ego) -> NDArray[np.float64]:
    """The way of every edge, (e, points, 2): bent to its left, and a small circle outside for a loop."""
    start, end = ego.position[ego.edge_index].astype(np.float64)  # (e, 2) each
    t = np.linspace(0, 1, 9 if len(ego.edges) <= SMOOTH else 3)[None, :, None]
    way = end - start
    left = np.stack([-way[:, 1], way[:, 0]], axis=1)
    middle = (start + end) / 2 + 2 * BEND * left
    curves = (1 - t) ** 2 * start[:, None] + 2 * t * (1 - t) * middle[:, None] + t**2 * end[:, None]
    loops = np.flatnonzero(ego.edge_index[0] == ego.edge_index[1])
    if len(loops):
        here = start[loops]
        far = np.linalg.norm(here, axis=1, keepdims=True)
        outward = np.where(far > 0, here / np.maximum(far, 1e-9), [[0.0, 1.0]])
        angle = 2 * np.pi * t + np.arctan2(-outward[:, 1], -outward[:, 0])[:, None, None]
        circle = np.concatenate([np.cos(angle), np.sin(angle)], axis=2)
        radius = 0.5 * min(0.22, 2 / max(len(ego.nodes) - 1, 1))
        curves[loops] = here[:, None] + radius * (outward[:, None] + circle)
    return curves


def _edges(
    ego: Ego,
    curves: NDArray[np.float64],
    values: NDArray[np.float64],
    scale: Scale,
    top: float,
    names: Sequence[str] | None,
) -> list[Any]:
    """The edges of one panel: a trace for those without a value and for every bin, and one for all arrows."""
    known = np.isfinite(values)
    traces = [_stroke(curves[~known], CONTEXT, 1.0)] if not known.all() else []
    size = np.where(known, np.abs(values) / top, 0.0)
    low = -1.0 if scale == "difference" else 0.0
    place = (np.where(known, values / top, 0.0) - low) / (1 - low)  # in 0..1 along the colours
    bins = np.minimum((place * BINS).astype(np.int64), BINS - 1)
    for index in sorted(set(bins[known].tolist()), key=lambda index: abs(index - (BINS - 1) / 2 * -low)):
        own = known & (bins == index)
        shade = _shade(COLOURS[scale], float(place[own].mean()))
        strength = float(size[own].mean())
        traces.append(_stroke(curves[own], shade, 1 + 4 * strength, 0.45 + 0.55 * strength))
    if known.any():
        traces.append(_arrows(ego, curves, values, size, known, AXIS[scale], names))
    return [trace.update(showlegend=False) for trace in traces]


def _stroke(curves: NDArray[np.float64], shade: str, width: float, opacity: float = 1.0) -> Any:
    """Curves (n, points, 2) as one line with gaps."""
    line = np.concatenate([curves, np.full_like(curves[:, :1], np.nan)], axis=1).reshape(-1, 2).astype(np.float32)
    how = {"mode": "lines", "line": {"color": shade, "width": width}, "opacity": opacity, "hoverinfo": "skip"}
    return go.Scatter(x=line[:, 0], y=line[:, 1], **how)


def _arrows(
    ego: Ego,
    curves: NDArray[np.float64],
    values: NDArray[np.float64],
    size: NDArray[np.float64],
    known: NDArray[np.bool_],
    axis: str,
    names: Sequence[str] | None,
) -> Any:
    """An arrow on every edge that has a value, which is told on hover; the strongest lie on top."""
    own = np.flatnonzero(known)
    own = own[np.argsort(size[own], kind="stable")]
    middle = curves.shape[1] // 2
    at = (curves[own, middle] + curves[own, middle + 1]) / 2
    way = curves[own, middle + 1] - curves[own, middle - 1]
    marker = {
        "symbol": "arrow",
        "angle": np.degrees(np.arctan2(way[:, 0], way[:, 1])),
        "size": 7 + 7 * size[own],
        "color": values[own],
        "coloraxis": axis,
        "opacity": 1.0,
        "line": {"width": 1, "color": "#808080"},  # theirs is white, which is all that a dark page would show
    }
    called = np.array([_called(ego, number, names) for number in range(len(ego.nodes))], dtype=object)
    sender, receiver = ego.edge_index[:, own]
    facts = np.stack([ego.nodes[sender], called[sender], called[receiver], _numbers(values[own])], axis=1)
    hover = "%{customdata[1]} → %{customdata[2]}<br><b>%{customdata[3]}</b><extra></extra>"
    return go.Scatter(x=at[:, 0], y=at[:, 1], mode="markers", marker=marker, customdata=facts, hovertemplate=hover)


def _nodes(
    ego: Ego,
    classes: NDArray[Any] | None,
    values: NDArray[np.float64],
    names: Sequence[str] | None,
    with_legend: bool,
) -> list[Any]:
    """A trace per class, and a ring around the centre."""
    count = len(ego.nodes)
    groups = np.full(count, -1) if classes is None else classes
    sizes = np.where(ego.hop == 0, 22.0, np.clip(500 / count, 7, 18))
    lines = [[_called(ego, number, names)] for number in range(count)]
    into = np.flatnonzero((ego.edge_index[1] == 0) & np.isfinite(values))
    for number in range(count):
        if classes is not None:
            lines[number].append(f"class {classes[number]}")
        if ego.hop[number] == 0:
            lines[number].append("the centre")
        if len(own := into[ego.edge_index[0, into] == number]):
            lines[number].append(f"to the centre: <b>{', '.join(_numbers(values[own]))}</b>")
    facts = np.stack([ego.nodes.astype(object), np.array(["<br>".join(of) for of in lines], dtype=object)], axis=1)
    ring = {"symbol": "circle-open", "size": 32, "color": "#808080", "line": {"width": 3}}
    x, y = ego.position.T
    how: dict[str, Any] = {"mode": "markers", "hovertemplate": "%{customdata[1]}<extra></extra>"}
    traces = [go.Scatter(x=x[:1], y=y[:1], mode="markers", marker=ring, hoverinfo="skip", showlegend=False)]
    for group in np.unique(groups):
        own = groups == group
        shade, symbol = theme.appearance(int(group)) if classes is not None else (theme.PALETTE[0], "circle")
        marker = {"color": shade, "symbol": symbol, "size": sizes[own], "opacity": 1.0}
        marker["line"] = {"width": 1.5, "color": "#ffffff"}
        if count <= NAMED:
            where = [_beside(at) for at in ego.position[own]]
            how |= {"mode": "markers+text", "text": ego.nodes[own].astype(str), "textposition": where}
        name = f"class {group}" if classes is not None else "node"
        shown = classes is not None and with_legend
        entry = {"name": name, "legendgroup": name, "showlegend": shown}
        traces.append(go.Scatter(x=x[own], y=y[own], marker=marker, customdata=facts[own], **how, **entry))
    return traces


def _beside(at: NDArray[np.float32]) -> str:
    """Where a node's number stands: away from the centre."""
    if not at.any():
        return "bottom right"
    x, y = at / np.hypot(*at)
    words = ["top" if y > 0.38 else "bottom" if y < -0.38 else "middle"]
    return " ".join([*words, "right" if x > 0.38 else "left" if x < -0.38 else "center"])


def _called(ego: Ego, number: int, names: Sequence[str] | None) -> str:
    return f"node {ego.nodes[number]}" if names is None else names[number]


def _numbers(values: NDArray[np.float64]) -> NDArray[Any]:
    return np.array([f"{value:.3g}" for value in values], dtype=object)


def _shade(colours: tuple[tuple[float, str], ...], place: float) -> str:
    """The colour at 0..1 along ``colours``, as Plotly's colour bar mixes it."""
    stops = [stop for stop, _ in colours]
    parts = [[int(shade[i : i + 2], 16) for _, shade in colours] for i in (1, 3, 5)]
    return "rgb(" + ", ".join(f"{np.interp(place, stops, part):.0f}" for part in parts) + ")"


def _plain_axes(figure: go.Figure, ego: Ego, curves: NDArray[np.float64], panels: int) -> None:
    """Equal steps in both directions, no ticks, and room for markers and numbers; all panels move together."""
    every = np.concatenate([ego.position, curves.reshape(-1, 2)])
    reach = 1.18 * float(np.abs(every).max() or 1.0)
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "range": [-reach, reach]}
    figure.update_xaxes(**bare, row=1).update_yaxes(**bare, row=1)
    figure.update_yaxes(scaleanchor="x", row=1, col=1)
    for column in range(2, panels + 1):
        figure.update_xaxes(matches="x", row=1, col=column).update_yaxes(matches="y", row=1, col=column)


def _colour_bars(figure: go.Figure, tops: Mapping[Scale, float], scales: Mapping[str, Scale], bar: str) -> None:
    """A bar for every scale in use, one above the other where there are two."""
    used: list[Scale] = [kind for kind in get_args(Scale) if kind in scales.values()]
    titles = {"share": bar, "difference": f"{bar},<br>difference"}
    low, high = figure.layout.yaxis.domain or (0.0, 1.0)
    share = (high - low) / len(used) if used else 0.0
    for index, kind in enumerate(used):
        at = {"len": share, "lenmode": "fraction", "y": high - index * share, "yanchor": "top", "thickness": 14}
        ends = {"cmin": -tops[kind] if kind == "difference" else 0.0, "cmax": tops[kind]}
        look = {"colorscale": COLOURS[kind], "colorbar": {**at, "title": {"text": titles[kind]}}}
        figure.update_layout({AXIS[kind]: {**ends, **look}})
