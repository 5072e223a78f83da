"""The nodes behind a part of a bar or a cell of the confusion difference: which they are, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.analysis.knowledge_gap import Slices
from workbench.pages import class_mode, shown
from workbench.pages.frame import choose, link, note
from workbench.pages.wording import NONE
from workbench.plots.gap_arrays import KINDS, SPLIT_NAMES, Gap, behind_bar, behind_cell
from workbench.plots.gap_map import RINGED
from workbench.runs.side import Side

ANY = "any"
BEHIND = {"bar": "A bar", "cell": "A cell of the confusion difference"}
HEIGHT = 330


@dataclass(frozen=True)
class Chosen:
    """What was clicked or picked: bin and case, None: any; or a cell (true class, predicted class)."""

    bin: str | None = None
    case: str | None = None
    cell: tuple[int, int] | None = None

    def nodes(self, gap: Gap, split: str, by: str) -> NDArray[np.int64]:
        """Their numbers (m,), largest KL first."""
        if self.cell is not None:
            return behind_cell(gap, split, self.cell)
        return behind_bar(gap, split, by, self.bin, self.case)

    @property
    def key(self) -> str:
        """Another one for every choice."""
        return f"{self.bin}-{self.case}-{self.cell}"

    @property
    def everything(self) -> bool:
        """Whether nothing was chosen among all nodes."""
        return self == Chosen()


def pick(gap: Gap, found: Slices, difference: NDArray[np.int64]) -> Chosen:
    """Choose a part of a bar or a cell by hand; a click on a figure moves the same controls."""
    help = "The same as a click on a part of a bar, or on a square of the confusion difference."
    behind = choose(
        st.segmented_control, "Nodes behind", "behind", list(BEHIND), format_func=BEHIND.get, required=True, help=help
    )
    first, second = st.columns(2)
    if behind == "bar":
        with first:
            help = "A bar: nodes that have this in common."
            bin = choose(st.selectbox, "Bin", "bin", [ANY, *found.labels], help=help)
        names = {ANY: "any", **dict(zip(KINDS, gap.names, strict=True))}
        with second:
            help = "A part of the bar: which of the two models has these nodes right."
            case = choose(st.selectbox, "Case", "case", list(names), KINDS[1], format_func=names.get, help=help)
        return Chosen(None if bin == ANY else bin, None if case == ANY else case)
    classes = list(range(gap.classes))
    usual = np.unravel_index(int(np.abs(difference).argmax()), difference.shape)  # the cell that changes most
    with first:
        help = "The row of the square: the class that the nodes have."
        true = choose(st.selectbox, "True class", "true-class", classes, int(usual[0]), help=help)
    with second:
        help = "The column of the square: the class for which one of both models, and not the other, takes them."
        predicted = choose(st.selectbox, "Predicted class", "predicted-class", classes, int(usual[1]), help=help)
    return Chosen(cell=(true, predicted))


def clicked_bar(point: Mapping[str, Any], found: Slices) -> dict[str, Any]:
    """What a click on a part of a bar chooses, by the names under which the session keeps it."""
    bin, case = shown.carried(point, 0), shown.carried(point, 1)
    label = found.labels[found.bins.tolist().index(bin)]
    return {"choice-behind": "bar", "choice-bin": label, "choice-case": KINDS[case]}


def clicked_cell(point: Mapping[str, Any]) -> dict[str, Any]:
    """What a click on a square of the confusion difference chooses."""
    true, predicted = shown.carried(point, 0), shown.carried(point, 1)
    return {"choice-behind": "cell", "choice-true-class": true, "choice-predicted-class": predicted}


def columns_of(gap: Gap, nodes: NDArray[np.int64]) -> dict[str, NDArray[Any] | list[Any]]:
    """What is known about ``nodes`` (m,), by column (m,); None for what a node has not."""
    graph, (left, right) = gap.graph, gap.titles
    if left == right:
        left, right = f"left: {left}", f"right: {right}"
    columns: dict[str, NDArray[Any] | list[Any]] = {
        "node": nodes,
        "true class": graph.y[nodes],
        f"{left} says": gap.says[nodes, 0],
        f"{right} says": gap.says[nodes, 1],
        "KL (nats)": gap.divergence[nodes].astype(np.float64).round(3),
        f"{left} sure": gap.sure[nodes, 0].astype(np.float64).round(3),
        f"{right} sure": gap.sure[nodes, 1].astype(np.float64).round(3),
        "degree": graph.degree[nodes],
    }
    if graph.homophily is not None:
        columns["homophily"] = [None if np.isnan(h) else round(h, 3) for h in graph.homophily[nodes].tolist()]
    if graph.distance is not None:
        columns["distance"] = [None if hops < 0 else hops for hops in graph.distance[nodes].tolist()]
    columns["split"] = [SPLIT_NAMES[number] for number in graph.split[nodes]]
    return columns


def show_nodes(gap: Gap, nodes: NDArray[np.int64], left: Side, right: Side, key: str) -> None:
    """A table of the nodes (m,), its downloads, and the way to the neighbourhood of one of them."""
    if not len(nodes):
        st.info("There is no such node: choose another bin, case or cell.", icon=":material/info:")
        return
    listed = nodes[:RINGED]
    few = (
        f"the {RINGED:,} with the largest KL of {len(nodes):,} nodes"
        if len(nodes) > RINGED
        else f"{len(nodes):,} nodes"
    )
    st.markdown(f"**{few[:1].upper()}{few[1:]}**, largest KL first")

    def open_row() -> None:
        if rows := st.session_state[key].selection.rows:
            st.session_state["choice-node"] = int(listed[rows[0]])

    name = f"{right.run.id}-gap"
    shown.table(
        columns_of(gap, listed),
        name,
        key,
        height=HEIGHT if len(listed) > 8 else "content",
        placeholder=NONE,
        alt="The nodes behind what is chosen, with both predictions and where they stand in the graph.",
        on_select=open_row,
        selection_mode="single-row",
    )
    if len(nodes) > RINGED and not class_mode.hidden("tables") and not class_mode.hidden("downloads"):
        every = f"{name}-all.csv"
        shown.download(f"All {len(nodes):,} as CSV", lambda: shown.as_csv(columns_of(gap, nodes)), every, f"{key}-all")
    _neighbourhood(listed.tolist(), left, right)
    measured = (
        ""
        if gap.graph.homophily is None
        else (
            " Homophily: the share of a node's neighbours that are of its class. Distance: hops to the nearest "
            f"training node. {NONE}: it has no neighbour, or no path leads there."
        )
    )
    note(
        "KL: how far the probabilities of the two models are apart, 0 where they are equal. Sure: the probability of "
        f"the predicted class.{measured}"
    )


def _neighbourhood(nodes: Sequence[int], left: Side, right: Side) -> None:
    """A link to one node on the page of local structure, with the same two models."""
    picker, way = st.columns([1, 2], vertical_alignment="bottom")
    with picker:
        help = "One of the nodes in the table; a click on a row chooses it."
        node = choose(st.selectbox, "Node", "node", nodes, help=help)
    with way:
        other = {} if right.run.path == left.run.path else {"right-run": right.run.id}
        models = {"run": left.run.id, "left": left.who, "right": right.who, **other}
        link("local", f"Look at the neighbourhood of node {node}", node=str(node), **models)
