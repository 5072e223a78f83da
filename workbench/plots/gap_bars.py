"""The knowledge gap in slices: who is right about nodes of few or many neighbours, of each class, near or far."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.knowledge_gap import Slices, wilson_interval
from workbench.errors import check_choice
from workbench.plots import theme
from workbench.plots.gap_arrays import BY, KINDS, By, Split, bins_by, case_names, read_gap, sliced
from workbench.plots.gap_map import RING
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides

PANELS = ("Who is right", "Accuracy")
SYMBOLS = ("circle", "square")
READABLE = 0.09  # of the panel: a share below has no room for its number
SHIFT = 0.14  # of a bar's pitch, so that two intervals do not lie on each other


def gap_slices(
    run: Run | Side,
    right: Run | Side | None = None,
    by: By = "degree",
    split: Split = "test",
    bin: str | None = None,
    case: str | None = None,
) -> go.Figure:
    """The four cases in every bin of a property, as shares, and the accuracy of both with 95 % intervals (Wilson).

    One run compares its teacher with its student. ``by`` is the degree, the share of neighbours of the same class
    (homophily), the distance to a training node, the class or the split; ``bin`` and ``case`` outline parts of
    bars. Raises UsageError for a wrong choice and where the run has not stored what ``by`` needs, and RunError
    where the runs have no such arrays.
    """
    gap = read_gap(*sides(run, right))
    found, labels = sliced(gap, by, split), bins_by(gap, by).labels
    if bin is not None:
        check_choice("bin", bin, labels)
    if case is not None:
        check_choice("case", case, KINDS)
    chosen = (None if bin is None else labels.index(bin), None if case is None else KINDS.index(case))
    return draw(found, gap.titles, BY[by], chosen)


def draw(
    found: Slices, titles: tuple[str, str], axis: str, chosen: tuple[int | None, int | None] = (None, None)
) -> go.Figure:
    """One bar per bin, the first on top. ``chosen`` bin and case, None: any, are outlined, unless both are None.

    A part of a bar carries the bin, the case and the number of nodes, which come back when it is clicked.
    """
    figure = make_subplots(
        1, 2, shared_yaxes=True, column_widths=[0.64, 0.36], subplot_titles=PANELS, horizontal_spacing=0.08
    )
    at = np.arange(len(found.labels))
    names, titles = [as_text(name) for name in case_names(*titles)], (as_text(titles[0]), as_text(titles[1]))
    share = found.counts / found.total[:, None]
    for case, name in enumerate(names):
        figure.add_trace(_parts(found, share[:, case], case, name, chosen), row=1, col=1)
    low, high = wilson_interval(found.right, found.total[:, None])
    accuracy = found.right / found.total[:, None]
    for side, name in enumerate(titles):
        trace = go.Scatter(
            x=accuracy[:, side],
            y=at + (2 * side - 1) * SHIFT,
            mode="markers",
            # the colour of what this model alone has right
            marker={"color": theme.CASE_COLOURS[1 + side], "symbol": SYMBOLS[side], "size": 9},
            error_x={
                "array": (high - accuracy)[:, side],
                "arrayminus": (accuracy - low)[:, side],
                "thickness": 2,
                "width": 4,
            },
            name=f"accuracy: {name[:1].lower()}{name[1:]}",
            customdata=np.stack([low[:, side], high[:, side]], axis=1),
            hovertemplate=f"{name}: %{{x:.1%}} (%{{customdata[0]:.1%}} to %{{customdata[1]:.1%}})<extra></extra>",
        )
        figure.add_trace(trace, row=1, col=2)
    bars = (38 if len(at) <= 15 else 24) * max(len(at), 4)  # pixels of all bars
    theme.finish(figure, bars + 190)
    ticks = [f"{label} ({total:,})" for label, total in zip(found.labels, found.total.tolist(), strict=True)]
    figure.update_yaxes(range=[len(at) - 0.45, -0.55], showgrid=False)
    figure.update_yaxes(title=f"{axis} (nodes)", tickvals=at, ticktext=ticks, row=1, col=1)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", dtick=0.25, title="share of the bin", row=1, col=1)
    figure.update_xaxes(range=[-0.03, 1.03], tickformat=".0%", dtick=0.5, title="with 95 % interval", row=1, col=2)
    # In the order of a bar's parts, and outlined only where the first bar's are.
    figure.update_layout(legend_traceorder="normal", legend_itemsizing="trace")
    return figure.update_layout(barmode="stack", bargap=0.25, legend_y=-56 / bars, hovermode="closest")


def _parts(
    found: Slices, share: NDArray[np.float64], case: int, name: str, chosen: tuple[int | None, int | None]
) -> go.Bar:
    """One case in all bins."""
    count = found.counts[:, case]
    bin, kind = chosen
    outlined = (kind in (None, case)) & ((bin is None) | (found.bins == bin)) & (chosen != (None, None))
    outline = np.broadcast_to(outlined, count.shape)
    return go.Bar(
        orientation="h",
        x=share,
        y=np.arange(len(count)),
        name=name,
        marker={"color": theme.CASE_COLOURS[case], "line": {"color": RING, "width": np.where(outline, 3, 0)}},
        unselected={"marker": {"opacity": 1}},  # a click chooses, and fades nothing
        text=[f"{part:.0%}" if part >= READABLE else "" for part in share],
        textposition="inside",
        insidetextanchor="middle",
        insidetextfont={"color": "#111111" if case == 0 else "#ffffff"},  # on grey, and on colours
        textangle=0,
        customdata=np.stack([found.bins, np.full_like(count, case), count, found.total], axis=1),
        hovertemplate=f"{name}: %{{customdata[2]:,}} of %{{customdata[3]:,}} nodes (%{{x:.1%}})<extra></extra>",
    )
