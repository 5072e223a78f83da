"""How nodes and links of a graph that changes look, the same in all its figures."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.plots import theme
from workbench.plots.evolution_arrays import Snapshots

BORN: Final = "#009E73"
DEAD: Final = "#CC79A7"
KEPT: Final = "rgba(128, 128, 128, 0.45)"
NO_GROUP: Final = "#999999"
# Communities take the colours that born and dead links leave over.
COMMUNITIES: Final = tuple(shade for shade in theme.PALETTE if shade not in (BORN, DEAD, NO_GROUP))
BIRTHS: Final = "Cividis"  # told apart by all readers, and on light as on dark
SMOOTH = 3000  # points; more are drawn by WebGL


def scatter(points: int) -> Any:
    """The kind of trace that draws so many points best."""
    return go.Scatter if points <= SMOOTH else go.Scattergl


def community_look(group: int) -> tuple[str, str]:
    """Colour and marker of a true community; −1 is none."""
    if group < 0:
        return NO_GROUP, "circle"
    return COMMUNITIES[group % len(COMMUNITIES)], theme.SYMBOLS[group // len(COMMUNITIES) % len(theme.SYMBOLS)]


def node_marker(sequence: Snapshots, snapshot: int, nodes: NDArray[np.integer], bar: bool = True) -> dict[str, Any]:
    """Marker of ``nodes`` (n,) coloured by true community where there is one, else by birth (with a colour bar)."""
    if sequence.groups is not None:
        groups, place = np.unique(sequence.groups[snapshot, nodes], return_inverse=True)
        looks = np.array([community_look(int(group)) for group in groups]).reshape(-1, 2)
        return {"color": looks[place, 0], "symbol": looks[place, 1]}
    title = {"text": "first<br>seen in<br>snapshot"}
    scale = {"cmin": 0, "cmax": max(len(sequence) - 1, 1), "colorscale": BIRTHS, "showscale": bar}
    return {"color": sequence.birth[nodes].astype(np.float32), **scale, "colorbar": {"title": title, "thickness": 14}}


def community_legend(sequence: Snapshots) -> list[Any]:
    """One legend entry for every community that ever is, so that the legend is the same in all snapshots."""
    if sequence.groups is None:
        return []
    entries = []
    there = sequence.birth <= np.arange(len(sequence))[:, None]  # (T, N): who is not yet born has no community
    for group in np.unique(sequence.groups[there]):
        shade, symbol = community_look(int(group))
        name = "no community" if group < 0 else f"community {group}"
        entries.append(legend_entry(name, "markers", marker={"color": shade, "symbol": symbol, "size": 11}))
    return entries


def legend_entry(name: str, mode: str, **look: Any) -> Any:
    """A trace that shows in the legend only."""
    return go.Scatter(x=[None], y=[None], mode=mode, name=name, hoverinfo="skip", **look)


def node_facts(sequence: Snapshots, snapshot: int, nodes: NDArray[np.integer]) -> tuple[NDArray[np.int32], str]:
    """Node, birth and community (n, 3), and how they are written on hover."""
    group = np.full(len(nodes), -1) if sequence.groups is None else sequence.groups[snapshot, nodes]
    lines = ["node %{customdata[0]}", "first seen in snapshot %{customdata[1]}"]
    lines += [] if sequence.groups is None else ["community %{customdata[2]}"]
    facts = np.stack([nodes, sequence.birth[nodes], group], axis=1).astype(np.int32)
    return facts, "<br>".join(lines) + "<extra></extra>"


def plain_axes(figure: go.Figure, low: NDArray[np.floating], high: NDArray[np.floating]) -> None:
    """The same fixed range in all panels, one scale in both directions, and a frame instead of ticks."""
    room = 0.05 * float((high - low).max() or 1.0)
    frame = {"showticklabels": False, "showgrid": False, "showline": True, "mirror": True, "linecolor": theme.GRID}
    figure.update_xaxes(range=[float(low[0]) - room, float(high[0]) + room], **frame)
    figure.update_yaxes(range=[float(low[1]) - room, float(high[1]) + room], **frame)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, row=1, col=1)
