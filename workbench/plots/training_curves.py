"""How a training went: what each loss term weighs, how hard it pulls, and the validation accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.plots import theme
from workbench.plots.epochs import Points, Record, Series, line, number, points, term_colours, term_series
from workbench.runs.folder import Run

HEIGHT = 380
DECADES = 30.0  # ratio of largest to smallest value from which an axis is logarithmic


def curves(run: Run) -> go.Figure:
    """Three panels over the epochs of a run, finished or not.

    The terms are the student's; as long as it has not begun, they are the teacher's.
    """
    return of_records(run.metrics("teacher"), run.metrics("student"))


def of_records(teacher: Sequence[Record], student: Sequence[Record]) -> go.Figure:
    """The figure of :func:`curves`, of one record per epoch of each stage."""
    accuracy = {"teacher": validation_accuracy(teacher), "student": validation_accuracy(student)}
    records, whose = (student, "Student") if student or not teacher else (teacher, "Teacher")
    return draw(weighted_terms(records, "value"), weighted_terms(records, "gradient"), accuracy, whose)


def weighted_terms(records: Sequence[Record], what: Literal["value", "gradient"]) -> Series:
    """Weight × ``value`` or weight × ``gradient`` of every term, over epochs; NaN where it was not finite.

    A term of weight zero has no pull: its gradient is known in some epochs only, and enters none.
    """

    def weighted(term: Record) -> float:
        weight = number(term.get("weight"))
        return np.nan if what == "gradient" and weight == 0 else weight * number(term.get(what))

    return term_series(records, weighted)


def validation_accuracy(records: Sequence[Record]) -> Points:
    """Epochs and validation accuracy (0..1) of one stage; NaN where it was not finite."""
    rows = [(record["epoch"], number(record["val"].get("accuracy"))) for record in records if record.get("val")]
    return points([epoch for epoch, _ in rows], [value for _, value in rows])


def draw(loss: Series, gradient: Series, accuracy: Series, whose: str = "Student") -> go.Figure:
    """The three panels. A term has one colour in both of its panels, and one legend entry."""
    titles = (f"{whose}: weighted loss terms", f"{whose}: pull of each term", "Validation accuracy")
    figure = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.075)
    shades = term_colours(loss)
    for column, series in enumerate((loss, gradient), start=1):
        for name, of in series.items():
            trace = line(of, name, shades[name], "%{y:.3g}", legendgroup=name, showlegend=column == 1)
            figure.add_trace(trace, row=1, col=column)
        if _spans_decades(series):
            figure.update_yaxes(type="log", dtick=1, exponentformat="power", row=1, col=column)
    for name, shade in (("teacher", theme.TEACHER), ("student", theme.STUDENT)):
        figure.add_trace(line(accuracy[name], name, shade, "%{y:.1%}"), row=1, col=3)
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
