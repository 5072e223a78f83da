"""All layer pairs of two models as squares: how alike they are, or what ABKD pays attention to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.plots import theme
from workbench.plots.layer_map_arrays import Kind, LayerMap, layer_map
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides

# Dark text can be read on all of each; more likeness is blue, more distance is orange.
LIKENESS = ((0.0, "#EAF3FA"), (0.5, "#8CC4EA"), (1.0, "#2087C4"))
DISTANCE = ((0.0, "#FDF3E1"), (0.5, "#EFB43C"), (1.0, "#D55E00"))
TEXT = "#111111"
BARS: Mapping[Kind, str] = {"cka": "linear CKA", "attention": "attention", "dissimilarity": "squared<br>distance"}
SPACE = (420, 620)  # pixels that rows and columns may take
CELL = (13, 96)  # smallest and largest square, pixels
WITH_TEXT, NARROW = 24, 56  # pixels from which a square says its number; from which a tick says "layer 3", not "3"
LETTER = 8  # pixels
MOVES = ["zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale", "resetscale"]
TICKS = 20  # layers on an axis from which on not all are named


def layer_pairs(
    left: Run | Side,
    right: Run | Side | None = None,
    kind: Kind = "cka",
    epoch: int | None = None,
    pair: tuple[int, int] | None = None,
) -> go.Figure:
    """All pairs of layers, rows those of the left model and columns those of the right one, input side first.

    ``cka`` compares the layers of any two models on one graph; ``attention`` (rows sum to one) and ``dissimilarity``
    are what ABKD learned, for the teacher and the student of one run. ``epoch`` is the right student's: a kept one
    for CKA, any recorded one for ABKD's maps; by default the best. ``pair``, row and column from 1, is framed.
    Raises UsageError for a wrong choice, RunError where the run has no such map.
    """
    return draw(layer_map(*sides(left, right), kind, epoch), pair)


def draw(found: LayerMap, chosen: tuple[int, int] | None = None) -> go.Figure:
    """The squares of a map, the pair ``chosen`` in a frame. A square carries row and column, both from 1."""
    rows, columns = found.values.shape
    cell = float(np.clip(min(SPACE[0] / rows, SPACE[1] / columns), *CELL))
    figure = go.Figure()
    known = np.isfinite(found.values)
    for which in (known, ~known):
        if which.any():
            figure.add_trace(_squares(found, which, cell, chosen))
    when = "" if found.epoch is None else f", epoch {found.epoch}"
    down, along = (f"{name}: layer".replace(" (", "<br>(") for name in found.models)
    (y_at, y_text), (x_at, x_text) = _ticks(found.rows, cell), _ticks(found.columns, cell)
    wide, high = LETTER * max(map(len, y_text)), LETTER * max(map(len, x_text))
    turned = cell * (x_at[-1] - x_at[-2] if len(x_at) > 1 else 2) < high
    margin = {"l": 44 + wide + 20 * ("<br>" in down), "r": 120, "t": 36}
    margin["b"] = 40 + (high if turned else 20) + 20 * ("<br>" in along)
    # Margins and size are exact, so that a marker of as many pixels as a row is high is a square without gaps.
    axis = {"zeroline": False, "showgrid": False, "automargin": False, "constrain": "domain", "showline": False}
    figure.update_yaxes(range=[rows - 0.5, -0.5], title_text=down, tickvals=y_at, ticktext=y_text, **axis)
    figure.update_xaxes(range=[-0.5, columns - 0.5], title_text=along + when, **axis)
    figure.update_xaxes(tickvals=x_at, ticktext=x_text, tickangle=-90 if turned else 0)
    figure.update_xaxes(scaleanchor="y", constraintoward="left")
    theme.finish(figure, round(rows * cell) + margin["t"] + margin["b"])
    width = round(columns * cell) + margin["l"] + margin["r"]
    figure.update_layout(width=width, margin=margin, dragmode=False, hovermode="closest")
    return figure.update_layout(modebar_remove=MOVES)  # everything is in sight


def _squares(found: LayerMap, which: NDArray[np.bool_], cell: float, chosen: tuple[int, int] | None) -> Any:
    """The chosen squares as markers, their number as text where there is room for it; grey where there is none."""
    row, column = np.nonzero(which)
    pairs = list(zip((row + 1).tolist(), (column + 1).tolist(), strict=True))
    values = found.values[row, column]
    known = bool(np.isfinite(values).all())
    numbers = [_number(value) for value in values]
    said = [f"{found.said(pair)}: <b>{text}</b>" for pair, text in zip(pairs, numbers, strict=True)]
    framed = np.array([pair == chosen for pair in pairs])
    edge = {"color": np.where(framed, theme.STUDENT if found.kind != "dissimilarity" else theme.TEACHER, theme.GRID)}
    marker: dict[str, Any] = {
        "symbol": "square",
        "size": 0.94 * cell - 2,
        "opacity": 1.0,
        "line": {**edge, "width": np.where(framed, 4 if cell >= WITH_TEXT else 2, 1)},
        "color": values.astype(np.float32) if known else theme.GRID,
    }
    if known:
        bar = {"title": {"text": BARS[found.kind]}, "thickness": 14, "x": 1.02, "xanchor": "left", "nticks": 6}
        scale = DISTANCE if found.kind == "dissimilarity" else LIKENESS
        marker |= {"cmin": 0, "cmax": found.top, "colorscale": scale, "showscale": True, "colorbar": bar}
    # A click would fade all other squares, which are still to be read.
    stays = {"marker": {"opacity": 1.0}, "textfont": {"color": TEXT if known else None}}
    size = theme.FONT + (3 if cell >= NARROW else -4)
    text = {"mode": "markers+text", "text": numbers, "textfont": {"color": TEXT if known else None, "size": size}}
    return go.Scatter(
        x=column.astype(np.float32),
        y=row.astype(np.float32),
        marker=marker,
        customdata=np.stack([row + 1, column + 1, said], axis=1, dtype=object, casting="unsafe"),
        hovertemplate="%{customdata[2]}<extra></extra>",
        selected=stays,
        unselected=stays,
        showlegend=False,
        **(text if cell >= WITH_TEXT else {"mode": "markers"}),
    )


def _number(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{value:.2f}" if 0.005 <= value < 100 or value == 0 else f"{value:.1g}"


def _ticks(names: list[str], cell: float) -> tuple[list[int], list[str]]:
    """Where an axis is labelled, and how: every layer where there is room, the last one always."""
    every = 1 if len(names) <= TICKS else 8
    last = len(names) - 1
    shown = [at for at in range(last) if (at + 1) % every == 0 and (every == 1 or last - at >= every / 2)]
    shown.append(last)
    return shown, [names[at] if cell >= NARROW else names[at].removeprefix("layer ") for at in shown]
