"""Embeddings: teacher and student side by side in one frame, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages.frame import (
    all_runs,
    as_code,
    choose,
    explained,
    is_example,
    link,
    nothing_here,
    pick_run,
    state_badge,
    title,
)
from workbench.pages.snippets import view_as_python
from workbench.pages.tasks import look, page_of
from workbench.pages.wording import NONE, percent, plain, story
from workbench.runs.folder import Run

if TYPE_CHECKING:
    from workbench.plots.embedding_pair import Colour, Projection

COLOURS = {
    "class": "True class",
    "prediction": "Predicted class",
    "agreement": "Who is right",
    "split": "Split",
    "overlap": "Common neighbours",
}
PROJECTIONS = {"pca": "PCA", "umap": "UMAP"}
BEST = 0  # stands for the best epoch on the film
SELECTABLE = 20_000  # points; a selection among more makes every redraw slow
OVERLAP_AT_ONCE = 10_000  # nodes; the cost grows with the square


def show() -> None:
    st.title("Embeddings")
    found = all_runs()
    runs = {id: run for id, run in found.items() if page_of(run) == "embeddings"}
    _shown_elsewhere([run for id, run in found.items() if id not in runs])
    if not runs:
        nothing_here("There is no run to look at yet: distil a first one.", "distil", "Set up a run")
        return
    # Finished runs first: that is what this page is for. But one's own come before any example.
    runs = dict(sorted(runs.items(), key=lambda item: (is_example(item[1]), item[1].status.state != "done")))
    left, colour_cell, projection_cell, dimension_cell = st.columns([5, 2, 1.6, 1.2])
    with left:
        run = pick_run(runs)
    with colour_cell:
        colour = choose(st.selectbox, "Colour", "colour", list(COLOURS), format_func=COLOURS.__getitem__)
    with projection_cell:
        projection = choose(
            st.segmented_control, "Projection", "projection", list(PROJECTIONS), format_func=PROJECTIONS.__getitem__
        )
    with dimension_cell:
        flat = projection == "umap"
        dimensions = 2 if flat else choose(st.segmented_control, "Dimensions", "dimensions", [2, 3])
        if flat:
            st.segmented_control("Dimensions", [2], default=2, disabled=True, key="flat")
    with explained():
        if run.status.state != "done" or run.result is None:
            _unfinished(run)
            return
        st.markdown(story(run.result))
        if projection == "umap" and "umap" not in run.array_names():
            _ask_for_umap(run)
            return
        _look(run, cast("Colour", colour), cast("Projection", projection), dimensions)


def _shown_elsewhere(others: Sequence[Run]) -> None:
    """Say where the run that the address names can be seen, or, where there is no other one to show, the latest."""
    wanted = st.query_params.get("run")
    run = next((run for run in others if run.id == wanted), None)
    if run is None:
        return
    with st.container(border=True):
        st.markdown(f"**{plain(title(run))}** is no run on the nodes of one graph, which this page compares.")
        look(run)
    st.query_params.pop("run")  # another run is shown below


def _unfinished(run: Run) -> None:
    status = run.status
    state_badge(status.state)
    st.markdown(f"This run has no embeddings to show. {plain(status.message)}")
    link("distil", "Watch or resume it", view="watch", run=run.id)


def _ask_for_umap(run: Run) -> None:
    from workbench.runs.launch import start_worker

    st.info("This run has no UMAP. PCA shows the same nodes at once; a UMAP takes seconds to minutes, once.")
    asked = st.session_state.setdefault("umap-asked", set())
    if is_example(run):
        st.markdown("It is an example that comes with the workbench: distil it yourself with *UMAP* ticked to get one.")
        link("distil", "Change it", copy=run.id)
    elif run.id in asked:
        st.fragment(_wait_for_umap, run_every=1.0)(run.path)
    elif st.button("Compute the UMAP now", type="primary"):
        start_worker(run, "umap")
        asked.add(run.id)
        st.rerun()


def _wait_for_umap(path: Path) -> None:
    run = Run(path)
    if "umap" in run.array_names():
        st.session_state["umap-asked"].discard(run.id)
        st.rerun()
    st.markdown(":material/hourglass_top: The UMAP is being computed; it appears here when it is ready.")
    last = run.log().strip().splitlines()[-1:]
    st.caption(plain(last[0]) if last else "")


def _look(run: Run, colour: Colour, projection: Projection, dimensions: int) -> None:
    """The figure with its film and selection, and the numbers below it."""
    from workbench.pages import arrays
    from workbench.pages.node_table import columns_of, download_nodes, selected_nodes
    from workbench.plots.embedding_pair import draw, kept_epochs

    figure_place = st.container()
    epoch = _film(run, kept_epochs(run)) if projection == "pca" else None
    nodes, teacher, student, disparity = arrays.picture(run, projection, dimensions, epoch)
    overlap = None
    if len(nodes.y) <= OVERLAP_AT_ONCE or st.toggle(f"Compare the neighbours of all {len(nodes.y):,} nodes (slow)"):
        overlap = arrays.overlap(run, epoch)
    if colour == "overlap" and overlap is None:
        st.info("Common neighbours are not computed at once for so many nodes: switch the comparison on above.")
        colour = "class"
    columns = columns_of(nodes, overlap)
    with figure_place:
        chosen = [node for node in st.session_state.get(f"selected-{run.id}", []) if node < len(nodes.y)]
        figure = draw(teacher, student, nodes, colour, np.asarray(chosen, dtype=np.int64), overlap)
        if _draw(run, figure, selectable=dimensions == 2 and len(nodes.y) <= SELECTABLE):
            selected_nodes(f"selected-{run.id}", chosen, columns)
    _numbers(arrays.cka(run, epoch), overlap, disparity, f"{PROJECTIONS[projection]} picture in {dimensions}-D")
    choices: dict[str, Any] = {"colour": colour, "projection": projection, "dimensions": dimensions, "epoch": epoch}
    sides = (("teacher", teacher), ("student", student))
    places = {f"{side} {axis}": at for side, points in sides for axis, at in zip("xyz", points.T, strict=False)}
    download_nodes(run.id, columns, places)
    as_code(view_as_python(run.id, "embeddings", **choices), f"workbench show {run.id}")


def _film(run: Run, kept: Sequence[int]) -> int | None:
    """The kept epoch to show, or None for the best one."""
    if not kept:
        return None
    stops = [*kept, BEST]
    names = {stop: str(stop) for stop in kept} | {BEST: "best"}
    label = "Film: the student after epoch"
    shown = st.select_slider(label, stops, value=BEST, format_func=names.__getitem__, key=f"film-{run.id}")
    return None if shown == BEST else int(shown)


def _draw(run: Run, figure: Any, selectable: bool) -> bool:
    """Draw the figure; whether nodes can be selected in it."""
    from workbench.pages.node_table import node_of

    key = f"figure-{run.id}"

    def remember() -> None:
        # A redrawn figure has forgotten its selection, so it is kept beside it.
        points = st.session_state[key].selection.points
        st.session_state[f"selected-{run.id}"] = sorted({node_of(point) for point in points})

    alt = "Two scatter plots of the same nodes: the teacher's embedding on the left, the student's on the right."
    if selectable:
        st.plotly_chart(figure, key=key, on_select=remember, selection_mode=("points", "box", "lasso"), alt=alt)
    else:
        st.plotly_chart(figure, alt=alt)
    return selectable


def _numbers(cka: float, overlap: NDArray[np.float32] | None, disparity: float, picture: str) -> None:
    st.subheader("How alike are they?")
    whole, near, drawn = st.columns(3)
    with whole:
        st.metric("Linear CKA", f"{cka:.2f}")
        st.caption("The geometry of all nodes. 1: equal up to rotation and scale; 0: nothing in common.")
    with near:
        st.metric("Common neighbours", NONE if overlap is None else percent(float(overlap.mean())))
        st.caption("Of a node's 10 nearest nodes in the teacher, the share that is among the student's 10 as well.")
    with drawn:
        st.metric("Procrustes disparity", f"{disparity:.2f}")
        st.caption(f"Of this {picture}: what the best fit leaves over. 0: the same picture; 1: unrelated.")
