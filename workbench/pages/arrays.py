"""What pages show of a run's arrays, computed once per pair of sides, choice and state of the files."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.analysis.similarity import neighbour_overlap
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
from workbench.runs.folder import ARRAYS, Run
from workbench.runs.side import Side, Who

# Results kept per function, for all visitors together. One of a sample takes below 1 MB, a pair of such 10 MB and is
# needed three times in a row; one of all nodes of a large graph takes 12 MB, and a pair of such 100 MB: it is not kept.
ENTRIES, PAIRS, LARGE = 24, 2, 1
SECONDS = 600  # for which a result is kept
Key = tuple[str, str, int | None, int]  # of a side: path, who, epoch, and the state of its files


def stamp(run: Run) -> int:
    """Changes whenever an array file of the run does, comes or goes; a cached picture must not outlive its run."""
    try:
        files = [(file.name, file.stat()) for file in sorted((run.path / ARRAYS).glob("*.npz"))]
    except OSError:
        return 0
    facts = repr([(name, state.st_mtime_ns, state.st_size) for name, state in files])
    return int.from_bytes(blake2b(facts.encode(), digest_size=8).digest(), "big")


def node_count(run: Run) -> int:
    """Nodes of the run's graph."""
    return _node_count(_key(Side(run)))


def picture(
    left: Side, right: Side, points: Which, projection: Projection, dimensions: int
) -> tuple[Nodes, Points, Points, float]:
    """Nodes, points of both sides (m, dimensions), and their disparity."""
    made = _picture if points == "sample" else _picture_of_all
    return made(_key(left), _key(right), projection, dimensions)


def overlap(left: Side, right: Side, points: Which) -> NDArray[np.float32]:
    """Share of common neighbours of every node that is drawn (m,)."""
    return _overlap(_key(left), _key(right), points)


def likeness(left: Side, right: Side, points: Which) -> Likeness:
    """How alike the two sides are."""
    return _likeness(_key(left), _key(right), points)


def _key(side: Side) -> Key:
    return str(side.run.path), side.who, side.epoch, stamp(side.run)


def _side(key: Key) -> Side:
    return Side(Run(Path(key[0])), cast("Who", key[1]), key[2])


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _node_count(key: Key) -> int:
    return len(graph_arrays(_side(key))["y"])


# A resource, not data: nobody writes to it, and a copy would cost more than what is done with it.
@st.cache_resource(max_entries=PAIRS, ttl=SECONDS, show_spinner=False)
def _sample(left: Key, right: Key) -> Pair:
    return read_pair(_side(left), _side(right), "sample")


def _pair(left: Key, right: Key, points: Which) -> Pair:
    return _sample(left, right) if points == "sample" else read_pair(_side(left), _side(right), points)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Turning the embeddings into one frame …")
def _picture(left: Key, right: Key, projection: Projection, dimensions: int) -> tuple[Nodes, Points, Points, float]:
    pair = _pair(left, right, "sample")
    return pair.nodes, *frame(_side(left), _side(right), pair, projection, dimensions)


@st.cache_resource(max_entries=LARGE, ttl=SECONDS, show_spinner="Turning the embeddings into one frame …")
def _picture_of_all(
    left: Key, right: Key, projection: Projection, dimensions: int
) -> tuple[Nodes, Points, Points, float]:
    pair = _pair(left, right, "all")
    return pair.nodes, *frame(_side(left), _side(right), pair, projection, dimensions)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Comparing the neighbourhoods of these nodes …")
def _overlap(left: Key, right: Key, points: Which) -> NDArray[np.float32]:
    pair = _pair(left, right, points)
    return neighbour_overlap(pair.left, pair.right)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Comparing the embeddings …")
def _likeness(left: Key, right: Key, points: Which) -> Likeness:
    return measure(_pair(left, right, points))
