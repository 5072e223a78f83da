"""How well the links of the next snapshot are predicted, step by step, by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.analysis.statistics import Summary, summarise
from workbench.errors import RunError, check_choice
from workbench.plots import theme
from workbench.plots.evolution_arrays import NAMES, check_step, metrics_of, predicts_all
from workbench.runs.folder import Run

Metric = Literal["auc", "average_precision", "dot_auc", "known_auc"]
TITLES: Mapping[str, str] = {
    "auc": "AUC",
    "average_precision": "average precision",
    "dot_auc": "AUC of dot products",
    "known_auc": "AUC between nodes that the teacher knows",
}
MOST_TICKS = 20  # more would stand on each other
HEIGHT = 520
LOOKS: Mapping[str, tuple[str, str, str, float]] = {  # colour, dash, marker, width
    "teacher": (theme.TEACHER, "solid", "circle", 3),
    "student": (theme.STUDENT, "solid", "diamond", 3),
    "plain": ("#E69F00", "solid", "square", 2.5),
    "common_neighbours": ("#009E73", "dot", "triangle-up", 1.5),
    "adamic_adar": ("#CC79A7", "dot", "triangle-down", 1.5),
    "preferential_attachment": ("#56B4E9", "dot", "cross", 1.5),
    "edge_bank": ("#999999", "dot", "x", 1.5),
}


@dataclass(frozen=True)
class Score:
    """What one predictor reached at one online step, over the runs that have a number for it."""

    step: int
    predicts: int
    who: str
    over: Summary


def auc_over_steps(runs: Run | Sequence[Run], metric: Metric = "auc", step: int | None = None) -> go.Figure:
    """A line per predictor over the online steps: teacher, student, student alone, and the baselines.

    Of several runs (seeds of one spec) the mean is drawn, with bars of one sample standard deviation. ``step`` is
    marked. Raises UsageError for an unknown metric and a step that there is not, and RunError where no run has been
    measured.
    """
    check_choice("metric", metric, get_args(Metric))
    several = [runs] if isinstance(runs, Run) else list(runs)
    found = scores(several, metric)
    if step is not None:
        check_step(step, sorted({at for run in several for at, *_ in metrics_of(run)}))
    return draw(found, metric, step, len(several), what_is_predicted(several))


def what_is_predicted(runs: Sequence[Run]) -> str:
    """``new links``, or ``all links`` where a run predicts them all."""
    return "all links" if any(predicts_all(run) for run in runs) else "new links"


def scores(runs: Sequence[Run], metric: Metric = "auc") -> list[Score]:
    """One entry per step and predictor that has a number, in the order of the steps and of the legend."""
    found: dict[tuple[int, int, str], list[float]] = {}
    for run in runs:
        for step, predicts, metrics in metrics_of(run):
            for who in NAMES:
                value = metrics.get(who, {}).get(metric)
                if value is not None:
                    found.setdefault((step, predicts, who), []).append(value)
    if not found:
        which = ", ".join(run.id for run in runs) or "none given"
        raise RunError(
            f"no {TITLES[metric]} has been measured in these runs ({which}): they are not finished, or older than it"
        )
    order = list(NAMES)
    keys = sorted(found, key=lambda key: (key[0], order.index(key[2])))
    return [Score(*key, summarise(found[key])) for key in keys]


def draw(
    of: Sequence[Score], metric: Metric = "auc", step: int | None = None, count: int = 1, what: str = "new links"
) -> go.Figure:
    """The lines, over the snapshot that is predicted; they are broken where one in between could not be judged."""
    title = f"{TITLES[metric][0].upper()}{TITLES[metric][1:]} on {what}"
    seeds = f", mean ± std of {count} seeds" if count > 1 else ""
    figure = make_subplots(1, 1, subplot_titles=[title + seeds])
    for who in dict.fromkeys(score.who for score in of):
        figure.add_trace(_line([score for score in of if score.who == who], who))
    predicted = sorted({score.predicts for score in of})
    if step is not None:
        marked = next((score.predicts for score in of if score.step == step), step + 1)
        predicted = sorted({*predicted, marked})
        figure.add_vline(x=marked, line={"color": "#777777", "width": 10}, opacity=0.25, layer="below")
    figure.add_hline(y=0.5, line={"color": "#777777", "dash": "dash", "width": 1}, layer="below")
    ticks = {"tickvals": predicted} if len(predicted) <= MOST_TICKS else {"tickformat": "d"}
    figure.update_xaxes(title="predicted snapshot", range=[predicted[0] - 0.4, predicted[-1] + 0.4], **ticks)
    figure.update_yaxes(title=TITLES[metric], range=_range(of))
    theme.finish(figure, HEIGHT)
    return figure.update_layout(hovermode="x unified", legend_y=-0.16)


def _line(of: Sequence[Score], who: str) -> Any:
    shade, dash, symbol, width = LOOKS[who]
    at = {score.predicts: score.over for score in of}
    snapshots = np.arange(min(at), max(at) + 1)
    over = [at.get(int(snapshot)) for snapshot in snapshots]
    spread = [np.nan if found is None or found.std is None else found.std for found in over]
    bars = {"array": np.asarray(spread, dtype=np.float32), "thickness": 1.5, "width": 4}
    known = bool(np.isfinite(spread).any())
    return go.Scatter(
        x=snapshots,
        y=np.asarray([np.nan if found is None else found.mean for found in over], dtype=np.float32),
        error_y=bars if known else None,
        name=NAMES[who],
        mode="lines+markers",
        line={"color": shade, "dash": dash, "width": width},
        marker={"symbol": symbol, "size": 7 + width},
        hovertemplate="%{y:.3f}" + (" ± %{error_y.array:.3f}" if known else ""),
    )


def _range(of: Sequence[Score]) -> list[float]:
    """From a little below the least value, or chance, to one."""
    lowest = min(score.over.mean - (score.over.std or 0) for score in of)
    return [max(float(min(lowest, 0.5)) - 0.03, -0.03), 1.02]
