"""Dynamic graph, for a run on point clouds: single shapes as teacher and student see them, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages import shown
from workbench.pages.frame import as_code, choose, explained, link, note, title
from workbench.pages.shown import Columns
from workbench.pages.side_key import SECONDS, stamp
from workbench.pages.wording import dig, percent, plain
from workbench.plots.cloud_arrays import WITHOUT, Clouds, check_same_shapes, has_clouds, read_clouds
from workbench.runs.folder import Run
from workbench.runs.measured import without_seed

NOBODY = "none"  # in the second slot
LAST = "last"  # layer of each model
ENTRIES = 8  # runs kept in memory, for all visitors together
ALONE = "Student without distillation"
METRICS = {"accuracy": "test accuracy", "mean_class_accuracy": "class mean"}


def show(run: Run, beside: Run | None) -> None:
    """Numbers and figures of a finished run, with the student of another one beside its own."""
    _numbers(run, beside)
    st.fragment(_shapes)(run.path, beside.path if beside else None)


def plain_runs(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Finished runs without distillation on the same shapes, other than ``run``."""
    return [other for other in runs if other.id != run.id and _is_plain(other) and _dataset(other) == _dataset(run)]


def _is_plain(run: Run) -> bool:
    try:
        without = run.document["method"] == [{"name": "none"}]
        return without and run.status.state == "done" and has_clouds(run)
    except (WorkbenchError, KeyError, TypeError):
        return False


def _dataset(run: Run) -> Any:
    """What says whether two runs have the same shapes: the dataset's settings, and the hash of what they gave."""
    return run.document["dataset"], dig(run.result, "dataset", "fingerprint")


def pick_plain(run: Run, runs: Sequence[Run]) -> Run | None:
    """The second slot. It begins with the run that differs from this one in the method only, where there is one."""
    if st.session_state.setdefault("plain-of", run.id) != run.id:
        st.session_state.pop("choice-plain", None)  # it was chosen for another run
        st.query_params.pop("plain", None)
        st.session_state["plain-of"] = run.id
    found = {other.id: other for other in plain_runs(run, runs)}
    if not found:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("A run on the same shapes with the method *none* would be shown beside this one.")
            link("distil", "Set one up", view="set-up", copy=run.id)
        return None
    twin = next((other.id for other in found.values() if _but_method(other) == _but_method(run)), NOBODY)
    names = {NOBODY: "– nobody –"} | {id: f"{title(other)} ({id[-12:]})" for id, other in found.items()}
    help = "A run on the same shapes with the method none, drawn beside teacher and student."
    chosen = choose(st.selectbox, ALONE, "plain", list(names), twin, format_func=names.__getitem__, help=help)
    return found.get(chosen)


def _but_method(run: Run) -> dict[str, Any]:
    seed = run.document.get("seed", 0)
    return {key: value for key, value in without_seed(run.document).items() if key != "method"} | {"seed": seed}


def _numbers(run: Run, beside: Run | None) -> None:
    """Accuracy on the test shapes; a gain only where the method is all that differs."""
    shown = [("Teacher", run, "teacher"), ("Student", run, "student")]
    shown += [("Student alone", beside, "student")] if beside else []
    scores = [dig(of.result, role, "metrics", "test") or {} for _, of, role in shown]
    cells = iter(st.columns(2 * len(shown)))
    fair = beside is not None and _but_method(beside) == _but_method(run)
    for (name, *_), score in zip(shown, scores, strict=True):
        for metric, what in METRICS.items():
            gain = _gain(score, scores[-1], metric) if fair and name == "Student" else None
            help = "The accuracies of the classes, averaged." if metric != "accuracy" else None
            next(cells).metric(f"{name}: {what}", percent(score.get(metric)), gain, help=help)


def _gain(score: dict[str, float | None], alone: dict[str, float | None], metric: str) -> str | None:
    found, other = score.get(metric), alone.get(metric)
    return None if found is None or other is None else f"{100 * (found - other):+.1f} by distilling"


def _shapes(path: Path, beside_path: Path | None) -> None:
    """Everything that changes with the shape, the layer and the point."""
    run, beside = Run(path), Run(beside_path) if beside_path else None
    with explained():
        if not all(has_clouds(of) for of in (run, beside) if of):
            st.rerun()  # a run has gone: the page says so
        clouds, other = _clouds(str(path), stamp(run)), None
        if beside:
            other = _clouds(str(beside.path), stamp(beside))
            check_same_shapes(run.id, clouds, beside.id, other)
        shape, layer, point = _choices(clouds)
        _verdict(clouds, other, shape)
        _figures(run.id, clouds, other, shape, layer, point)
        as_code(_python(run, beside, shape, layer, point), f"workbench show {run.id}")
        _table(run.id, clouds, other)


