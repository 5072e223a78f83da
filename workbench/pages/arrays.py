"""What pages show of a run's arrays, computed once per pair of sides, choice and state of the files."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.analysis.similarity import neighbour_overlap
from workbench.pages.side_key import SECONDS, Key, key_of, side_of
from workbench.plots.embedding_arrays import (
    Likeness,
    Nodes,
    Pair,
    Points,
    Projection,
    Which,
    frame,
    graph_arrays,
    read_pair,
)
from workbench.plots.embedding_arrays import likeness as measure
from workbench.runs.folder import Run
from workbench.runs.side import Side

# Results kept per function, for all visitors together. One of a sample takes below 1 MB, a pair of such 10 MB and is
# needed three times in a row; one of all nodes of a large graph takes 12 MB, and a pair of such 100 MB: it is not kept.
ENTRIES, PAIRS, LARGE = 24, 2, 1


def node_count(run: Run) -> int:
    """Nodes of the run's graph."""
    return _node_count(key_of(Side(run)))


def picture(
    left: Side, right: Side, points: Which, projection: Projection, dimensions: int
) -> tuple[Nodes, Points, Points, float]:
    """Nodes, points of both sides (m, dimensions), and their disparity."""
    made = _picture if points == "sample" else _picture_of_all
    return made(key_of(left), key_of(right), projection, dimensions)


def overlap(left: Side, right: Side, points: Which) -> NDArray[np.float32]:
    """Share of common neighbours of every node that is drawn (m,)."""
    return _overlap(key_of(left), key_of(right), points)


def likeness(left: Side, right: Side, points: Which) -> Likeness:
    """How alike the two sides are."""
    return _likeness(key_of(left), key_of(right), points)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _node_count(key: Key) -> int:
    return len(graph_arrays(side_of(key))["y"])


# A resource, not data: nobody writes to it, and a copy would cost more than what is done with it.
@st.cache_resource(max_entries=PAIRS, ttl=SECONDS, show_spinner=False)
def _sample(left: Key, right: Key) -> Pair:
    return read_pair(side_of(left), side_of(right), "sample")


def _pair(left: Key, right: Key, points: Which) -> Pair:
    return _sample(left, right) if points == "sample" else read_pair(side_of(left), side_of(right), points)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Turning the embeddings into one frame …")
def _picture(left: Key, right: Key, projection: Projection, dimensions: int) -> tuple[Nodes, Points, Points, float]:
    pair = _pair(left, right, "sample")
    return pair.nodes, *frame(side_of(left), side_of(right), pair, projection, dimensions)


@st.cache_resource(max_entries=LARGE, ttl=SECONDS, show_spinner="Turning the embeddings into one frame …")
def _picture_of_all(
    left: Key, right: Key, projection: Projection, dimensions: int
) -> tuple[Nodes, Points, Points, float]:
    pair = _pair(left, right, "all")
    return pair.nodes, *frame(side_of(left), side_of(right), pair, projection, dimensions)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Comparing the neighbourhoods of these nodes …")
def _overlap(left: Key, right: Key, points: Which) -> NDArray[np.float32]:
    pair = _pair(left, right, points)
    return neighbour_overlap(pair.left, pair.right)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Comparing the embeddings …")
def _likeness(left: Key, right: Key, points: Which) -> Likeness:
    return measure(_pair(left, right, points))
