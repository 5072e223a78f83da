"""A pair of layers on the graph around a node: which pair, which node, which head, and the picture of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from workbench.pages import shown
from workbench.pages.frame import choose
from workbench.pages.layer_pair_arrays import around, graph
from workbench.pages.wording import NONE
from workbench.runs.side import Side

if TYPE_CHECKING:
    from workbench.plots.layer_map_arrays import LayerMap
    from workbench.plots.layer_pair_ego import Around, Head

HOW = (
    "An edge j → i has the attention that node i pays to j where the layer attends, and else the cosine of the two "
    "nodes' states. Attention into a node sums to 1 with the node's own share, which is not drawn. The difference is "
    "right − left of the same thing: of cosines where only one of the layers attends. Heads of two models have no "
    "common order. Click a node to put it in the middle."
)
STORED = " States are stored for some epochs only: those nearest to the epoch of the map are shown."


def pick_pair(found: LayerMap) -> tuple[int, int]:
    names = {f"{row}-{column}": (row, column) for row, column in found.pairs}
    pair = choose(
        st.selectbox,
        "Pair",
        "pair",
        list(names),
        format_func=lambda name: f"{found.rows[names[name][0] - 1]} × {found.columns[names[name][1] - 1]}",
        help="A layer of the left model × a layer of the right one. A click on a square of the map picks it too.",
    )
    return names[pair]


def pick_node(side: Side) -> int:
    nodes, first = graph(side)
    help = f"0 to {nodes - 1}; at first one with many neighbours that can still be told apart."
    return choose(_number, "Node", "node", range(nodes), first, help=help)


def pick_head(left: Side, right: Side, found: LayerMap, pair: tuple[int, int], node: int) -> Head:
    """A head of the two layers, or the mean where neither has several."""
    heads = max(around(left, right, found, pair, node, "mean").heads)
    if heads < 2:
        return "mean"
    names = ["mean", *map(str, range(1, heads + 1))]
    help = "Of a layer with fewer heads, the mean of all is shown."
    head = choose(st.selectbox, "Head of attention", "head", names, format_func=_head_name, help=help)
    return "mean" if head == "mean" else int(head)


def pair_around_node(left: Side, right: Side, found: LayerMap, pair: tuple[int, int], node: int, head: Head) -> None:
    """Left, right and difference; the edges into the node as a table."""
    from workbench.plots.layer_pair_ego import draw

    seen = around(left, right, found, pair, node, head)
    name = f"layer-pair-{pair[0]}-{pair[1]}-node-{node}-{right.run.id}"
    key = f"around-{node}-{right.run.id}"  # with another node in the middle nothing is selected

    def recentre() -> None:
        if point := clicked(key):
            st.session_state["choice-node"] = shown.carried(point)

    alt = f"Three drawings of node {node} and its neighbours: the left layer, the right one, and their difference."
    note = HOW + (STORED if found.epoch is not None else "")
    if seen.ego.left_out:
        note += f" {seen.ego.left_out} neighbours are left out."
    if len(seen.ego.nodes) == 1:
        st.info(f"Node {node} has no neighbours: choose another one.", icon=":material/info:")
        return
    shown.figure(draw(seen), name, key, alt, note, on_select=recentre, selection_mode="points")
    with st.expander(f"The edges into node {node} in numbers"):
        shown.table(_edges(seen), name, f"edges-{right.run.id}")


def clicked(key: str) -> Mapping[str, Any] | None:
    """The point of a chart that was clicked, where it stands for something."""
    points = st.session_state[key].selection.points
    return points[0] if points and points[0].get("customdata") else None


def _edges(seen: Around) -> dict[str, list[Any]]:
    into = np.flatnonzero(seen.ego.edge_index[1] == 0)
    columns = {"left": seen.values[0], "right": seen.values[1], "right − left": seen.difference}
    numbers = {name: [_short(value) for value in values[into]] for name, values in columns.items()}
    return {"from node": seen.ego.nodes[seen.ego.edge_index[0, into]].tolist(), **numbers}


def _short(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else NONE


def _head_name(head: str) -> str:
    return "Mean of all" if head == "mean" else f"Head {head}"


def _number(label: str, options: Sequence[int], key: str, **more: Any) -> int | None:
    """A field for a number, as a widget of :func:`choose`."""
    return st.number_input(label, min_value=options[0], max_value=options[-1], step=1, key=key, **more)
