"""What the Knowledge gap page draws, computed once per pair of models and state of their files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages.side_key import SECONDS, Key, key_of, side_of, stamp
from workbench.plots.gap_arrays import Gap, Graph, read_gap, read_graph
from workbench.plots.gap_map import Projection
from workbench.plots.gap_map import places as read_places
from workbench.runs.folder import Run
from workbench.runs.side import Side

ENTRIES = 4  # results kept per function, for all visitors together; one of 170,000 nodes takes 7 MB at most


def graph(run: Run) -> Graph:
    """The nodes and what the graph says about them."""
    return _graph(str(run.path), stamp(run))


def gap(left: Side, right: Side) -> Gap:
    """What both models say about every node."""
    return Gap(graph(left.run), *_gap(key_of(left), key_of(right)))


def places(left: Side, projection: Projection) -> NDArray[np.float32]:
    """Where the left model puts every node (N, 2)."""
    return _places(key_of(left), projection)


# Resources, not data: nobody writes to them, and a copy of each would be made at every look.
@st.cache_resource(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _graph(path: str, stamp: int) -> Graph:
    return read_graph(Run(Path(path)))


@st.cache_resource(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Comparing the predictions …")
def _gap(left: Key, right: Key) -> tuple[Any, ...]:
    """All of a gap but its graph, which is kept once for every gap on it."""
    found = read_gap(side_of(left), side_of(right), _graph(left[0], left[3]))
    return tuple(getattr(found, field.name) for field in fields(found) if field.name != "graph")


@st.cache_resource(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Turning the embedding into a map …")
def _places(left: Key, projection: Projection) -> NDArray[np.float32]:
    return read_places(side_of(left), projection)
