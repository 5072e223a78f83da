"""Nodes as a table: the selected ones on the page, all that are drawn as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages import class_mode, shown
from workbench.pages.frame import note
from workbench.plots.embedding_arrays import SPLITS, Nodes
from workbench.runs.folder import Run
from workbench.runs.side import fingerprint_of

Columns = dict[str, NDArray[Any]]
ROWS_SHOWN = 8  # a longer table scrolls
SELECTED = "selected-nodes"  # in the session: the graph, and its nodes
NAMED = "nodes"  # in the address: the same nodes, while they are few
FEW = 100


def select(run: Run, nodes: Sequence[int]) -> None:
    """Remember nodes of the run's graph: a redrawn figure has forgotten its selection."""
    chosen = sorted(set(nodes))
    st.session_state[SELECTED] = (_graph(run), chosen)
    if 0 < len(chosen) <= FEW:
        st.query_params[NAMED] = ",".join(map(str, chosen))
    else:
        st.query_params.pop(NAMED, None)


def selected(run: Run) -> list[int]:
    """The selected nodes of the run's graph, at first those of the address; those of another graph are forgotten."""
    graph, nodes = st.session_state.get(SELECTED, (None, []))
    if graph == _graph(run):
        return list(nodes)
    if graph is not None:
        clear()
        return []
    words = st.query_params.get(NAMED, "").split(",")[:FEW]
    found = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 10]
    if found:
        select(run, found)
    elif NAMED in st.query_params:
        st.query_params.pop(NAMED)
        st.toast("The nodes in this address are no numbers; none is selected.", icon=":material/warning:")
    return found


def clear() -> None:
    """Forget the selection."""
    st.session_state.pop(SELECTED, None)
    st.query_params.pop(NAMED, None)


def _graph(run: Run) -> str:
    return fingerprint_of(run) or str(run.path)


def columns_of(nodes: Nodes, who: tuple[str, str], overlap: NDArray[np.float32] | None) -> Columns:
    """What is known about every node that is drawn, by column (m,)."""
    columns: Columns = {
        "node": nodes.number,
        "true class": nodes.y,
        f"{who[0]} says": nodes.left_class,
        f"{who[1]} says": nodes.right_class,
        "split": np.asarray(SPLITS)[nodes.split],
        "degree": nodes.degree,
    }
    if overlap is not None:
        columns["common neighbours"] = overlap.astype(np.float64).round(3)
    return columns


def selected_nodes(run: Run, columns: Columns) -> None:
    """Facts about the selected nodes, or how to select some."""
    rows = np.nonzero(np.isin(columns["node"], selected(run)))[0]
    if not len(rows):
        note(
            "Draw a lasso around nodes, or a box: the same nodes are then ringed on both sides. "
            "With the figure's tool Pan, a click takes one node."
        )
        return
    height = "content" if len(rows) <= ROWS_SHOWN else 300
    chosen = {name: values[rows] for name, values in columns.items()}
    shown.table(chosen, f"{run.id}-selected", "selected-table", height=height)
    if st.button("Clear the selection", icon=":material/close:", key="clear-selection"):
        clear()
        st.rerun()


def download_nodes(run_id: str, columns: Columns, points: Columns, everything: bool) -> None:
    """The nodes that are drawn, with their places in the picture, as CSV."""
    if not class_mode.hidden("downloads"):
        label = "All nodes as CSV" if everything else f"These {len(columns['node']):,} nodes as CSV"
        shown.download(label, lambda: shown.as_csv(columns | points), f"{run_id}.csv", "all-nodes")
