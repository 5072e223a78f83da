"""Which classes the right model mixes up more often than the left one, or less."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.knowledge_gap import confusion
from workbench.analysis.node_bins import MOST
from workbench.errors import check_choice
from workbench.plots import theme
from workbench.plots.gap_arrays import Gap, Split, in_split, read_gap
from workbench.plots.gap_map import RING
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides

Unit = Literal["nodes", "share"]
HEIGHT = 560
SIDE = 385  # pixels that the squares of one row fill together
WITH_NUMBERS = 12  # classes up to which a square has room for its number


def confusion_difference(
    run: Run | Side,
    right: Run | Side | None = None,
    split: Split = "test",
    unit: Unit = "nodes",
    cell: tuple[int, int] | None = None,
) -> go.Figure:
    """The right model's confusion minus the left one's: true class by row, predicted class by column.

    One run compares its teacher with its student. ``unit`` counts nodes, or their share of all of the true class.
    On the diagonal more is better, off it worse. Of more than 60 classes the most frequent ones are shown. ``cell``
    (true class, predicted class) is outlined. Raises UsageError for a wrong choice and RunError where the runs
    have no such arrays.
    """
    check_choice("unit", unit, get_args(Unit))
    gap = read_gap(*sides(run, right))
    return draw(*both_confusions(gap, split), gap.titles, unit, cell)


def both_confusions(gap: Gap, split: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Confusion (C, C) of the left and of the right model over the nodes of a split."""
    own = in_split(gap, split)
    left, right = (confusion(gap.graph.y[own], gap.says[own, side], gap.classes) for side in (0, 1))
    return left, right


def draw(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    titles: tuple[str, str],
    unit: Unit = "nodes",
    cell: tuple[int, int] | None = None,
) -> go.Figure:
    """A square for every cell of the confusions (C, C) and (C, C), which carries both classes when it is clicked."""
    size = left.sum(axis=1)  # (C,) nodes of every true class
    shown = np.sort(np.argsort(-size, kind="stable")[:MOST])
    count = len(shown)
    true_at, predicted_at = (axis.ravel() for axis in np.indices((count, count)))
    row, column = shown[true_at], shown[predicted_at]
    more = (right - left)[row, column]
    share = more / np.maximum(size[row], 1)
    values, written = (more, [f"{v:+d}" for v in more]) if unit == "nodes" else (share, [f"{v:+.0%}" for v in share])
    bound = float(np.abs(values).max(initial=0)) or 1.0
    outline = np.zeros(len(row), dtype=bool) if cell is None else (row == cell[0]) & (column == cell[1])
    first, second = map(as_text, titles)
    figure = make_subplots(1, 1, subplot_titles=[f"{second} minus {first[:1].lower()}{first[1:]}"])
    hover = [
        "class %{customdata[0]} taken for class %{customdata[1]}",
        f"{first}: %{{customdata[2]:,}} nodes",
        f"{second}: %{{customdata[3]:,}} nodes",
        f"difference: {'%{customdata[4]:+,}' if unit == 'nodes' else '%{marker.color:+.1%}'}",
    ]
    squares = go.Scatter(
        x=predicted_at,
        y=true_at,
        mode="markers+text" if count <= WITH_NUMBERS else "markers",
        text=[text if v else "" for text, v in zip(written, values, strict=True)] if count <= WITH_NUMBERS else None,
        textfont={"color": np.where(np.abs(values) > 0.45 * bound, "#ffffff", "#111111"), "size": theme.FONT - 2},
        marker={
            "symbol": "square",
            "size": float(np.clip(0.93 * SIDE / max(count, 1), 4, 64)),
            "color": values,
            "cmin": -bound,
            "cmax": bound,
            "colorscale": theme.SHARE,
            "reversescale": True,
            "opacity": np.where(values == 0, 0.3, 1.0),
            "line": {"color": RING, "width": np.where(outline, 3, 0)},
            "colorbar": {
                "title": {"text": "nodes<br>more (+)" if unit == "nodes" else "share of<br>the class"},
                "tickformat": "+d" if unit == "nodes" else "+.0%",
                "nticks": 5,
                "thickness": 14,
            },
        },
        unselected={"marker": {"opacity": 1}},
        customdata=np.stack([row, column, left[row, column], right[row, column], more], axis=1),
        hovertemplate="<br>".join(hover) + "<extra></extra>",
        showlegend=False,
    )
    figure.add_trace(squares)
    theme.finish(figure, HEIGHT)
    step = 1 if count <= 24 else 5
    ticks = {"tickvals": np.arange(count)[::step], "ticktext": [str(c) for c in shown[::step]], "showgrid": False}
    figure.update_xaxes(title="predicted class", range=[-0.6, count - 0.4], constrain="domain", **ticks)
    figure.update_yaxes(title="true class", range=[count - 0.4, -0.6], scaleanchor="x", constrain="domain", **ticks)
    return figure.update_layout(dragmode="pan", hovermode="closest")
