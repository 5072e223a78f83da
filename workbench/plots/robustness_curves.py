"""How accuracy falls when edges go, edges come, or features are noisy: teacher, student alone and distilled student."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.plots import theme
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.robustness_curves import Curve, curves, measured_entries
from workbench.runs.robustness_plan import KINDS, Kind

MOST = 8  # distilled students; more could not be told apart
ALONE = "#999999"
STUDENTS = (theme.STUDENT, *(shade for shade in theme.PALETTE if shade not in (theme.STUDENT, theme.TEACHER, ALONE)))
DASHES = {"teacher": "dash", "alone": "dot", "student": "solid"}
BAND = 0.14  # opacity
HEIGHT = 480
UNIT = {"remove_edges": ".0%", "add_edges": ".0%", "noisy_features": "~g"}  # how a level is written


def robustness(runs: Run | Sequence[Run], kind: Kind = "remove_edges") -> go.Figure:
    """Test accuracy of ``runs`` (all on one dataset) against the level of a disturbance, seeds of one spec together.

    ``kind`` is remove_edges, add_edges or noisy_features. Lines are means and bands one sample standard deviation: over
    training seeds, or, of a single one, over the seeds of the disturbance. It shows what ``workbench robustness`` (or
    :func:`workbench.runs.robustness.measure_robustness`) has stored; nothing is computed. Raises UsageError for an
    unknown kind, runs on several datasets, none that was measured, and runs that were measured differently.
    """
    measured = measured_entries([runs] if isinstance(runs, Run) else runs)
    return draw(curves(measured, kind), kind, measured.entries[0].dataset)


def draw(of: Sequence[Curve], kind: Kind, dataset: str = "") -> go.Figure:
    """One line per curve, of the distilled students at most :data:`MOST`; bands lie below all lines."""
    shown = [*(c for c in of if c.role != "student"), *[c for c in of if c.role == "student"][:MOST]]
    looks = _looks(shown)
    figure = go.Figure()
    for index, curve in enumerate(shown):
        if curve.std is not None:
            figure.add_trace(_band(curve, looks[index][0], str(index)))
    for index, curve in enumerate(shown):
        figure.add_trace(_line(curve, *looks[index], kind, str(index)))
    figure.update_xaxes(title=KINDS[kind], tickformat=UNIT[kind])
    figure.update_yaxes(title="test accuracy", tickformat=".0%")
    theme.finish(figure, HEIGHT)
    name = f"Robustness on {as_text(dataset)}" if dataset else "Robustness"
    title = {"text": name, "x": 0, "xanchor": "left", "font": {"size": theme.FONT + 2}}
    return figure.update_layout(title=title, margin_t=44, legend_y=-0.2, showlegend=True, hovermode="closest")


def _looks(of: Sequence[Curve]) -> list[tuple[str, str]]:
    """Colour and marker of every curve."""
    looks, students, others = [], 0, 0
    for curve in of:
        if curve.role == "student":
            looks.append((STUDENTS[students % len(STUDENTS)], theme.SYMBOLS[students % len(theme.SYMBOLS)]))
            students += 1
        else:
            symbol = ("square-open", "circle-open", "diamond-open", "cross-open")[others % 4]
            looks.append((theme.TEACHER if curve.role == "teacher" else ALONE, symbol))
            others += 1
    return looks


def _band(curve: Curve, shade: str, group: str) -> go.Scatter:
    """From one standard deviation below the mean to one above, within 0..1."""
    assert curve.std is not None
    low, high = np.clip(curve.mean - curve.std, 0, 1), np.clip(curve.mean + curve.std, 0, 1)
    return go.Scatter(
        x=np.concatenate([curve.levels, curve.levels[::-1]]),
        y=np.concatenate([low, high[::-1]]),
        fill="toself",
        fillcolor=_faint(shade),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=group,
    )


def _line(curve: Curve, shade: str, symbol: str, kind: Kind, group: str) -> go.Scatter:
    spread = np.full(len(curve.levels), "") if curve.std is None else [f" ± {100 * of:.1f}" for of in curve.std]
    said = [f"{100 * mean:.1f}{std} %" for mean, std in zip(curve.mean, spread, strict=True)]
    return go.Scatter(
        x=curve.levels,
        y=curve.mean,
        mode="lines+markers",
        name=as_text(curve.name),
        line={"color": shade, "dash": DASHES[curve.role], "width": 2.5},
        marker={"color": shade, "symbol": symbol, "size": 9},
        legendgroup=group,
        customdata=said,
        hovertemplate=f"{as_text(curve.name)}<br>at %{{x:{UNIT[kind]}}}: %{{customdata}} ({curve.over})<extra></extra>",
    )


def _faint(shade: str) -> str:
    """``#0072B2`` as an ``rgba``."""
    red, green, blue = (int(shade[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {BAND})"
