"""The controls of the Embeddings page: what is drawn, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from workbench.pages.frame import choose
from workbench.runs.folder import Run

if TYPE_CHECKING:
    from workbench.plots.embedding_arrays import Projection, Which
    from workbench.plots.embedding_pair import Colour

COLOURS: dict[Colour, str] = {
    "class": "True class",
    "prediction": "Predicted class",
    "agreement": "Who is right",
    "split": "Split",
    "overlap": "Common neighbours",
    "degree": "Degree",
}
PROJECTIONS: dict[Projection, str] = {"pca": "PCA", "umap": "UMAP"}
NEIGHBOURS = {"skip": "Not compared", "compare": "Compared"}
AT_ONCE = 5_000  # nodes whose neighbours are found within a second; the time grows with their square


def embedding_controls(run: Run) -> tuple[Colour, Projection, int, Which]:
    """Colour, projection, dimensions, and which nodes of the run's graph; all of them are kept in the address."""
    colour_cell, projection_cell, dimension_cell, points_cell = st.columns([2, 1.6, 1.4, 3])
    with colour_cell:
        colour = choose(
            st.selectbox,
            "Colour",
            "colour",
            list(COLOURS),
            format_func=COLOURS.__getitem__,
            help="What the colour of a node stands for. Common neighbours: the share of a node's 10 nearest nodes that "
            "both sides have in common. Degree: its number of links, on a log scale.",
        )
    with projection_cell:
        projection = choose(
            st.segmented_control,
            "Projection",
            "projection",
            list(PROJECTIONS),
            format_func=PROJECTIONS.__getitem__,
            required=True,
            help="PCA shows the directions of largest variance, at once. UMAP shows who is near whom; a worker "
            "computes it once per run.",
        )
    with dimension_cell:
        dimensions = _dimensions(flat=projection == "umap")
    with points_cell:
        points = _points(run)
    return colour, projection, dimensions, points


def compare_neighbours(shown_nodes: int, few: bool) -> bool:
    """Whether to compare the neighbourhoods of the nodes that are drawn: always, on request, or never where there are
    not ``few``."""
    if not few or shown_nodes <= AT_ONCE:
        return few
    chosen = choose(
        st.segmented_control,
        "Neighbours",
        "neighbours",
        list(NEIGHBOURS),
        format_func=NEIGHBOURS.__getitem__,
        required=True,
        help=f"Which of a node's 10 nearest both sides have in common. Of {shown_nodes:,} nodes that takes seconds.",
    )
    return chosen == "compare"


def _dimensions(flat: bool) -> int:
    help = "Nodes can be selected in 2-D. A UMAP is stored in 2-D only."
    if flat:
        st.segmented_control("Dimensions", [2], default=2, disabled=True, key="flat", help=help)
        return 2
    return choose(st.segmented_control, "Dimensions", "dimensions", [2, 3], required=True, help=help)


def _points(run: Run) -> Which:
    """The sample, and no control, for a graph that can be drawn at once."""
    from workbench.pages.arrays import node_count
    from workbench.plots.embedding_arrays import SAMPLE

    count = node_count(run)
    if count <= SAMPLE:
        return "sample"
    names: dict[Which, str] = {"sample": f"Sample of {SAMPLE:,}", "all": f"All {count:,}"}
    return choose(
        st.segmented_control,
        "Nodes",
        "points",
        list(names),
        format_func=names.__getitem__,
        required=True,
        help="The sample takes every class in proportion, always the same nodes. All nodes take longer to draw, and "
        "none can be selected among them.",
    )
