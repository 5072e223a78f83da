"""Teacher and student embedding side by side, the student turned into the teacher's frame and given its spread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.agreement import CASES, agreement
from workbench.analysis.projection import pca, procrustes
from workbench.analysis.similarity import neighbour_overlap
from workbench.errors import RunError, UsageError, did_you_mean
from workbench.plots import theme
from workbench.plots.scenes import same_cube
from workbench.runs.folder import Run

Colour = Literal["class", "prediction", "agreement", "split", "overlap"]
Projection = Literal["pca", "umap"]
SPLITS = ("no split", "train", "validation", "test")
PANELS = ("Teacher", "Student")
HEIGHT = 560


@dataclass(frozen=True)
class Nodes:
    """What a run knows about its N nodes, as arrays.

    ``teacher`` (N, d_t) and ``student`` (N, d_s) are the embeddings; ``y``, ``teacher_class`` and ``student_class``
    (N,) true and predicted classes; ``split`` (N,) positions in :data:`SPLITS`; ``degree`` (N,).
    """

    teacher: NDArray[np.floating]
    student: NDArray[np.floating]
    y: NDArray[np.integer]
    teacher_class: NDArray[np.integer]
    student_class: NDArray[np.integer]
    split: NDArray[np.integer]
    degree: NDArray[np.integer]


def embeddings(
    run: Run,
    colour: Colour = "class",
    projection: Projection = "pca",
    dimensions: Literal[2, 3] = 2,
    epoch: int | None = None,
) -> go.Figure:
    """Both embeddings of the nodes of a run in one frame.

    ``colour`` is the true class, the class that each model predicts, who of them is right, the split, or the
    share of common nearest neighbours. ``epoch`` shows the student as it was in one of :func:`kept_epochs`.
    Raises UsageError for a wrong choice and RunError where the run has no such arrays (yet).
    """
    check_choice("colour", colour, get_args(Colour))
    check_choice("projection", projection, get_args(Projection))
    nodes = read_nodes(run, epoch)
    teacher, student, _ = frame(run, nodes, projection, dimensions, epoch)
    return draw(teacher, student, nodes, colour)


def check_choice(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"unknown {what} {value!r}: {did_you_mean(str(value), known)}choose one of {', '.join(known)}")


def kept_epochs(run: Run) -> list[int]:
    """Epochs whose picture of the student is stored, in order."""
    found = (re.fullmatch(r"epoch-(\d+)", name) for name in run.array_names())
    return sorted(int(match[1]) for match in found if match)


def read_nodes(run: Run, epoch: int | None = None) -> Nodes:
    """The arrays of a run, of its best epoch or of a kept one; RunError where they are missing or do not fit."""
    graph, teacher = run.arrays("graph"), run.arrays("teacher")
    student = run.arrays("student" if epoch is None else f"epoch-{epoch:05d}")
    try:
        nodes = Nodes(
            teacher=teacher["embedding"],
            student=student["embedding"],
            y=graph["y"],
            teacher_class=teacher["logits"].argmax(axis=1),
            student_class=student["logits"].argmax(axis=1),
            split=graph["split"],
            degree=graph["degree"],
        )
    except KeyError as error:
        raise RunError(f"the arrays of run {run.id} hold no {error.args[0]!r}: run the spec again") from None
    if len({len(array) for array in vars(nodes).values()}) != 1:
        raise RunError(f"the arrays of run {run.id} are not of the same nodes: run the spec again")
    return nodes


def frame(
    run: Run, nodes: Nodes, projection: Projection = "pca", dimensions: int = 2, epoch: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Points of teacher and student (N, dimensions) in the teacher's frame, and their Procrustes disparity.

    The best fit shrinks a student the more, the less it fits. For the eye the student gets the spread of the
    teacher instead; how badly it fits is what the disparity says.
    """
    if dimensions not in (2, 3):
        raise UsageError(f"a picture has 2 or 3 dimensions, not {dimensions!r}")
    if projection == "umap":
        if epoch is not None or dimensions != 2:
            raise UsageError("the stored UMAP is of the best epoch, in two dimensions: choose pca for the film and 3-D")
        stored = run.arrays("umap")
        teacher, student = stored["teacher"], stored["student"]
    else:
        teacher, student = pca(nodes.teacher, dimensions), pca(nodes.student, dimensions)
    aligned, disparity = procrustes(teacher, student)
    if disparity < 1:
        centre = aligned.mean(axis=0)
        aligned = centre + (aligned - centre) / np.sqrt(1 - disparity)
    return teacher.astype(np.float32), aligned.astype(np.float32), disparity


