"""Is it real? What a method gains over each of its controls, with the interval that holds the mean difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from workbench.plots import theme
from workbench.runs.control_table import Controls, Row
from workbench.runs.folder import Run
from workbench.runs.leaderboard import METRICS

ROW_HEIGHT, FRAME_HEIGHT = 66, 170  # pixels
VERDICTS = {  # what an interval says -> its legend, colour and marker
    "above": ("the method is better: 0 lies below the interval", theme.PALETTE[0], "circle"),
    "open": ("no difference shown: 0 lies in the interval", theme.PALETTE[7], "diamond"),
    "below": ("the control is better: 0 lies above the interval", theme.PALETTE[5], "square"),
    "untested": ("no test: too few seeds, or all differ by the same", theme.PALETTE[1], "diamond-open"),
}


@dataclass(frozen=True)
class Gain:
    """The method minus one control, in 0..1: the mean, its 95 % interval (None without a test), and each seed's."""

    name: str
    question: str
    mean: float
    interval: tuple[float, float] | None
    each: tuple[float, ...]

    @property
    def verdict(self) -> str:
        if self.interval is None:
            return "untested"
        low, high = self.interval
        return "above" if low > 0 else "below" if high < 0 else "open"


def controls(of: Run | Controls, seeds: Iterable[int] | None = None) -> go.Figure:
    """A method's gain over each control, of a finished table (``wb.controls``) or of what a run's controls have made.

    ``seeds`` of a run are those that its method was run with, unless given; nothing is started. Raises UsageError for
    a run that has no controls.
    """
    if isinstance(of, Controls):
        return of_table(of)
    from workbench.runs.control_launch import control_table

    return of_table(control_table(of, seeds))


def of_table(table: Controls) -> go.Figure:
    method, *others = table.rows
    gains = [gain for row in others if (gain := _gain(method, row))]
    return draw(gains, method.name, METRICS.get(table.metric, table.metric))


def _gain(method: Row, control: Row) -> Gain | None:
    """None where no seed of both is finished."""
    if control.difference is None:
        return None
    pairs = zip(method.values, control.values, strict=True)
    each = tuple(m - c for m, c in pairs if m is not None and c is not None)
    return Gain(control.name, control.question, control.difference.difference, control.difference.interval, each)


def draw(gains: Sequence[Gain], method: str, metric: str = "accuracy") -> go.Figure:
    """One line per control, the first one on top: small marks are seeds, the large one is their mean."""
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": theme.PALETTE[7], "width": 2}, layer="below")
    for index, gain in enumerate(gains):
        figure.add_trace(_seeds(gain, index))
    for verdict, (legend, colour, symbol) in VERDICTS.items():
        rows = [(index, gain) for index, gain in enumerate(gains) if gain.verdict == verdict]
        if rows:
            figure.add_trace(_means(rows, legend, colour, symbol))
    names = [f"<b>{gain.name}</b><br>{gain.question}" for gain in gains]
    rows_shown = {"tickvals": list(range(len(gains))), "ticktext": names, "range": [len(gains) - 0.5, -0.5]}
    figure.update_yaxes(showgrid=False, **rows_shown)
    figure.update_xaxes(title=f"{method} minus the control, points of test {metric}", ticksuffix=" ", tickformat="+~g")
    figure.update_xaxes(range=_range(gains))
    tall = ROW_HEIGHT * max(len(gains), 1)
    theme.finish(figure, FRAME_HEIGHT + tall)
    return figure.update_layout(legend_y=-62 / (tall + 36), margin_t=16, showlegend=True)


def _range(gains: Sequence[Gain]) -> list[float]:
    """Points that the axis shows: everything, with 0 well inside."""
    ends = [100 * end for gain in gains for end in (*(gain.interval or ()), *gain.each, gain.mean)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    if max(-low, high) > 100:  # more than there can be: two seeds that disagree would hide everything else
        return [-100, 100]
    room = 0.12 * (high - low) or 1.0
    return [low - room, high + room]


def _seeds(gain: Gain, index: int) -> go.Scatter:
    points = 100 * np.asarray(gain.each, dtype=np.float64)
    return go.Scatter(
        x=points,
        y=np.full(len(points), index + 0.24),
        mode="markers",
        marker={"color": theme.PALETTE[7], "size": 7, "opacity": 0.7},
        showlegend=False,
        hovertemplate="one seed: %{x:+.1f} points<extra></extra>",
    )


def _means(rows: Sequence[tuple[int, Gain]], legend: str, colour: str, symbol: str) -> go.Scatter:
    mean = np.array([100 * gain.mean for _, gain in rows])
    ends = np.array([[100 * end for end in gain.interval or (gain.mean, gain.mean)] for _, gain in rows])
    said = [_said(gain) for _, gain in rows]
    return go.Scatter(
        x=mean,
        y=[index for index, _ in rows],
        error_x={"array": ends[:, 1] - mean, "arrayminus": mean - ends[:, 0], "thickness": 4, "width": 8},
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 14, "line": {"width": 2, "color": colour}},
        name=legend,
        customdata=said,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _said(gain: Gain) -> str:
    between = "" if gain.interval is None else " ({:+.1f} to {:+.1f})".format(*(100 * end for end in gain.interval))
    return f"{gain.name}: {100 * gain.mean:+.1f} points{between}"
