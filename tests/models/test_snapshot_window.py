"""A window of snapshots as one sparse pattern equals dense matrices, made link by link in float64 NumPy."""

import numpy as np
import pytest
import torch

from workbench.datasets.snapshots import SnapshotSequence
from workbench.models.snapshot_window import SnapshotWindow

# (snapshot, a, b, weight). Nodes 0 to 3 are born in snapshot 0, 4 in 1, 5 and 6 in 2, 7 in 3.
EVENTS = [
    (0, 0, 1, 2.0), (0, 1, 3, 0.5), (0, 2, 2, 1.0),  # node 2 is linked to itself only
    (1, 0, 4, 1.0), (1, 0, 4, 3.0), (1, 3, 3, 1.5),  # a link of two events, a loop
    (2, 5, 6, 1.0), (2, 1, 0, 4.0),
    (3, 7, 0, 2.5),
]  # fmt: skip
NODES = 9  # the last one never has an event


@pytest.fixture
def sequence():
    snapshot, a, b, weight = (np.array(column) for column in zip(*EVENTS, strict=True))
    return SnapshotSequence.from_snapshot_column(snapshot, a, b, weight=weight, num_nodes=NODES)


def dense(sequence, step, size):
    """D^(-1/2) (A + I) D^(-1/2) among the first ``size`` nodes; rows of zeros for those not born by then."""
    matrix = np.zeros((size, size))
    for node in range(size):
        if sequence.birth[node] <= step:
            matrix[node, node] = 1.0
    for (a, b), weight in zip(sequence.links[step].T.tolist(), sequence.weights[step].tolist(), strict=True):
        if a < size and b < size:
            matrix[a, b] += weight
            if a != b:
                matrix[b, a] += weight
    degree = matrix.sum(1)
    root = np.array([0.0 if d == 0 else d**-0.5 for d in degree])
    return root[:, None] * matrix * root


def as_dense(window):
    return window.pattern.matrix(window.weight).to_dense().numpy().reshape(len(window), -1, window.num_nodes)


@pytest.mark.parametrize("steps", [[0], [2], [0, 1], [1, 2, 3], [0, 1, 2, 3]])
def test_every_snapshot_is_normalised_with_self_loops(sequence, steps):
    window = SnapshotWindow.of(sequence, steps)
    size = sequence.seen(steps[-1])
    assert window.steps == tuple(steps)
    assert window.nodes.tolist() == list(range(size))
    expected = np.stack([dense(sequence, step, size) for step in steps])
    np.testing.assert_allclose(as_dense(window), expected, rtol=1e-6)
    assert (as_dense(window) > 0).sum() == window.weight.numel(), "an edge stands once, also a loop of the data"


def test_a_node_that_is_not_born_has_an_empty_row(sequence):
    window = SnapshotWindow.of(sequence, range(4))
    entries = window.pattern.rowptr.diff().view(4, -1) > 0
    assert torch.equal(
        entries, window.nodes.expand(4, -1) < torch.tensor([sequence.seen(t) for t in range(4)])[:, None]
    )


@pytest.mark.parametrize("size", [1, 4, 6])
def test_a_model_that_knows_fewer_nodes_sees_these_alone(sequence, size):
    window = SnapshotWindow.of(sequence, [1, 2, 3], size)
    assert window.num_nodes == size
    np.testing.assert_allclose(as_dense(window), [dense(sequence, t, size) for t in (1, 2, 3)], rtol=1e-6)


def test_nodes_of_the_future_are_not_there(sequence):
    assert SnapshotWindow.of(sequence, [0, 1], NODES).num_nodes == sequence.seen(1)


@pytest.mark.parametrize("also", [None, [3], [0, 6]])
def test_active_nodes_are_those_with_a_link_to_another(sequence, also):
    steps = [1, 2]
    linked = {n for t in steps for a, b in sequence.links[t].T.tolist() if a != b for n in (a, b)}
    expected = sorted(linked | set(also or []))
    assert len(linked) < sequence.seen(2) - 1
    window = SnapshotWindow.of(sequence, steps, also=None if also is None else torch.tensor(also), active=True)
    assert window.nodes.tolist() == expected
    whole = [dense(sequence, t, sequence.seen(2))[np.ix_(expected, expected)] for t in steps]
    np.testing.assert_allclose(as_dense(window), whole, rtol=1e-6)


def test_rows_belong_to_nodes_and_nodes_have_places(sequence):
    window = SnapshotWindow.of(sequence, [1, 2], active=True)
    rows, columns = window.edges
    assert torch.equal(window.node_of(rows), rows - rows // window.num_nodes * window.num_nodes)
    assert (columns < window.num_nodes).all()
    wanted = window.nodes[[2, 0, 2]]
    assert window.places(wanted).tolist() == [2, 0, 2]


def test_a_window_of_a_snapshot_without_links_holds_its_nodes_loops():
    lonely = SnapshotSequence.from_snapshot_column([0, 2], [0, 1], [1, 2])
    window = SnapshotWindow.of(lonely, [1])
    assert np.array_equal(as_dense(window), np.eye(2)[None])
    assert SnapshotWindow.of(lonely, [1], active=True).num_nodes == 0


def test_it_is_the_same_on_its_device(sequence):
    window = SnapshotWindow.of(sequence, [1, 2])
    moved = window.to(torch.device("cpu"))
    assert moved.steps == window.steps
    for a, b in zip((*moved.pattern, moved.nodes, moved.weight), (*window.pattern, window.nodes, window.weight),
                    strict=True):  # fmt: skip
        assert torch.equal(a, b)
