"""Knowledge gap: which nodes one model has right and the other has not, where they lie, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages import shown
from workbench.pages.frame import as_code, choose, explained, note
from workbench.pages.player import film
from workbench.pages.side_key import Place, place_of, side_of
from workbench.pages.slots import epoch_film, two_slots
from workbench.pages.wording import percent, plain
from workbench.runs.side import Side

if TYPE_CHECKING:
    from workbench.pages.gap_nodes import Chosen
    from workbench.plots.gap_arrays import Gap, Graph
    from workbench.plots.gap_confusion import Unit
    from workbench.plots.gap_map import Projection

SPLITS = {"test": "Test", "validation": "Validation", "train": "Training", "all": "All nodes"}
PROPERTIES = {
    "degree": "Degree",
    "homophily": "Homophily",
    "distance": "Distance to training",
    "class": "True class",
    "split": "Split",
}
PROJECTIONS = {"pca": "PCA", "umap": "UMAP"}
UNITS = {"nodes": "Nodes", "share": "Share of class"}
HELP = (
    "Nodes that both models have right.",
    "What the right model has lost: the left one has these nodes right, the right one has not.",
    "What the right model has won: it has these nodes right, the left one has not.",
    "Nodes that both models have wrong.",
)


def show() -> None:
    st.title("Knowledge gap")
    pair = two_slots("predictions")
    if pair is None:
        return
    from workbench.pages import gap_arrays

    left, right = pair
    with explained():
        choices = _controls(left, gap_arrays.graph(left.run))
        film(_at_epoch)(place_of(left), place_of(right), *choices)


def _controls(left: Side, graph: Graph) -> tuple[str, str, str, str]:
    """Split, property, projection and unit."""
    from workbench.plots.gap_arrays import known_properties

    cells = st.columns([3, 2.4, 1.8, 2.4])
    with cells[0]:
        help = "Whose nodes are looked at. Only the test nodes were used for nothing before."
        split = choose(
            st.segmented_control, "Nodes", "split", list(SPLITS), format_func=SPLITS.get, required=True, help=help
        )
    with cells[1]:
        help = "What the nodes of one bar have in common."
        by = choose(
            st.selectbox, "Bars by", "by", known_properties(graph), format_func=PROPERTIES.__getitem__, help=help
        )
    stored = left.epoch is None and "umap" in left.run.array_names()
    with cells[2]:
        help = "How the left model's embedding becomes a map. UMAP is there where the run has stored one."
        known = [name for name in PROJECTIONS if stored or name != "umap"]
        projection = choose(
            st.segmented_control, "Map", "projection", known, format_func=PROJECTIONS.get, required=True, help=help
        )
    with cells[3]:
        help = "What a square of the confusion difference counts: nodes, or their share of all nodes of the class."
        unit = choose(
            st.segmented_control, "Confusion in", "unit", list(UNITS), format_func=UNITS.get, required=True, help=help
        )
    if graph.homophily is None:
        st.caption(
            "This run has not stored its edges (it is of an older version, or has more than 2 million): there is no "
            "homophily and no distance to a training node."
        )
    return split, by, projection, unit


def _at_epoch(
    at_left: Place,
    at_right: Place,
    split: str,
    by: str,
    projection: Projection,
    unit: Unit,
) -> None:
    """Everything that changes with the epoch of the right model."""
    from workbench.pages import gap_arrays
    from workbench.pages.gap_code import gap_as_python
    from workbench.pages.gap_nodes import clicked_bar, clicked_cell, pick, show_nodes
    from workbench.plots import gap_bars, gap_confusion, gap_map
    from workbench.plots.gap_arrays import BY, KINDS, bins_by, in_split, sliced

    left = side_of(at_left)
    with explained():
        right = epoch_film(side_of(at_right))
        gap = gap_arrays.gap(left, right)
        own, found = in_split(gap, split), sliced(gap, by, split)
        confusions = gap_confusion.both_confusions(gap, split)
        _numbers(gap, own)
        map_cell, bar_cell = st.columns([5, 6], gap="medium")
        confusion_cell, nodes_cell = st.columns([5, 6], gap="medium")
        with nodes_cell:
            st.subheader("The nodes behind it")
            chosen = pick(gap, found, confusions[1] - confusions[0])
            nodes = chosen.nodes(gap, split, by)
            show_nodes(gap, nodes, left, right, f"gap-nodes-{split}-{by}-{chosen.key}-{right.epoch}")
        with map_cell:
            ringed = None if chosen.everything else nodes[: gap_map.RINGED]
            points = gap_arrays.places(left, projection)
            drawn = gap_map.draw(points, gap, own, ringed, projection)
            _map(drawn, gap, own, chosen, len(nodes), f"{right.run.id}-gap-map")
        with bar_cell:
            bin = None if chosen.bin is None else bins_by(gap, by).labels.index(chosen.bin)
            case = None if chosen.case is None else KINDS.index(chosen.case)
            drawn = gap_bars.draw(found, gap.titles, BY[by], (bin, case))
            alt = f"Stacked bars: shares of the four cases by {BY[by]}, and the accuracy of both models beside them."
            caption = (
                "In brackets: how many nodes. The line through an accuracy is its 95 % interval (Wilson): long where a "
                "bin holds few nodes. Click a part of a bar to list its nodes."
            )
            key = f"gap-bars-{split}-{by}-{chosen.key}"
            _clickable(drawn, f"{right.run.id}-gap-{by}", key, alt, caption, lambda point: clicked_bar(point, found))
        with confusion_cell:
            drawn = gap_confusion.draw(*confusions, gap.titles, unit, chosen.cell)
            alt = "Squares, true class by predicted class: how much more often the right model makes this prediction."
            caption = (
                f"Orange: {plain(gap.titles[1])} makes this prediction more often, blue: {plain(gap.titles[0])} does. "
                "On the diagonal more is better, off it worse. Click a square to list the nodes that make it up."
            )
            _clickable(
                drawn, f"{right.run.id}-confusion", f"gap-cells-{split}-{chosen.key}", alt, caption, clicked_cell
            )
        as_code(gap_as_python(left, right, split, by, projection, unit, chosen), f"workbench show {right.run.id}")


def _numbers(gap: Gap, own: NDArray[np.bool_]) -> None:
    """The four cases among the nodes ``own`` (N,) bool."""
    total, counts = int(own.sum()), np.bincount(gap.cases[own], minlength=4).tolist()
    for cell, name, count, help in zip(st.columns(4), gap.names, counts, HELP, strict=True):
        label = plain(name[:1].upper() + name[1:])
        of = f"{count:,} of {total:,} nodes"
        cell.metric(label, percent(count / total), of, delta_color="off", delta_arrow="off", help=help)


def _map(drawn: Any, gap: Gap, own: NDArray[np.bool_], chosen: Chosen, count: int, name: str) -> None:
    from workbench.plots.gap_map import MOST, RINGED

    shown.figure(drawn, name, "gap-map", "A scatter plot of the nodes; colour and marker say which model is right.")
    if own.sum() > MOST:
        st.caption(f"A sample of {MOST:,} of {int(own.sum()):,} nodes is drawn, every case in proportion.")
    rings = "" if chosen.everything else " Rings mark the nodes that are listed below."
    rings += f" They are {RINGED:,} of {count:,}, those with the largest KL." if rings and count > RINGED else ""
    note(f"Near each other: alike for {plain(gap.titles[0])}. The places stay the same over the epochs.{rings}")


def _clickable(
    drawn: Any, name: str, key: str, alt: str, caption: str, chosen_by: Callable[[Any], dict[str, Any]]
) -> None:
    """A figure whose clicked point moves the controls; ``key`` names what is chosen: the next click is a new one."""

    def move() -> None:
        for point in st.session_state[key].selection.points[:1]:
            st.session_state.update(cast("Any", chosen_by(point)))

    shown.figure(drawn, name, key, alt, caption, on_select=move, selection_mode="points")