def draw(
    teacher: NDArray[np.float32],
    student: NDArray[np.float32],
    nodes: Nodes,
    colour: Colour = "class",
    highlight: NDArray[np.integer] | None = None,
    overlap: NDArray[np.floating] | None = None,
) -> go.Figure:
    """Two panels of points. Shapes: teacher and student (N, 2) or (N, 3); ``highlight`` (m,) nodes to ring.

    ``overlap`` (N,) spares the computation where the caller knows the share of common neighbours already.
    """
    if colour == "overlap" and overlap is None:
        overlap = neighbour_overlap(nodes.teacher, nodes.student)
    flat = teacher.shape[1] == 2
    kind = "xy" if flat else "scene"
    figure = make_subplots(1, 2, specs=[[{"type": kind}] * 2], subplot_titles=PANELS, horizontal_spacing=0.04)
    facts = np.stack([np.arange(len(nodes.y)), nodes.y, nodes.teacher_class, nodes.student_class], axis=1)
    facts = facts.astype(np.int32)  # (N, 4), shown on hover and handed back by a selection
    for column, points in enumerate((teacher, student), start=1):
        if colour == "overlap":
            traces = [_shaded(points, facts, overlap, column)]
        else:
            traces = _grouped(points, facts, nodes, colour, column)
        for trace in traces:
            figure.add_trace(trace, row=1, col=column)
        if highlight is not None and len(highlight):
            figure.add_trace(_rings(points, facts, highlight), row=1, col=column)
    theme.finish(figure, HEIGHT)
    if flat:
        _link_axes(figure, np.concatenate([teacher, student]))
    else:
        same_cube(figure, np.concatenate([teacher, student]))
    return figure.update_layout(dragmode="pan" if flat else "orbit", hovermode="closest")


def _shaded(points: NDArray[np.float32], facts: NDArray[np.int32], values: Any, column: int) -> Any:
    """All points in one trace, shaded by a share (N,) in 0..1, with one colour bar for both panels."""
    bar = {"title": {"text": "common<br>neighbours"}, "tickformat": ".0%", "thickness": 14}
    marker = {"color": values, "cmin": 0, "cmax": 1, "colorscale": theme.SHARE}
    return _scatter(points, facts, {**marker, "showscale": column == 2, "colorbar": bar}, showlegend=False)


def _grouped(
    points: NDArray[np.float32], facts: NDArray[np.int32], nodes: Nodes, colour: Colour, column: int
) -> list[Any]:
    """One trace per category."""
    categories, names, looks = _categories(nodes, colour, column)
    traces = []
    for category in np.unique(categories):
        shade, symbol = looks[category]
        own = categories == category
        marker = {"color": shade, "symbol": symbol if points.shape[1] == 2 else "circle"}
        trace = _scatter(points[own], facts[own], marker, len(points), name=names[category], showlegend=column == 1)
        traces.append(trace.update(legendgroup=names[category]))
    return traces


def _categories(
    nodes: Nodes, colour: Colour, column: int
) -> tuple[NDArray[np.integer], tuple[str, ...] | list[str], list[tuple[str, str]]]:
    """Category (N,) of every node, and name and look of every category."""
    if colour == "agreement":
        cases = agreement(nodes.teacher_class, nodes.student_class, nodes.y)
        return cases, CASES, [(shade, "circle") for shade in theme.CASE_COLOURS]
    if colour == "split":
        return nodes.split, SPLITS, [theme.appearance(index) for index in (7, 0, 1, 2)]
    predicted = (nodes.teacher_class, nodes.student_class)
    categories = nodes.y if colour == "class" else predicted[column - 1]
    count = 1 + int(max(nodes.y.max(), *(classes.max() for classes in predicted)))
    return categories, [f"class {c}" for c in range(count)], [theme.appearance(c) for c in range(count)]


def _scatter(
    points: NDArray[np.float32], facts: NDArray[np.int32], marker: dict[str, Any], total: int | None = None, **more: Any
) -> Any:
    """Points as a trace; ``total`` nodes in the panel decide how large a point is."""
    size = float(np.clip(280 / np.sqrt(total or len(points)), 3, 12))
    lines = ["node %{customdata[0]}", "class %{customdata[1]}", "teacher says %{customdata[2]}"]
    hover = "<br>".join([*lines, "student says %{customdata[3]}"]) + "<extra></extra>"
    scatter = go.Scattergl if points.shape[1] == 2 else go.Scatter3d
    axes = dict(zip("xyz", points.T, strict=False))
    marker = {"size": size if points.shape[1] == 2 else size / 2, "opacity": 0.85, **marker}
    return scatter(**axes, mode="markers", marker=marker, customdata=facts, hovertemplate=hover, **more)


def _rings(points: NDArray[np.float32], facts: NDArray[np.int32], highlight: NDArray[np.integer]) -> Any:
    ring = {"color": theme.STUDENT, "symbol": "circle-open", "size": 18, "opacity": 1.0, "line": {"width": 3}}
    return _scatter(points[highlight], facts[highlight], ring, name="selected", showlegend=False)


def _link_axes(figure: go.Figure, points: NDArray[np.float32]) -> None:
    """One scale for both panels and both directions: moving one moves the other."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.06 * float((high - low).max() or 1.0)
    # The axes of a projection mean nothing but distance: a frame says more than ticks and grid lines.
    frame = {"showticklabels": False, "showgrid": False, "showline": True, "mirror": True, "linecolor": theme.GRID}
    figure.update_xaxes(range=[float(low[0]) - room, float(high[0]) + room], **frame)
    figure.update_yaxes(range=[float(low[1]) - room, float(high[1]) + room], **frame)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, row=1, col=1)
    figure.update_layout(xaxis2={"matches": "x"}, yaxis2={"matches": "y"})
