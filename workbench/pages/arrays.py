"""What pages show of a run's arrays, computed once per run, choice and state of the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.analysis.similarity import linear_cka, neighbour_overlap
from workbench.plots.embedding_pair import Nodes, Projection, frame, read_nodes
from workbench.runs.folder import ARRAYS, Run

ENTRIES = 24  # results kept per function, for all visitors together


def stamp(run: Run) -> int:
    """Changes whenever an array file of the run does; a cached picture must not outlive its run."""
    try:
        return max((file.stat().st_mtime_ns for file in (run.path / ARRAYS).glob("*.npz")), default=0)
    except OSError:
        return 0


def picture(
    run: Run, projection: Projection, dimensions: int, epoch: int | None
) -> tuple[Nodes, NDArray[np.float32], NDArray[np.float32], float]:
    """Nodes, points of teacher and student (N, dimensions), and their disparity."""
    return _picture(str(run.path), stamp(run), projection, dimensions, epoch)


def overlap(run: Run, epoch: int | None) -> NDArray[np.float32]:
    """Share of common neighbours of every node (N,)."""
    return _overlap(str(run.path), stamp(run), epoch)


def cka(run: Run, epoch: int | None) -> float:
    return _cka(str(run.path), stamp(run), epoch)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def _picture(
    path: str, stamp: int, projection: Projection, dimensions: int, epoch: int | None
) -> tuple[Nodes, NDArray[np.float32], NDArray[np.float32], float]:
    run = Run(Path(path))
    nodes = read_nodes(run, epoch)
    return nodes, *frame(run, nodes, projection, dimensions, epoch)


@st.cache_data(max_entries=ENTRIES, show_spinner="Comparing the neighbourhoods of all nodes …")
def _overlap(path: str, stamp: int, epoch: int | None) -> NDArray[np.float32]:
    nodes = read_nodes(Run(Path(path)), epoch)
    return neighbour_overlap(nodes.teacher, nodes.student)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def _cka(path: str, stamp: int, epoch: int | None) -> float:
    nodes = read_nodes(Run(Path(path)), epoch)
    return linear_cka(nodes.teacher, nodes.student)
