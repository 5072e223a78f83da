"""Every seed's score, entry by entry: how much of a difference is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.statistics import summarise
from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.markup import as_text
from workbench.runs.entry_differences import Baseline, baseline_of, interval, student_alone
from workbench.runs.folder import Run
from workbench.runs.leaderboard import METRICS, Entry, leaderboard, one_dataset

MOST = 30  # rows; more could not be told apart
OWN, OTHER = theme.STUDENT, "#999999"
MEAN = "rgba(128, 128, 128, 1)"
ROW, EDGES = 52, 150  # pixels
APART = 0.24  # of a row, from its middle to its own seeds, and to the baseline's
LONGEST = 46  # letters of a label in one line


@dataclass(frozen=True)
class Row:
    """An entry: its ``name``, its scores (0..1) by seed, and those of its baseline, which may have other seeds."""

    name: str
    values: Mapping[int, float]
    baseline: Baseline | None = None


def scores_by_seed(
    runs: Run | Sequence[Run], baseline: Run | Literal["alone"] | None = None, beside: Sequence[Run] = ()
) -> go.Figure:
    """Test score of every seed of ``runs`` (all on one dataset), a row for the seeds of one spec, the best on top.

    ``baseline`` is a run of the entry that all others are held against, or ``"alone"`` for the student alone of each;
    lines join equal seeds. It is looked for in ``beside`` too, whose runs have no row. Raises UsageError for runs on
    several datasets, none that is finished, and a baseline that is not among them.
    """
    if baseline not in (None, "alone") and not isinstance(baseline, Run):
        raise UsageError(f"a baseline is a run, 'alone' or None, not {baseline!r}")
    several = [runs] if isinstance(runs, Run) else list(runs)
    entries = one_dataset(leaderboard(several).entries)
    more = [baseline] if isinstance(baseline, Run) else []
    known = leaderboard([*several, *beside, *more]).entries
    if not isinstance(baseline, Run):
        return draw(rows(entries, baseline, known), METRICS[entries[0].metric])
    chosen = next((entry for entry in known if baseline.id in [run.run for run in entry.runs]), None)
    if chosen is None:
        raise UsageError(f"the baseline {baseline.id} is not finished, or another run of its spec and seed is meant")
    return draw(rows(entries, chosen, known), METRICS[entries[0].metric])


def rows(entries: Sequence[Entry], baseline: Entry | Literal["alone"] | None, known: Sequence[Entry]) -> list[Row]:
    """A row per entry; ``known`` entries hold the students alone."""

    def held_against(entry: Entry) -> Baseline | None:
        if baseline is None:
            return None
        return student_alone(entry, known) if baseline == "alone" else baseline_of(entry, baseline)

    return [Row(entry.title, entry.values(), held_against(entry)) for entry in entries]


def draw(of: Sequence[Row], metric: str = "accuracy") -> go.Figure:
    """The rows from top to bottom, at most :data:`MOST`: seeds as dots, their mean and its 95 % interval as a bar."""
    shown = of[:MOST]
    figure = go.Figure()
    baselines = [(at, row) for at, row in enumerate(shown) if row.baseline is not None]
    if baselines:
        figure.add_trace(_links(baselines))
        names = {row.baseline.name for _, row in baselines if row.baseline}
        name = f"Baseline: {names.pop()}" if len(names) == 1 else "Baseline"
        there = [(at + APART, row.baseline.values) for at, row in baselines if row.baseline]
        figure.add_trace(_dots(there, name, OTHER, "circle-open"))
    figure.add_trace(_means(shown))
    figure.add_trace(
        _dots([(at - APART * bool(row.baseline), row.values) for at, row in enumerate(shown)], "Student", OWN, "circle")
    )
    labels = [_label(row.name) for row in shown]
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=labels, range=[len(shown) - 0.4, -0.6], showgrid=False
    )
    figure.update_xaxes(title=f"test {metric}", tickformat=".1%")
    theme.finish(figure, EDGES + ROW * len(shown))
    return figure.update_layout(
        hovermode="closest", showlegend=True, margin_t=36, legend={"y": -70 / (ROW * len(shown)), "yanchor": "top"}
    )


def _dots(of: Sequence[tuple[float, Mapping[int, float]]], name: str, shade: str, symbol: str) -> Any:
    seeds = [seed for _, values in of for seed in values]
    return go.Scatter(
        x=np.asarray([value for _, values in of for value in values.values()]),
        y=np.asarray([at for at, values in of for _ in values]),
        mode="markers",
        name=as_text(name),
        marker={"color": shade, "symbol": symbol, "size": 11, "line": {"width": 2 if symbol.endswith("open") else 0}},
        opacity=0.85,
        customdata=np.asarray(seeds),
        hovertemplate="seed %{customdata}: %{x:.1%}<extra></extra>",
    )


def _links(of: Sequence[tuple[int, Row]]) -> Any:
    """A line per seed that both have, all in one trace."""
    x: list[float] = []
    y: list[float] = []
    for at, row in of:
        theirs = row.baseline.values if row.baseline else {}
        for seed in row.values.keys() & theirs.keys():
            x += [row.values[seed], theirs[seed], np.nan]
            y += [at - APART, at + APART, np.nan]
    line = {"color": "rgba(128, 128, 128, 0.55)", "width": 1.5}
    return go.Scatter(x=np.asarray(x), y=np.asarray(y), mode="lines", line=line, name="same seed", hoverinfo="skip")


def _means(of: Sequence[Row]) -> Any:
    """The mean of every row; one seed, and equal ones, have no interval."""
    means = [summarise(list(row.values.values())) for row in of]
    ends = [interval(list(row.values.values())) for row in of]
    half = np.asarray([np.nan if end is None else (end[1] - end[0]) / 2 for end in ends])
    said = [
        f"mean of {found.n}: {100 * found.mean:.1f} %" + ("" if np.isnan(to) else f" ± {100 * to:.1f} (95 %)")
        for found, to in zip(means, half, strict=True)
    ]
    return go.Scatter(
        x=np.asarray([found.mean for found in means]),
        y=np.arange(len(of), dtype=np.float64),
        error_x={"array": half, "thickness": 2, "width": 6} if np.isfinite(half).any() else None,
        mode="markers",
        name="mean, 95 % interval",
        marker={"color": MEAN, "symbol": "line-ns-open", "size": 20, "line": {"width": 3}},
        customdata=said,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _label(name: str) -> str:
    """Its options in a second line, and no more than fits."""
    head, bracket, rest = name.partition(" (")
    lines = [head, rest.removesuffix(")")] if bracket else [head]
    return "<br>".join(as_text(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…") for line in lines)
