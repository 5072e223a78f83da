"""The look of every figure: colours that all readers can tell apart, and type that a projector can show.

Figures bring no background of their own into the app, which lays its light or dark theme under them.
"""

from __future__ import annotations

import math
from typing import Any, Final

import plotly.graph_objects as go

# Okabe and Ito (2008), "Color Universal Design"; their black stands out on neither background and is left out.
PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
SYMBOLS: Final = ("circle", "diamond", "square", "cross", "triangle-up", "x", "triangle-down", "star")
TEACHER: Final = "#0072B2"
STUDENT: Final = "#D55E00"
CASE_COLOURS: Final = ("#999999", "#0072B2", "#009E73", "#D55E00")  # both right, teacher only, student only, both wrong
GRID: Final = "rgba(128, 128, 128, 0.22)"
SHARE: Final = ((0.0, "#D55E00"), (0.5, "#B8B8B8"), (1.0, "#0072B2"))  # none … all; seen on light and dark
FONT: Final = 15


def appearance(index: int) -> tuple[str, str]:
    """Colour and marker of category ``index``: the colours come round again with another marker."""
    return PALETTE[index % len(PALETTE)], SYMBOLS[index // len(PALETTE) % len(SYMBOLS)]


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a logarithmic axis from ``low`` to ``high`` (> 0), as ``1  2  5  10  20``, each written in full.

    Plotly writes the digits between two powers of ten alone: a 2 for 20.
    """
    digits = (1, 2, 5) if high / low < 100 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    places = [digit * 10.0**power for power in powers for digit in digits]
    return {"tickvals": places, "ticktext": [_short(place) for place in places]}


def _short(number: float) -> str:
    """20000.0 -> ``20k``."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:g}{letter}"
    return f"{number:g}"


def template() -> go.layout.Template:
    """The house template."""
    axis = {"gridcolor": GRID, "zeroline": False, "title": {"standoff": 8}, "automargin": True}
    scene_axis = {"gridcolor": GRID, "backgroundcolor": "rgba(0,0,0,0)", "showticklabels": False, "title": ""}
    return go.layout.Template(
        layout={
            "font": {"size": FONT, "color": "#222222"},
            "colorway": PALETTE,
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": scene_axis, "yaxis": scene_axis, "zaxis": scene_axis},
            "hoverlabel": {"font": {"size": FONT - 1}},
        }
    )


def finish(figure: go.Figure, height: int) -> go.Figure:
    """Lay the house template, sizes of type, margins, titles on the left and a legend below the panels on a figure.

    The app replaces what stands in a template by its own theme; what must stay is set on the figure itself.
    """
    axis = {"tickfont": {"size": FONT - 2}, "title": {"font": {"size": FONT - 1}}}
    figure.update_xaxes(**axis).update_yaxes(**axis)
    domains = [axis.domain for axis in figure.select_xaxes()] + [scene.domain.x for scene in figure.select_scenes()]
    for title in figure.layout.annotations:  # in the middle, the last one would lie below the tool bar
        title.update(x=max(low for low, _ in filter(None, domains) if low <= title.x), xanchor="left")
    return figure.update_layout(
        template=template(),
        height=height,
        margin={"l": 10, "r": 10, "t": 64, "b": 10},
        legend={
            "orientation": "h",
            "y": -0.03,
            "yanchor": "top",
            "x": 0,
            "title": "",
            "itemsizing": "constant",
            "font": {"size": FONT},
        },
    ).update_annotations(font_size=FONT + 2, yshift=6)
