"""The stored graph of a run: read whole, or refused."""

import numpy as np
import pytest

from workbench.errors import RunError
from workbench.plots import (
    confusion_difference,
    embeddings,
    gap_slices,
    knowledge_gap,
    neighbourhood,
    neighbourhood_divergence,
    pair_on_ego_graph,
)
from workbench.runs.folder import Run
from workbench.runs.graph_arrays import read_graph_arrays

VIEWS = (
    embeddings, knowledge_gap, gap_slices, confusion_difference, neighbourhood, neighbourhood_divergence,
    pair_on_ego_graph,
)  # fmt: skip
EDGES = np.array([[0, 1], [1, 2]])
WRONG = {
    "float edges": {"edge_index": EDGES.astype(np.float32)},
    "edges in a row": {"edge_index": np.arange(6)},
    "edges in columns": {"edge_index": np.zeros((5, 2), dtype=int)},
    "edges to nobody": {"edge_index": EDGES + 100},
    "edges from below": {"edge_index": -EDGES},
    "edges as text": {"edge_index": EDGES.astype(str)},
    "classes in rows": {"y": np.zeros((30, 4), dtype=int)},
    "one class": {"y": np.array(3)},
    "classes as text": {"y": np.full(30, "x")},
    "float degree": {"degree": np.ones(30)},
    "degree below 0": {"degree": np.full(30, -1)},
    "short split": {"split": np.ones(3, dtype=int)},
    "unknown split": {"split": np.full(30, 4)},
    "no nodes": {name: np.zeros(0, dtype=int) for name in ("y", "split", "degree")},
}


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder())


def test_it_is_read_as_it_was_stored(run):
    found, stored = read_graph_arrays(run), run.arrays("graph")
    for name in ("y", "split", "degree", "edge_index"):
        np.testing.assert_array_equal(getattr(found, name), stored[name])
    np.testing.assert_array_equal(found.edges(run), stored["edge_index"])


def test_a_graph_may_be_stored_without_its_edges(run):
    stored = run.arrays("graph")
    del stored["edge_index"]
    run.store_arrays("graph", **stored)
    found = read_graph_arrays(run)
    assert found.edge_index is None
    with pytest.raises(RunError, match="keeps no edges"):
        found.edges(run)


@pytest.mark.parametrize("name", ["y", "split", "degree"])
def test_what_is_missing_is_named(run, name):
    stored = run.arrays("graph")
    del stored[name]
    run.store_arrays("graph", **stored)
    with pytest.raises(RunError, match=f"hold no '{name}'"):
        read_graph_arrays(run)


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_every_view_refuses_what_is_no_graph(run, changes):
    run.store_arrays("graph", **{**run.arrays("graph"), **changes})
    for view in VIEWS:
        with pytest.raises(RunError):
            view(run)
