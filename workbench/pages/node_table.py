"""Nodes as a table: the selected ones on the page, all of them as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.plots.embedding_pair import SPLITS, Nodes

Columns = dict[str, NDArray[Any]]
ROWS_SHOWN = 8  # a longer table scrolls


def node_of(point: Mapping[str, Any]) -> int:
    """The node of a selected point: first of what every point carries, which comes back as a list or by position."""
    carried = point["customdata"]
    return int(carried["0"] if isinstance(carried, Mapping) else carried[0])


def columns_of(nodes: Nodes, overlap: NDArray[np.float32] | None) -> Columns:
    """What is known about every node, by column (N,)."""
    columns: Columns = {
        "node": np.arange(len(nodes.y)),
        "true class": nodes.y,
        "teacher says": nodes.teacher_class,
        "student says": nodes.student_class,
        "split": np.asarray(SPLITS)[nodes.split],
        "degree": nodes.degree,
    }
    if overlap is not None:
        columns["common neighbours"] = overlap.round(3)
    return columns


def selected_nodes(key: str, chosen: Sequence[int], columns: Columns) -> None:
    """Facts about the selected nodes (kept in the session under ``key``), or how to select some."""
    if not chosen:
        st.caption("Click a node, or draw a box or lasso: the same nodes are then ringed on both sides.")
        return
    height = "content" if len(chosen) <= ROWS_SHOWN else 300
    st.dataframe({name: values[chosen] for name, values in columns.items()}, hide_index=True, height=height)
    if st.button("Clear the selection", icon=":material/close:"):
        st.session_state.pop(key, None)
        st.rerun()


def download_nodes(run_id: str, columns: Columns, points: Columns) -> None:
    """All nodes with their places in the picture, as CSV; the text is made when the button is pressed."""
    st.download_button(
        "All nodes as CSV",
        lambda: as_csv(columns | points),
        file_name=f"{run_id}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def as_csv(columns: Columns) -> str:
    """Columns (N,) as comma-separated values with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    return text.getvalue()
