"""What the Layer pairs page shows, computed once per run, choice and state of the files."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.analysis.layer_pairs import node_to_show
from workbench.pages.side_key import SECONDS, Key, key_of, side_of, stamp
from workbench.plots.layer_map_arrays import Kind, LayerMap, Recorded
from workbench.plots.layer_map_arrays import cka_of as _cka_of
from workbench.plots.layer_map_arrays import recorded as _recorded
from workbench.plots.layer_pair_ego import Around, Head, degrees
from workbench.plots.layer_pair_ego import around as _around
from workbench.runs.folder import Run
from workbench.runs.side import Side

ENTRIES = 24  # results kept per function, for all visitors together


def cka(left: Side, right: Side) -> LayerMap:
    return _cka(key_of(left), key_of(right))


def learned(left: Side, right: Side, kind: Kind) -> Recorded:
    """ABKD's maps of every recorded epoch."""
    try:
        written = (right.run.path / "metrics.jsonl").stat().st_mtime_ns
    except OSError:
        written = 0
    return _learned(key_of(left), key_of(right), kind, written)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner="Comparing all layers …")
def _cka(left: Key, right: Key) -> LayerMap:
    return _cka_of(side_of(left), side_of(right))


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _learned(left: Key, right: Key, kind: Kind, written: int) -> Recorded:
    return _recorded(side_of(left), side_of(right), kind)


def around(left: Side, right: Side, found: LayerMap, pair: tuple[int, int], node: int, head: Head) -> Around:
    """A pair of layers of a map on the graph around a node."""
    facts = (found.values.shape, found.epoch, found.back)
    return _around_node(key_of(left), key_of(right), facts, found, pair, node, head)


def graph(side: Side) -> tuple[int, int]:
    """The number of nodes, and the one to be shown first."""
    return _graph(str(side.run.path), stamp(side.run))


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _around_node(
    left: Key,
    right: Key,
    facts: tuple[object, ...],
    _found: LayerMap,  # not part of the key: of it only ``facts`` matter here
    pair: tuple[int, int],
    node: int,
    head: Head,
) -> Around:
    return _around(side_of(left), side_of(right), _found, pair, node, head)


@st.cache_data(max_entries=ENTRIES, ttl=SECONDS, show_spinner=False)
def _graph(path: str, stamp: int) -> tuple[int, int]:
    degree = degrees(Run(Path(path)))
    return len(degree), node_to_show(degree)