# A resource, not data: nobody writes to it, and a copy at every move of the slider would cost more than drawing.
@st.cache_resource(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _clouds(path: str, stamp: int) -> Clouds:
    return read_clouds(Run(Path(path)))


def _choices(clouds: Clouds) -> tuple[int, int | None, int]:
    """Shape, layer (None for the last of each) and point."""
    left, middle, right = st.columns([2, 3, 4])
    names = [f"{name} (no. {number})" for name, number in zip(clouds.true, clouds.shapes, strict=True)]
    layers = [LAST, *map(str, range(1, max(len(clouds.teacher), len(clouds.student)) + 1))]
    with left:
        help = "Shapes of the test set that the run has stored."
        how: dict[str, Any] = {"format_func": names.__getitem__, "help": help}
        shape = choose(st.selectbox, "Shape", "shape", list(range(len(clouds))), **how)
    with middle:
        layer = choose(
            st.segmented_control,
            "EdgeConv",
            "layer",
            layers,
            format_func=lambda name: "Last of each" if name == LAST else name,
            required=True,
            help="The layer whose features and neighbours are drawn.",
        )
    with right:
        points = list(range(clouds.points.shape[1]))
        help = "Distances are measured from here; a point's number appears when one points at it."
        point = choose(st.select_slider, "Point", "point", points, help=help)
    return shape, None if layer == LAST else int(layer), point


def _verdict(clouds: Clouds, other: Clouds | None, shape: int) -> None:
    said = {
        "the teacher": clouds.predicted(clouds.teacher)[shape],
        "the student": clouds.predicted(clouds.student)[shape],
    }
    said |= {"the student without distillation": other.predicted(other.student)[shape]} if other else {}
    answers = ", ".join(f"{who} says *{plain(what)}*" for who, what in said.items())
    st.markdown(f"A **{plain(clouds.true[shape])}** from the test set: {answers}.")


def _figures(run: str, clouds: Clouds, other: Clouds | None, shape: int, layer: int | None, point: int) -> None:
    from workbench.plots import cloud_views

    alt = "The shape in space, once per model, its points coloured by distance from the chosen one in the features."
    figure = cloud_views.draw_distances(clouds, shape, point, layer, other)
    shown.figure(figure, f"{run}-distances", f"distances-{run}", alt)
    note(
        "Orange points are near the chosen one (the diamond) in the features of this layer, blue ones far: a share of "
        "the largest distance of each panel. LSP teaches a student to keep near what its teacher keeps near. Drag to "
        "turn a panel."
    )
    alt = "The same shape with the nearest-neighbour graph of the layer, once per model; one point's links stand out."
    figure = cloud_views.draw_graphs(clouds, shape, layer, point)
    shown.figure(figure, f"{run}-graphs", f"graphs-{run}", alt)
    note(
        "The graph that the layer builds itself: of every point the *k* nearest ones, the point itself included, in "
        "what the layer reads – coordinates for EdgeConv 1, the features of the layer before for a later one. LSP "
        "compares the neighbours that a point has in either of both graphs of the last layer."
    )


def _python(run: Run, beside: Run | None, shape: int, layer: int | None, point: int) -> str:
    """Both figures as they stand on the screen."""
    chosen = f"shape={shape}, point={point}" + (f", layer={layer}" if layer else "")
    second = f", plain=wb.find_run({beside.id!r})" if beside else ""
    lines = ["import workbench as wb", "", f"run = wb.find_run({run.id!r})"]
    lines += [f"wb.plots.feature_distances(run, {chosen}{second})", f"wb.plots.cloud_graphs(run, {chosen})"]
    return "\n".join(lines)


def _table(run: str, clouds: Clouds, other: Clouds | None) -> None:
    st.subheader("Shape by shape")
    shown.table(columns_of(clouds, other), f"{run}-shapes", f"shapes-{run}", height="content")


def columns_of(clouds: Clouds, other: Clouds | None) -> Columns:
    """The stored shapes (M,) with their true class and what each model says."""
    columns: dict[str, Any] = {
        "shape": clouds.shapes,
        "class": np.asarray(clouds.true),
        "teacher says": np.asarray(clouds.predicted(clouds.teacher)),
        "student says": np.asarray(clouds.predicted(clouds.student)),
    }
    if other is not None:
        columns[f"student {WITHOUT} says"] = np.asarray(other.predicted(other.student))
    return columns
