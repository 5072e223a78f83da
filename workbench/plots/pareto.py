"""Score against cost: which models nothing smaller, or faster, is better than."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from workbench.errors import RunError, check_choice
from workbench.plots import theme
from workbench.plots.markup import as_text
from workbench.runs.entry_names import METHODS, short_names, title_of_method
from workbench.runs.folder import Run
from workbench.runs.leaderboard import METRICS, Entry, leaderboard, one_dataset, teachers

Cost = Literal["parameters", "bytes", "latency_ms"]
COSTS: Mapping[str, tuple[str, str]] = {  # title of the axis, and how a value reads on hover
    "parameters": ("parameters", "%{x:.4s} parameters"),
    "bytes": ("size in bytes", "%{x:.4s}B"),
    "latency_ms": ("one pass, ms", "%{x:.3g} ms"),
}
NO_TEACHER = [shade for shade in theme.PALETTE if shade != theme.TEACHER]
SYMBOLS = ("circle", "diamond", "cross", "triangle-up", "x")
TEACHER_SYMBOL = "square"
FRONT = "rgba(128, 128, 128, 0.9)"
HEIGHT = 520


@dataclass(frozen=True)
class Point:
    """A teacher or a student over its seeds: ``cost`` > 0, mean ``score`` (0..1) and sample deviation ``std``.

    ``method`` gives a student its colour, None is a teacher's.
    """

    cost: float
    score: float
    std: float | None
    n: int
    name: str
    method: str | None


def score_against_cost(runs: Run | Sequence[Run], x: Cost = "parameters", target: float | None = None) -> go.Figure:
    """Test score against the cost of every model of ``runs`` (all on one dataset), seeds of one spec together.

    ``x`` is the number of parameters, their bytes, or the milliseconds of one pass; ``target`` marks a cost. Raises
    UsageError for an unknown cost, runs on several datasets, or none that is finished, and RunError where the cost has
    been measured in none.
    """
    check_choice("cost", x, get_args(Cost))
    entries = one_dataset(leaderboard([runs] if isinstance(runs, Run) else runs).entries)
    return draw(points(entries, x), x, METRICS[entries[0].metric], target)


def points(entries: Sequence[Entry], x: Cost = "parameters") -> list[Point]:
    """Students of ``entries`` and their teachers, each teacher once; those without the cost or a score are left out."""
    taught = teachers(entries)
    found = [_point(entry, "teacher", x, name) for entry, name in zip(taught, teacher_names(taught), strict=True)]
    found += [_point(entry, "student", x, entry.title) for entry in entries]
    return [point for point in found if point is not None]


def teacher_names(entries: Sequence[Entry]) -> list[str]:
    """``Teacher gat (heads 8)``: of entries with one teacher each, with the options in which it differs from others."""
    # Names are of a student, its method and its teacher: here the teacher stands in the student's place, alone.
    alone = {"method": [], "teacher": {"name": ""}}
    parts = [(e.document["teacher"], e.document.get("teacher_training")) for e in entries]
    documents = [{**alone, "student": model, "training": training} for model, training in parts]
    options = short_names([(entry.data, document) for entry, document in zip(entries, documents, strict=True)])
    names = [
        f"Teacher {entry.teacher}" + (f" ({', '.join(apart)})" if apart else "")
        for entry, apart in zip(entries, options, strict=True)
    ]
    return [
        f"{name} [{entry.id[:6]}]" if names.count(name) > 1 else name
        for name, entry in zip(names, entries, strict=True)
    ]


def front(cost: ArrayLike, score: ArrayLike) -> NDArray[np.integer]:
    """Of points with ``cost`` (n,) and ``score`` (n,), the positions of those that none dominates, by rising cost.

    A point is dominated by one that costs no more and scores no less, and is better in one of the two; equal points do
    not dominate each other. Points that are not finite are on no front.
    """
    costs, scores = np.asarray(cost, dtype=np.float64), np.asarray(score, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(costs) & np.isfinite(scores))
    order = known[np.lexsort((-scores[known], costs[known]))]  # by rising cost, the best of equal cost first
    kept: list[int] = []
    for at in order:
        last = kept[-1] if kept else None
        equal = last is not None and (costs[at], scores[at]) == (costs[last], scores[last])
        if last is None or equal or scores[at] > scores[last]:
            kept.append(int(at))
    return np.asarray(kept, dtype=np.int64)


def draw(
    models: Sequence[Point], x: Cost = "parameters", metric: str = "accuracy", target: float | None = None
) -> go.Figure:
    """Models as points with one standard deviation of their scores, the front as steps, ``target`` as a line.

    Raises RunError for no point.
    """
    if not models:
        raise RunError(f"the {COSTS[x][0]} of these runs has not been measured: choose another cost")
    figure = go.Figure()
    on_front = front([point.cost for point in models], [point.score for point in models])
    best = [models[at] for at in on_front]
    figure.add_trace(_steps(best, max(point.cost for point in models)))
    looks = appearances([point.method for point in models if point.method is not None])
    for method in sorted({point.method for point in models}, key=lambda name: [*looks, None].index(name)):
        of = [point for point in models if point.method == method]
        shade, symbol = (theme.TEACHER, TEACHER_SYMBOL) if method is None else looks[method]
        figure.add_trace(_markers(of, "Teacher" if method is None else method, shade, symbol, x))
    figure.update_xaxes(title=COSTS[x][0], type="log", range=_cost_range(models, target))
    figure.update_xaxes(theme.log_ticks(*(10**end for end in _cost_range(models, target))))
    figure.update_yaxes(title=f"test {metric}", tickformat=_score_format(models))
    theme.finish(figure, HEIGHT)
    if target is not None:
        _mark(figure, target)
    return figure.update_layout(
        hovermode="closest", showlegend=True, legend_y=-0.16, margin_t=24 if target is not None else 8
    )


def appearances(methods: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and symbol by method's title, in the order of a legend; a known method always has the same."""
    known = [title_of_method(name) for name in METHODS]
    order = [*known, *sorted(set(methods) - set(known))]
    # The student alone is grey: everything else is held against it.
    shades = [theme.PALETTE[-1], *(shade for shade in NO_TEACHER if shade != theme.PALETTE[-1])]
    looks = {known[0]: (shades[0], SYMBOLS[0])}
    for index, name in enumerate(order[1:]):
        looks[name] = (shades[1:][index % len(shades[1:])], SYMBOLS[index // len(shades[1:]) % len(SYMBOLS)])
    return {name: looks[name] for name in order if name in methods}


def _point(entry: Entry, role: Literal["teacher", "student"], x: Cost, name: str) -> Point | None:
    cost, summary = getattr(entry.size(role), x), entry.summary(role)
    if summary is None or cost is None or cost <= 0:
        return None
    method = title_of_method(entry.method) if role == "student" else None
    return Point(cost, summary.mean, summary.std, summary.n, name, method)


def _markers(of: Sequence[Point], name: str, shade: str, symbol: str, x: Cost) -> Any:
    spread = np.asarray([np.nan if point.std is None else point.std for point in of])
    seeds = [f"{point.n} seed{'s' if point.n > 1 else ''}" for point in of]
    said = [f" ± {100 * point.std:.1f}" if point.std is not None else "" for point in of]
    facts = [[as_text(point.name), *words] for point, *words in zip(of, seeds, said, strict=True)]
    return go.Scatter(
        x=np.asarray([point.cost for point in of]),
        y=np.asarray([point.score for point in of]),
        error_y={"array": spread, "thickness": 1.5, "width": 4} if np.isfinite(spread).any() else None,
        mode="markers",
        name=as_text(name),
        marker={
            "color": shade,
            "symbol": symbol,
            "size": 13,
            "line": {"width": 1, "color": "rgba(128, 128, 128, 0.9)"},
        },
        customdata=facts,
        hovertemplate=f"%{{customdata[0]}}<br>%{{y:.1%}}%{{customdata[2]}}, %{{customdata[1]}}<br>{COSTS[x][1]}"
        "<extra></extra>",
    )


def _steps(best: Sequence[Point], dearest: float) -> Any:
    """What can be had for a cost; the last step goes on to the dearest model."""
    costs, scores = [*(point.cost for point in best), dearest], [*(point.score for point in best), best[-1].score]
    line = {"shape": "hv", "color": FRONT, "width": 2, "dash": "dot"}
    return go.Scatter(
        x=np.asarray(costs), y=np.asarray(scores), mode="lines", name="Pareto front", line=line, hoverinfo="skip"
    )


def _cost_range(models: Sequence[Point], target: float | None) -> list[float]:
    """In powers of ten, with some room at both ends."""
    costs = [point.cost for point in models] + ([target] if target else [])
    low, high = math.log10(min(costs)), math.log10(max(costs))
    room = max(0.06 * (high - low), 0.1)
    return [low - room, high + room]


def _score_format(models: Sequence[Point]) -> str:
    scores = [point.score for point in models]
    return ".0%" if max(scores) - min(scores) > 0.05 else ".1%"


def _mark(figure: go.Figure, target: float) -> None:
    """A vertical line; on a logarithmic axis a shape stands at the value and a text at its logarithm."""
    line = {"color": theme.STUDENT, "width": 2, "dash": "dash"}
    figure.add_shape(type="line", x0=target, x1=target, yref="paper", y0=0, y1=1, line=line)
    figure.add_annotation(
        x=math.log10(target), y=1, yref="paper", yanchor="bottom", text="budget", showarrow=False, font={"size": 14}
    )
