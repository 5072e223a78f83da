"""The loss-term lens: what part of the loss each term is, and whether it pulls with the labels or against them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.epochs import Record, Series, line, number, term_colours, term_series
from workbench.runs.folder import Run

HEIGHT = 340
ZERO = "rgba(128, 128, 128, 0.9)"
TITLES = "Share of each term in the loss", "With the labels or, below 0, against them"


def terms(run: Run) -> go.Figure:
    """The terms of the student's loss over its epochs: the share of each, and its direction.

    Share: |weight × value| as a part of the sum over all terms. Direction: cosine, on the student's parameters,
    between the gradient of a distillation term and that of the loss on the labels; it has no panel in a run
    that recorded none. Raises UsageError for a run whose student has no epoch yet.
    """
    records = run.metrics("student")
    if not records:
        raise UsageError(f"the student of run {run.id} has no epoch yet: draw its terms when it has one")
    return of_records(records)


def of_records(records: Sequence[Record]) -> go.Figure:
    """The figure of :func:`terms`, of one record per epoch of the student."""
    return draw(shares(records), cosines(records))


def shares(records: Sequence[Record]) -> Series:
    """The share (0..1) of every term, over epochs; made anew for older records, which hold what it is made of."""

    def with_shares(record: Record) -> Record:
        sizes = {name: abs(number(t.get("weight")) * number(t.get("value"))) for name, t in record["terms"].items()}
        total = sum(sizes.values())
        made = {name: {"share": size / total if total else None} for name, size in sizes.items()}
        return {**record, "terms": {name: {**made[name], **term} for name, term in record["terms"].items()}}

    complete = [with_shares(record) for record in records if "terms" in record]
    return term_series(complete, lambda term: number(term["share"]))


def cosines(records: Sequence[Record]) -> Series:
    """Cosine (−1..1) of every distillation term's gradient with the task's, in the epochs in which it was taken.

    Terms are left out that never had one.
    """
    looks = [record for record in records if any("cosine" in term for term in record.get("terms", {}).values())]
    taken = term_series(looks, lambda term: number(term.get("cosine")))
    return {name: of for name, of in taken.items() if np.isfinite(of[1]).any()}


def has_directions(records: Sequence[Record]) -> bool:
    """Whether :func:`of_records` shows more than shares."""
    return bool(cosines(records))


def draw(share: Series, cosine: Series) -> go.Figure:
    """The two panels, or the first alone. A term has one colour in both, and one legend entry."""
    titles = TITLES if cosine else TITLES[:1]
    figure = make_subplots(1, len(titles), subplot_titles=titles, horizontal_spacing=0.09)
    shades = term_colours(share)
    for name, of in share.items():
        figure.add_trace(line(of, name, shades[name], "%{y:.1%}", legendgroup=name, stackgroup="share"), row=1, col=1)
    figure.update_yaxes(title="share", tickformat=".0%", range=[0, 1], row=1, col=1)
    if cosine:
        _draw_directions(figure, cosine, shades)
    figure.update_xaxes(title="epoch", rangemode="tozero")
    theme.finish(figure, HEIGHT)
    return figure.update_layout(hovermode="x", legend_y=-0.28, showlegend=True)


def _draw_directions(figure: go.Figure, cosine: Series, shades: dict[str, str]) -> None:
    for name, of in cosine.items():
        how = {"mode": "lines+markers", "legendgroup": name, "showlegend": False}
        figure.add_trace(line(of, name, shades[name], "%{y:.2f}", **how), row=1, col=2)
    figure.update_yaxes(title="cosine", range=[-1.05, 1.05], dtick=0.5, row=1, col=2)
    figure.add_hline(0, line={"color": ZERO, "width": 1}, row=1, col=2)
