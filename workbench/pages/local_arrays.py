"""Neighbours' shares as the Local structure page shows them, computed once per model, kernel and state of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.analysis.local_structure import Floats, Kernel
from workbench.errors import RunError
from workbench.pages.side_key import SECONDS, Key, key_of, side_of, stamp
from workbench.plots.local_structure import Structure, read_graph, read_log_shares
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides, titles

GRAPHS, MODELS = 2, 4  # kept for all visitors together; one of a large graph takes 16 MB


def structure(left: Side, right: Side, kernel: Kernel, sigma: float) -> Structure:
    """What :func:`workbench.plots.local_structure.read_structure` gives."""
    left, right = sides(left, right)
    edge_index, y = _graph(str(left.run.path), stamp(left.run))
    logs = [_model(key_of(side), str(left.run.path), stamp(left.run), kernel, sigma) for side in (left, right)]
    return Structure(edge_index, y, logs[0], logs[1], titles(left, right))


def predicted(side: Side) -> NDArray[np.int64]:
    """The class (N,) that a model predicts for every node."""
    return _predicted(key_of(side), str(side.run.path), stamp(side.run))


# Resources, not data: nobody writes to them, and a copy of each would be made at every look.
@st.cache_resource(max_entries=GRAPHS, ttl=SECONDS, show_spinner=False)
def _graph(path: str, stamp: int) -> tuple[NDArray[Any], NDArray[Any]]:
    return read_graph(Run(Path(path)))


@st.cache_resource(max_entries=MODELS, ttl=SECONDS, show_spinner="Comparing every node with its neighbours …")
def _model(key: Key, path: str, graph_stamp: int, kernel: Kernel, sigma: float) -> Floats:
    edge_index, y = _graph(path, graph_stamp)
    return read_log_shares(side_of(key), edge_index, len(y), kernel, sigma)


@st.cache_resource(max_entries=MODELS, ttl=SECONDS, show_spinner=False)
def _predicted(key: Key, path: str, graph_stamp: int) -> NDArray[np.int64]:
    logits = side_of(key).arrays("logits")["logits"]
    if len(logits) != len(_graph(path, graph_stamp)[1]):
        raise RunError(f"the logits of run {Path(key[0]).name} are not one row per node: run the spec again")
    return logits.argmax(axis=1)
