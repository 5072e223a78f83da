"""Layer pairs: every layer of one model beside every layer of another, over the epochs; a pair on an ego-graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from workbench.pages import player, shown
from workbench.pages.frame import as_code, choose, explained, link
from workbench.pages.side_key import Place, place_of, side_of
from workbench.pages.slots import epoch_film, two_slots
from workbench.pages.wording import NONE, plain
from workbench.runs.layer_arrays import OLDER
from workbench.runs.side import Side

if TYPE_CHECKING:
    from workbench.plots.layer_map_arrays import Kind, LayerMap
    from workbench.plots.layer_pair_ego import Head

MAPS = {"attention": "ABKD attention", "dissimilarity": "ABKD dissimilarity", "cka": "Linear CKA"}
READ = {
    "attention": "A row is a layer of the teacher and sums to 1: how much each layer of the student counts for it in "
    "the loss. The map is learned together with its projections: a sharp one need not be meaningful. A softmax "
    "saturates easily, and another seed may favour another layer.",
    "dissimilarity": "Squared distance between the projected features of two layers, as the loss saw it in this "
    "epoch: small is near. The projections are learned too, so a small number can also mean that they dropped what "
    "tells nodes apart: hold it against CKA.",
    "cka": "1: two layers place the nodes alike, up to rotation and scale; 0: nothing in common. Of all nodes and of "
    "states as they are, where Embeddings takes rows of length one of the validation nodes. The directions of "
    "largest variance decide it, and layers with more channels than there are nodes look alike by chance.",
}
ABOUT = {"attention": "attention", "dissimilarity": "squared distance", "cka": "linear CKA"}
ROWS = 7  # a longer table scrolls
PAGE = 1150  # pixels, about
WIDE = 700  # pixels from which a map has the page to itself


def show() -> None:
    st.title("Layer pairs")
    with explained():
        slots = two_slots("layer pairs")
        if slots is None:
            return
        from workbench.plots.layer_map_arrays import has_learned_maps

        left, right = slots
        kinds = list(MAPS) if has_learned_maps(left, right) else ["cka"]
        kind = choose(
            st.segmented_control,
            "Map",
            "map",
            kinds,
            format_func=MAPS.__getitem__,
            required=True,
            help="CKA compares any two models. ABKD's own maps are there for the teacher and the student of one run "
            "that was distilled with it.",
        )
        player.film(_at_epoch)(place_of(left), place_of(right), kind)


def _at_epoch(at_left: Place, at_right: Place, kind: Kind) -> None:
    """Everything that changes with the epoch: the map, its lines and table, the pair, and how to get them in Python."""
    from workbench.pages.layer_pair_around import pair_around_node, pick_head, pick_node, pick_pair
    from workbench.pages.layer_pair_arrays import cka

    left, right = side_of(at_left), side_of(at_right)
    if left.run.path == right.run.path:
        right = replace(right, run=left.run)
    with explained():
        if kind == "cka":
            right = epoch_film(right)
            found, curves = cka(left, right), None
        else:
            found, curves = _learned(left, right, kind)
        _say_what_is_missing(found, left, right)
        place = st.container()  # the map, which frames the pair that is picked below it
        st.subheader("A pair on the graph around a node")
        pair_cell, node_cell, head_cell = st.columns([3, 2, 3])
        with pair_cell:
            pair = pick_pair(found)
        with place:
            _map(found, pair, curves, left, right)
        node: int | None = None
        head: Head = "mean"
        with explained():
            with node_cell:
                node = pick_node(left)
            with head_cell:
                head = pick_head(left, right, found, pair, node)
            pair_around_node(left, right, found, pair, node, head)
        _code(left, right, found, pair, node, head)


def _learned(left: Side, right: Side, kind: Kind) -> tuple[LayerMap, Any]:
    """ABKD's map of the epoch that the film shows, and the lines of all epochs."""
    from workbench.pages.layer_pair_arrays import learned
    from workbench.plots import layer_map_curves
    from workbench.plots.layer_map_arrays import best_epoch, learned_map, stops

    recorded = learned(left, right, kind)
    best = best_epoch(right.run, recorded)

    def name(epoch: int) -> str:
        return f"{epoch} (best)" if epoch == best else str(epoch)

    epoch = player.time_slider("Map of epoch", stops(recorded, right.run), name, "map-epoch", best)
    found = learned_map(left, right, kind, recorded, epoch)
    return found, layer_map_curves.draw(recorded, found, epoch)


def _say_what_is_missing(found: LayerMap, left: Side, right: Side) -> None:
    """Say of which model not all layers can be shown, and what to do."""
    if not found.left_out:
        return
    with st.container(border=True):
        st.markdown(plain(" ".join(found.left_out)))
        if any(OLDER in reason for reason in found.left_out):
            st.markdown("Distil the same spec again to see every layer.")
            link("distil", "Run it again", copy=left.run.id)


def _map(found: LayerMap, pair: tuple[int, int], curves: Any, left: Side, right: Side) -> None:
    """The squares, and beside them the lines over the epochs and the numbers as a table."""
    from workbench.plots.layer_map import draw

    figure = draw(found, pair)
    name = f"layer-pairs-{found.kind}-{right.run.id}"
    width = figure.layout.width
    if width > WIDE:
        map_cell = beside = st.container()
    else:
        map_cell, beside = st.columns([width + 20, PAGE - width])
    with map_cell:
        _clickable(figure, found, name)
    with beside:
        if curves is not None:
            alt = "A line plot over the epochs: how the numbers of the map moved while the student was trained."
            shown.figure(curves, f"{name}-over-epochs", f"curves-{name}", alt)
        rows, columns = np.divmod(np.arange(found.values.size), found.values.shape[1])
        values = [round(float(value), 4) for value in found.values.ravel()]
        table = {
            "left layer": [found.rows[row] for row in rows],
            "right layer": [found.columns[column] for column in columns],
            ABOUT[found.kind]: values if np.isfinite(values).all() else [_text(value) for value in values],
        }
        shown.table(table, name, f"table-{name}", height="content" if len(values) <= ROWS else 300)


def _clickable(figure: Any, found: LayerMap, name: str) -> None:
    """Draw the map; a click on a square picks its pair."""
    from workbench.pages.layer_pair_around import clicked

    rows, columns = found.values.shape
    key = f"{name}-{rows}x{columns}"

    def pick() -> None:
        if point := clicked(key):
            st.session_state["choice-pair"] = f"{shown.carried(point, 0)}-{shown.carried(point, 1)}"

    about = "Squares, one for each pair of layers: rows are layers of the left model, columns those of the right one."
    how = f"Click a square to see that pair around a node. {READ[found.kind]}"
    shown.figure(figure, name, key, about, how, on_select=pick, selection_mode="points", width="content")


def _text(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else NONE


def _code(left: Side, right: Side, found: LayerMap, pair: tuple[int, int], node: int | None, head: Head) -> None:
    """The figures on the screen as Python."""
    from workbench.pages.pair_snippet import pair_as_command, views_as_python

    # ABKD's maps have an epoch of their own: also one of which no state of the student is stored.
    of: dict[str, Any] = {"kind": found.kind, "epoch": found.epoch}
    views: dict[str, dict[str, Any]] = {"layer_pairs": {**of, "pair": pair}}
    if found.epoch is not None:
        views["layer_pair_curves"] = of
    if node is not None:
        views["pair_on_ego_graph"] = {**of, "pair": pair, "node": node, "head": head}
    as_code(views_as_python(left, right, views), pair_as_command(left, right))
