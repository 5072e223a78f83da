"""Embeddings: two models side by side in one frame, node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from workbench.pages import player, shown
from workbench.pages.embedding_controls import PROJECTIONS, compare_neighbours, embedding_controls
from workbench.pages.frame import as_code, explained
from workbench.pages.side_key import Place, place_of, side_of
from workbench.pages.slots import epoch_film, two_slots
from workbench.pages.wording import story
from workbench.runs.side import Side, titles

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.plots.embedding_arrays import Projection, Which
    from workbench.plots.embedding_pair import Colour


def show() -> None:
    st.title("Embeddings")
    with explained():
        slots = two_slots("embeddings")
        if slots is None:
            return
        left, right = slots
        _stories(left, right)
        colour, projection, dimensions, points = embedding_controls(left.run)
        if projection == "umap":
            from workbench.pages.umap_request import ask_for_umap

            ask_for_umap(left, right)
        player.film(_at_epoch)(place_of(left), place_of(right), colour, projection, dimensions, points)


def _stories(left: Side, right: Side) -> None:
    """What each run achieved."""
    if left.run.path == right.run.path:
        st.markdown(story(left.run.result or {}))
    else:
        told = (f"{name}: {story(side.run.result or {})}" for name, side in (("Left", left), ("Right", right)))
        st.markdown("  \n".join(told))


def _at_epoch(
    at_left: Place, at_right: Place, colour: Colour, projection: Projection, dimensions: int, points: Which
) -> None:
    """Everything that changes with the epoch on the right: the figure, the numbers, and how to get them in Python."""
    from workbench.pages import arrays
    from workbench.pages.likeness_numbers import likeness_numbers
    from workbench.pages.node_table import columns_of, download_nodes, selected, selected_nodes
    from workbench.pages.pair_snippet import pair_as_command, pair_as_python
    from workbench.pages.umap_request import available
    from workbench.plots.embedding_arrays import SAMPLE
    from workbench.plots.embedding_pair import AXES, draw, who
    from workbench.plots.markup import as_text

    left, right = side_of(at_left), side_of(at_right)
    with explained():
        right = epoch_film(right)
        projection = available(projection, left, right)
        nodes, first, second, disparity = arrays.picture(left, right, points, projection, dimensions)
        shown_nodes, all_nodes = len(nodes.number), arrays.node_count(left.run)
        few, names = shown_nodes <= SAMPLE, who(left, right)
        colour = _said(colour, shown_nodes, all_nodes, few)
        figure = draw(
            first,
            second,
            nodes,
            colour,
            highlight=selected(left.run) if few else (),
            overlap=arrays.overlap(left, right, points) if colour == "overlap" else None,
            panels=[as_text(title) for title in titles(left, right)],
            who=names,
            axis=AXES[projection],
        )
        _draw(figure, left, right, selectable=few and dimensions == 2)
        # The figure stands already while this is computed.
        compared = colour == "overlap" or compare_neighbours(shown_nodes, few)
        overlap = arrays.overlap(left, right, points) if compared else None
        columns = columns_of(nodes, names, overlap)
        if few and (dimensions == 2 or selected(left.run)):
            selected_nodes(left.run, columns)
        picture = f"{PROJECTIONS[projection]} in {dimensions}-D"
        likeness_numbers(arrays.likeness(left, right, points), overlap, disparity, names, picture)
        sides = zip(names, (first, second), strict=True)
        places = {f"{name} {axis}": at for name, ats in sides for axis, at in zip("xyz", ats.T, strict=False)}
        download_nodes(left.run.id, columns, places, shown_nodes == all_nodes)
        choices: dict[str, Any] = {"colour": colour, "projection": projection, "dimensions": dimensions}
        if points == "all":
            choices["points"] = points
        if few and selected(left.run):
            choices["highlight"] = selected(left.run)
        as_code(pair_as_python(left, right, "embeddings", **choices), pair_as_command(left, right))


def _said(colour: Colour, shown_nodes: int, all_nodes: int, few: bool) -> Colour:
    """Say which nodes are drawn; the colour that can be drawn of them."""
    if shown_nodes < all_nodes:
        st.info(
            f"A sample of {shown_nodes:,} of the {all_nodes:,} nodes is drawn and compared: every class in proportion, "
            "at least one node of each, always the same ones. Choose all nodes above to see the full set.",
            icon=":material/info:",
        )
    elif not few:
        st.info(
            f"All {all_nodes:,} nodes are drawn, which is too many to select some or to compare their neighbours: "
            "choose the sample above for that.",
            icon=":material/info:",
        )
        return "class" if colour == "overlap" else colour
    return colour


def _draw(figure: go.Figure, left: Side, right: Side, selectable: bool) -> None:
    """Draw the figure; a selection in it is remembered for both panels and for the next epochs of the film."""
    from workbench.pages.node_table import select

    key = f"embeddings-{left.run.id}"
    about = "-".join((left.run.id, right.run.id))
    # Zoom, camera and hidden classes stay as they are from epoch to epoch.
    figure.update_xaxes(uirevision=about).update_yaxes(uirevision=about).update_scenes(uirevision=about)
    figure.update_layout(legend_uirevision=about)
    more: dict[str, Any] = {}
    if selectable:
        figure.update_layout(dragmode="lasso")

        def remember() -> None:
            select(left.run, [shown.carried(point) for point in st.session_state[key].selection.points])

        more = {"on_select": remember, "selection_mode": ("points", "box", "lasso")}
    shown.figure(
        figure,
        f"embeddings-{left.run.id}",
        key if selectable else f"{key}-still",
        f"Two scatter plots of the same nodes: {left.name.lower()} on the left, {right.name.lower()} on the right.",
        "The right side is moved, turned, mirrored and scaled until it lies as near to the left one as it can. "
        "Distances can be compared, directions mean nothing. Nodes in the same place on both sides are seen alike.",
        **more,
    )
