"""How alike teacher and student are, entry by entry: global and local structural correlation, and linear CKA."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.leaderboard import one_dataset
from workbench.runs.similarity_table import FIGURES, Row, similarity_table

MOST = 20  # entries; more could not be told apart
COLOURS = {"global": theme.PALETTE[0], "local": theme.PALETTE[1], "cka": theme.PALETTE[2]}
ROW, EDGES = 62, 150  # pixels
LONGEST = 46  # letters of a label in one line


def similarity_bars(runs: Run | Sequence[Run]) -> go.Figure:
    """The three figures of G-CRD's paper for ``runs`` (all on one dataset), a group of bars for the seeds of one spec.

    Teacher and student on the validation nodes, from the stored last hidden features: see
    :func:`workbench.runs.similarity_table.similarity`. Bars are means, whiskers one sample standard deviation over the
    seeds. Raises UsageError for runs on several datasets, and where none could be compared.
    """
    table = similarity_table([runs] if isinstance(runs, Run) else runs)
    if not table.rows:
        reason = next(iter(table.left_out.values()), "none is finished")
        raise UsageError(f"none of these runs has embeddings of teacher and student to compare: {reason}")
    one_dataset([row.entry for row in table.rows])
    return draw(table.rows)


def draw(rows: Sequence[Row]) -> go.Figure:
    """Entries from top to bottom, at most :data:`MOST`; a figure that no seed has is left out."""
    shown = rows[:MOST]
    figure = go.Figure()
    for name, title in FIGURES.items():
        figure.add_trace(_bars(shown, name, title))
    labels = [_label(row.entry.title) for row in shown]
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=labels, range=[len(shown) - 0.5, -0.5], showgrid=False
    )
    lowest = min(
        [0.0, *(x - (e or 0) for t in figure.data for x, e in zip(t.x, t.error_x.array, strict=True) if x == x)]
    )
    figure.update_xaxes(
        title="teacher and student, 1: alike, 0: unrelated", range=[lowest * 1.05, 1.02], tickformat=".1f"
    )
    theme.finish(figure, EDGES + ROW * len(shown))
    legend = {"y": -70 / (ROW * len(shown)), "yanchor": "top", "traceorder": "normal"}
    return figure.update_layout(barmode="group", bargap=0.25, margin_t=24, legend=legend, showlegend=True)


def _bars(rows: Sequence[Row], name: str, title: str) -> go.Bar:
    found = [row.summary(name) for row in rows]
    spread = [0.0 if of is None or of.std is None else of.std for of in found]
    said = [
        "–" if of is None else f"{of.mean:.3f}" + ("" if of.std is None else f" ± {of.std:.3f}") + f" ({of.n} seeds)"
        for of in found
    ]
    return go.Bar(
        x=np.array([np.nan if of is None else of.mean for of in found]),
        y=np.arange(len(rows)),
        orientation="h",
        name=title,
        marker={"color": COLOURS[name]},
        error_x={"array": np.array(spread), "thickness": 2, "width": 4},
        customdata=said,
        hovertemplate=f"{title}: %{{customdata}}<extra></extra>",
    )


def _label(name: str) -> str:
    """Its options in a second line, and no more than fits."""
    head, bracket, rest = name.partition(" (")
    lines = [head, rest.removesuffix(")")] if bracket else [head]
    return "<br>".join(as_text(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…") for line in lines)
