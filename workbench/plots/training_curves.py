"""How a training went: what each loss term weighs, how hard it pulls, and the validation score."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.plots import theme
from workbench.plots.epochs import Points, Record, Series, line, number, points, term_colours, term_series
from workbench.runs.folder import Run

HEIGHT = 380
DECADES = 30.0  # ratio of largest to smallest value from which an axis is logarithmic
# The metric that selects an epoch -> its name; of several in a record, the first.
SCORES = {"auc": "AUC", "micro_f1": "micro-F1", "accuracy": "accuracy"}
LINES = {  # who is trained -> name, colour
    "teacher": ("teacher", theme.TEACHER),
    "student": ("student", theme.STUDENT),
    "plain": ("student alone", theme.PALETTE[1]),
}


def curves(run: Run) -> go.Figure:
    """Three panels over the epochs of a run, finished or not.

    The terms are the student's; as long as it has not begun, they are the teacher's. On snapshots, whose student
    learns again at every one, a dotted line marks where the next one begins.
    """
    return of_records(run.metrics("teacher"), run.metrics("student"), run.metrics("plain"))


def of_records(teacher: Sequence[Record], student: Sequence[Record], plain: Sequence[Record] = ()) -> go.Figure:
    """The figure of :func:`curves`, of one record per epoch of each stage.

    ``plain`` is a student without distillation that was trained beside the other one.
    """
    stages = {"teacher": teacher, "student": student, **({"plain": plain} if plain else {})}
    score = score_name([record for records in stages.values() for record in records])
    scores = {who: validation_score(records, score) for who, records in stages.items()}
    records, whose = (student, "Student") if student or not teacher else (teacher, "Teacher")
    terms = (weighted_terms(records, "value"), weighted_terms(records, "gradient"))
    figure = draw(*terms, scores, whose, f"Validation {SCORES[score]}")
    for epoch in step_starts(records):
        figure.add_vline(x=epoch - 0.5, line={"color": theme.GRID, "dash": "dot", "width": 1.5}, layer="below")
    return figure


def weighted_terms(records: Sequence[Record], what: Literal["value", "gradient"]) -> Series:
    """Weight × ``value`` or weight × ``gradient`` of every term, over epochs; NaN where it was not finite.

    A term of weight zero has no pull: its gradient is known in some epochs only, and enters none.
    """

    def weighted(term: Record) -> float:
        weight = number(term.get("weight"))
        return np.nan if what == "gradient" and weight == 0 else weight * number(term.get(what))

    return term_series(records, weighted)


def score_name(records: Sequence[Record]) -> str:
    """The metric by which the epochs were selected: ``auc`` where there is one, else ``accuracy``."""
    return next((name for record in records for name in SCORES if name in (record.get("val") or {})), "accuracy")


def validation_score(records: Sequence[Record], name: str = "accuracy") -> Points:
    """Epochs and the metric ``name`` (0..1) on validation of one stage; NaN where it was not finite."""
    rows = [(record["epoch"], number(record["val"].get(name))) for record in records if record.get("val")]
    return points([epoch for epoch, _ in rows], [value for _, value in rows])


def step_starts(records: Sequence[Record]) -> list[int]:
    """The first epoch at every online step but the first one; empty where there are no steps."""
    return [later["epoch"] for before, later in pairwise(records) if before.get("step") != later.get("step")]


def draw(
    loss: Series, gradient: Series, scores: Series, whose: str = "Student", score: str = "Validation accuracy"
) -> go.Figure:
    """The three panels. A term has one colour in both of its panels, and one legend entry.

    ``scores`` are of those named in :data:`LINES`, ``score`` is the title of their panel.
    """
    titles = (f"{whose}: weighted loss terms", f"{whose}: pull of each term", score)
    figure = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.075)
    shades = term_colours(loss)
    for column, series in enumerate((loss, gradient), start=1):
        for name, of in series.items():
            trace = line(of, name, shades[name], "%{y:.3g}", legendgroup=name, showlegend=column == 1)
            figure.add_trace(trace, row=1, col=column)
        if _spans_decades(series):
            figure.update_yaxes(type="log", dtick=1, exponentformat="power", row=1, col=column)
    for who, of in scores.items():
        figure.add_trace(line(of, *LINES[who], "%{y:.1%}"), row=1, col=3)
    figure.update_yaxes(tickformat=".0%", row=1, col=3)
    figure.update_yaxes(title="weight × value", row=1, col=1)
    figure.update_yaxes(title="weight × gradient norm", row=1, col=2)
    figure.update_xaxes(title="epoch", rangemode="tozero")
    theme.finish(figure, HEIGHT)
    return figure.update_layout(hovermode="x", legend_y=-0.24, showlegend=True)


def _spans_decades(series: Series) -> bool:
    values = np.concatenate([values for _, values in series.values()]) if series else np.zeros(0)
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() / values.min() > DECADES)
