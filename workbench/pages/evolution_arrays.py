"""What the Dynamic graph page computes once per run and state of its files, for all visitors together."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.pages.side_key import SECONDS, stamp
from workbench.plots import evolution_embeddings, evolution_graph
from workbench.plots.evolution_arrays import read_snapshots
from workbench.plots.evolution_embeddings import Journey
from workbench.plots.evolution_graph import Evolution
from workbench.runs.folder import Run

ENTRIES = 8


def evolution(run: Run) -> Evolution:
    """The run's snapshots with the places of their nodes."""
    return _evolution(str(run.path), stamp(run))


def journey(run: Run) -> Journey:
    """The embeddings of all online steps in one frame."""
    return _journey(str(run.path), stamp(run))


# Resources, not data: nobody writes to them, and a copy at every tick of the film would cost more than drawing.
@st.cache_resource(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Finding places for the nodes of all snapshots …")
def _evolution(path: str, stamp: int) -> Evolution:
    return evolution_graph.lay_out(read_snapshots(Run(Path(path))))


@st.cache_resource(
    max_entries=ENTRIES, ttl=SECONDS, show_spinner="Turning the embeddings of all steps into one frame …"
)
def _journey(path: str, stamp: int) -> Journey:
    return evolution_embeddings.read_journey(Run(Path(path)))
