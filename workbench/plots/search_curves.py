"""Best validation score so far against the number of configurations tried, one line per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from workbench.errors import UsageError
from workbench.plots import theme
from workbench.runs.leaderboard import METRICS

if TYPE_CHECKING:
    from workbench.runs.search import Searched

HEIGHT = 420  # pixels


def search_history(searched: Sequence[Searched]) -> go.Figure:
    """What :func:`workbench.search` found of several methods: the best validation score after every configuration.

    The first configuration is the default one; a failed one leaves the line as it is. Every method has the same number
    of configurations, so lines may be compared at any of them. Raises UsageError for none, and for several datasets.
    """
    if not searched:
        raise UsageError("there is nothing to draw: give what wb.search returned")
    if len({repr(each.study.spec.dataset) for each in searched}) > 1:
        raise UsageError("searches on several datasets cannot stand in one figure: give those on one of them")
    scores = {each.study.method: [tried.score for tried in each.tried] for each in searched}
    metric = searched[0].study.metric
    return draw(scores, METRICS.get(metric, metric))


def draw(scores: Mapping[str, Sequence[float | None]], metric: str = "accuracy") -> go.Figure:
    """A line per method through the best of its ``scores`` (0..1, None of a failure) so far; dots are the scores."""
    figure = go.Figure()
    for index, (method, found) in enumerate(scores.items()):
        colour, symbol = theme.appearance(index)
        numbers = list(range(1, len(found) + 1))
        figure.add_trace(
            go.Scatter(
                x=numbers,
                y=best_so_far(found),
                name=method,
                legendgroup=method,
                mode="lines",
                line={"color": colour, "shape": "hv", "width": 3},
                hovertemplate=f"{method}: best of %{{x}} is %{{y:.1%}}<extra></extra>",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=numbers,
                y=list(found),
                name=method,
                legendgroup=method,
                showlegend=False,
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.6},
                hovertemplate=f"{method}, configuration %{{x}}: %{{y:.1%}}<extra></extra>",
            )
        )
    figure.update_xaxes(title="configurations tried", dtick=max(1, max(map(len, scores.values()), default=1) // 10))
    figure.update_yaxes(title=f"{metric} on validation", tickformat=".0%")
    theme.finish(figure, HEIGHT)
    return figure.update_layout(legend={"y": -0.25})


def best_so_far(scores: Sequence[float | None]) -> list[float | None]:
    """The running maximum; None until there is a score."""

    def better(best: float | None, score: float | None) -> float | None:
        return max((value for value in (best, score) if value is not None), default=None)

    return list(accumulate(scores, better))
