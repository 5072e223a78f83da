"""All snapshots of a graph as a film in one figure, which needs no server: for notebooks and slides."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from workbench.plots.evolution_arrays import read_snapshots
from workbench.plots.evolution_graph import Evolution, draw, lay_out, traces
from workbench.runs.folder import Run

MOST_NODES = 300
PAUSE_MS = 1200
GLIDE_MS = 600
BELOW = -0.13  # share of the height: the controls stand under the legend


def evolution_film(run: Run, most_nodes: int = MOST_NODES) -> go.Figure:
    """Every snapshot of a run's graph as a frame, with play, pause and a slider; places are computed beforehand.

    Of larger graphs the ``most_nodes`` nodes with most links are drawn. Raises RunError where the run has no
    snapshots.
    """
    return film(lay_out(read_snapshots(run), most_nodes))


def film(of: Evolution) -> go.Figure:
    """The film of all snapshots, stopped at the first."""
    figure = draw(of, 0)
    pictures = [draw(of, t) for t in range(len(of.sequence))]
    glide = {"duration": GLIDE_MS if of.glides else 0, "easing": "cubic-in-out"}
    moving = list(range(len(traces(of, 0))))
    figure.frames = [
        go.Frame(
            name=str(t),
            data=picture.data[: len(moving)],
            traces=moving,
            layout={"annotations": picture.layout.annotations},
        )
        for t, picture in enumerate(pictures)
    ]
    figure.update_layout(updatemenus=[_buttons(glide)], sliders=[_slider(len(of.sequence), glide)])
    return figure.update_layout(transition=None, margin_b=110, height=figure.layout.height + 100)


def _buttons(glide: dict[str, Any]) -> dict[str, Any]:
    play = {
        "frame": {"duration": PAUSE_MS, "redraw": True},
        "transition": glide,
        "fromcurrent": True,
        "mode": "immediate",
    }
    stop = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate", "transition": {"duration": 0}}
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "xanchor": "left",
        "y": BELOW,
        "yanchor": "top",
        "buttons": [
            {"label": "▶ Play", "method": "animate", "args": [None, play]},
            {"label": "❚❚ Pause", "method": "animate", "args": [[None], stop]},
        ],
    }


def _slider(count: int, glide: dict[str, Any]) -> dict[str, Any]:
    jump = {
        "frame": {"duration": GLIDE_MS, "redraw": True},
        "transition": glide,
        "mode": "immediate",
    }
    steps = [{"label": str(t), "method": "animate", "args": [[str(t)], jump]} for t in range(count)]
    return {
        "steps": steps,
        "x": 0.22,
        "len": 0.78,
        "y": BELOW,
        "yanchor": "top",
        "pad": {"t": 0},
        "currentvalue": {"prefix": "snapshot ", "xanchor": "left"},
        "transition": glide,
    }
