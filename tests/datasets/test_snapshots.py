"""Snapshots from events: against a count in plain Python, and what is refused."""

import dataclasses
from collections import defaultdict

import numpy as np
import pytest
import torch
from torch_geometric.data import TemporalData

from workbench.datasets import SnapshotSequence, check, fingerprint, measure
from workbench.errors import UsageError

SLICES = 4


def drawn_events(seed, nodes=12, count=60):
    """Snapshot, ends, whole seconds and weights; some slices may be empty, some links are loops, some repeat."""
    random = np.random.RandomState(seed)
    snapshot = np.sort(random.randint(0, SLICES, count))
    time = snapshot * 100 + random.randint(0, 100, count)
    # whoever has a large number cannot be met early on
    src, dst = (random.randint(0, 3 + nodes * (snapshot + 1) // (SLICES + 1)) for _ in range(2))
    return snapshot, src, dst, time, 0.25 * random.randint(1, 9, count)


def counted(snapshot, src, dst, weight, cumulative):
    """Per snapshot the weight of every pair of ids, and the first snapshot of every id: loops over the events."""
    birth, total = {}, [defaultdict(float) for _ in range(SLICES)]
    for t, one, other, value in sorted(zip(snapshot, src, dst, weight, strict=True), key=lambda event: event[0]):
        birth.setdefault(one, t)
        birth.setdefault(other, t)
        for later in range(t, SLICES if cumulative else t + 1):
            total[later][frozenset((one, other))] += value
    return total, birth


def links_of(sequence, t, edges, values):
    """Links with the ids of the source, and what stands beside them."""
    names = [int(name) for name in sequence.node_ids]
    return {frozenset((names[a], names[b])): v for (a, b), v in zip(edges.T.tolist(), values, strict=True)}


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_links_weights_and_births_are_those_of_a_plain_count(seed, cumulative):
    snapshot, src, dst, _, weight = drawn_events(seed)
    sequence = SnapshotSequence.from_snapshot_column(snapshot, src, dst, weight=weight, cumulative=cumulative)
    total, birth = counted(snapshot, src, dst, weight, cumulative)
    names = [int(name) for name in sequence.node_ids]
    assert sorted(names) == sorted(birth)
    assert sequence.birth.tolist() == [birth[name] for name in names]
    assert len(sequence) == snapshot.max() + 1
    for t in range(len(sequence)):
        assert links_of(sequence, t, sequence.links[t], sequence.weights[t].tolist()) == total[t]
        assert sequence.events[t] == (snapshot == t).sum()
        assert sequence.seen(t) == sum(born <= t for born in birth.values())
    check(sequence, "a drawn sequence")


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_new_links_join_nodes_seen_before_and_were_never_there(seed, cumulative):
    snapshot, src, dst, _, weight = drawn_events(seed)
    sequence = SnapshotSequence.from_snapshot_column(snapshot, src, dst, weight=weight, cumulative=cumulative)
    total, birth = counted(snapshot, src, dst, weight, cumulative=False)
    counts = []
    for t in range(len(sequence)):
        new = sequence.new_links(t)
        expected = {
            pair
            for pair in total[t]
            if len(pair) == 2 and all(birth[end] < t for end in pair) and not any(pair in total[s] for s in range(t))
        }
        assert set(links_of(sequence, t, new, [0] * new.shape[1])) == expected
        counts.append(len(expected))
    assert measure(sequence)["new_links"] == pytest.approx(sum(counts) / (len(sequence) - 1))
    assert sum(counts) > 0


def test_both_directions_of_a_link_and_a_loop_once():
    sequence = SnapshotSequence.from_snapshot_column([0, 0, 0], [1, 0, 2], [0, 0, 1], weight=[2.0, 3.0, 4.0])
    edges = dict(zip(map(tuple, sequence.edge_index(0).T.tolist()), sequence.edge_weight(0).tolist(), strict=True))
    assert edges == {(0, 0): 3.0, (0, 1): 2.0, (1, 0): 2.0, (1, 2): 4.0, (2, 1): 4.0}
    assert sequence.edge_index(0).dtype == torch.int64
    assert sequence.edge_weight(0).dtype == torch.float32


def test_types_are_those_that_are_promised():
    sequence = SnapshotSequence.from_events([0, 1], [1, 2], [0.0, 9.0], width=5)
    assert (sequence.links[0].dtype, sequence.weights[0].dtype) == (torch.int64, torch.float32)
    assert (sequence.birth.dtype, sequence.boundaries.dtype) == (torch.int64, torch.float64)
    assert sequence.weights[0].tolist() == [1.0]  # without weights, their number
    assert sequence.groups is None


def test_slices_by_the_calendar_are_the_given_snapshots():
    snapshot, src, dst, time, weight = drawn_events(0)
    time[0] = 0  # the first event, from which the calendar counts
    given = SnapshotSequence.from_snapshot_column(snapshot, src, dst, time, weight)
    cut = SnapshotSequence.from_events(src, dst, time, weight, width=100)
    assert fingerprint(cut) == fingerprint(given)
    assert cut.boundaries.tolist() == [0, 100, 200, 300, 400]
    again = SnapshotSequence.from_events(src, dst, time, weight, slicing="boundaries", boundaries=given.boundaries)
    assert fingerprint(again) == fingerprint(given)


def test_the_order_of_the_events_and_of_their_ends_does_not_matter():
    snapshot, src, dst, _, weight = drawn_events(1)
    mixed = np.random.RandomState(0).permutation(len(src))
    one = SnapshotSequence.from_snapshot_column(snapshot, src, dst, weight=weight)
    other = SnapshotSequence.from_snapshot_column(snapshot[mixed], dst[mixed], src[mixed], weight=weight[mixed])
    assert fingerprint(one) == fingerprint(other)
    assert one.node_ids == other.node_ids


def test_a_fingerprint_sees_everything_that_is_learned_from():
    snapshot, src, dst, _, weight = drawn_events(2)

    def of(**options):
        return fingerprint(SnapshotSequence.from_snapshot_column(snapshot, src, dst, **options))

    prints = {of(), of(weight=weight), of(cumulative=True), of(num_nodes=99)}
    assert len(prints) == 4
    assert all(len(text) == 12 and int(text, 16) >= 0 for text in prints)


def test_nodes_without_an_event_come_last_and_are_never_seen():
    sequence = SnapshotSequence.from_snapshot_column([0, 1], [3, 3], [1, 4], num_nodes=6)
    assert sequence.node_ids == ["1", "3", "4", "0", "2", "5"]
    assert sequence.birth.tolist() == [0, 0, 1, 2, 2, 2]
    assert [sequence.seen(t) for t in range(2)] == [2, 3]


def test_events_outside_given_boundaries_are_left_out():
    sequence = SnapshotSequence.from_events(
        ["a", "b", "c"], ["b", "c", "d"], [5, 15, 25], slicing="boundaries", boundaries=[10, 20]
    )
    assert sequence.events == [1]
    assert sequence.node_ids == ["b", "c", "a", "d"]


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_there_and_back_through_temporal_data(seed, cumulative):
    snapshot, src, dst, time, weight = drawn_events(seed)
    options = {"num_nodes": 20, "cumulative": cumulative}
    sequence = SnapshotSequence.from_snapshot_column(snapshot, src, dst, time, weight, **options)
    data = sequence.to_temporal_data()
    assert isinstance(data, TemporalData)
    back = SnapshotSequence.from_temporal_data(
        data, weighted=True, slicing="boundaries", boundaries=sequence.boundaries, **options
    )
    assert fingerprint(back) == fingerprint(sequence)
    assert (data.t.dtype, data.msg.shape) == (torch.int64, (data.num_events, 1))
    assert data.msg.sum().item() == pytest.approx(weight.sum())  # quarters: exact in float32


def test_temporal_data_of_snapshots_without_times_has_their_numbers():
    data = SnapshotSequence.from_snapshot_column([0, 2, 2], [0, 1, 0], [1, 2, 2]).to_temporal_data()
    assert data.t.tolist() == [0, 2, 2]


def test_temporal_data_without_times_is_refused():
    data = TemporalData(src=torch.tensor([0]), dst=torch.tensor([1]))
    with pytest.raises(UsageError, match="has no t: expected src, dst and t"):
        SnapshotSequence.from_temporal_data(data)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([], [], []), "there are no events"),
        (([0, 1], [1], [0, 0]), "expected one number per event"),
        (([0], [1], [np.nan]), "event 0 has the time nan"),
        (([0, 1], [1, 2], [0, 1], [1, -1]), "event 1 has the weight -1"),
        (([0, 1], [1, 2], [0, 1], [0, 1]), "event 0 has the weight 0: expected a finite number above zero"),
        (([0], [1], ["noon"]), "every time must be a number"),
    ],
)
def test_columns_that_are_none_are_refused(columns, message):
    with pytest.raises(UsageError, match=message):
        SnapshotSequence.from_events(*columns)


@pytest.mark.parametrize("options", [{"num_nodes": 2}, {"node_ids": ["a", "b"]}])
@pytest.mark.parametrize("ends", [([0], [2]), ([-1], [1]), ([0.5], [1.0])])
def test_ends_must_be_numbers_of_nodes_where_these_are_given(ends, options):
    with pytest.raises(UsageError, match="whole numbers from 0 to 1"):
        SnapshotSequence.from_events(*ends, [0], **options)


def test_a_name_for_every_node_or_none():
    with pytest.raises(UsageError, match="2 node ids for 3 nodes"):
        SnapshotSequence.from_events([0], [1], [0], num_nodes=3, node_ids=["a", "b"])


@pytest.mark.parametrize("snapshot", [[-1], [0.5], [10_000]])
def test_a_snapshot_must_be_a_number_of_one(snapshot):
    with pytest.raises(UsageError, match="must be whole numbers from 0 to 9,999"):
        SnapshotSequence.from_snapshot_column(snapshot, [0], [1])


def test_boundaries_beside_all_events_are_refused():
    with pytest.raises(UsageError, match="no event falls into any of the slices"):
        SnapshotSequence.from_events([0], [1], [0], slicing="boundaries", boundaries=[1, 2])


def test_too_few_snapshots_and_nothing_to_predict_are_both_said():
    sequence = SnapshotSequence.from_snapshot_column([0, 1], [0, 0], [1, 2])
    with pytest.raises(UsageError, match=r"(?s)^x cannot be learned from:.*has 2 snapshots.*nothing to predict"):
        check(sequence, "x")


def test_a_snapshot_without_links_is_no_fault():
    sequence = SnapshotSequence.from_snapshot_column([0, 0, 2], [0, 2, 0], [1, 3, 2])
    check(sequence, "x")
    assert sequence.links[1].shape == (2, 0)
    assert sequence.edge_index(1).shape == (2, 0)


@pytest.fixture
def by_hand():
    return SnapshotSequence.from_snapshot_column([0, 0, 1, 2], [0, 2, 0, 1], [1, 3, 2, 3])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": [1, 2]}, "are for 3, 3 and 2 snapshots"),
        ({"birth": torch.tensor([0, 0, 1, 0])}, "birth must have one entry for each of the 4 nodes"),
        ({"birth": torch.tensor([0, 0, 0])}, "birth must have one entry for each of the 4 nodes"),
        ({"birth": torch.tensor([0, 0, 0, 1])}, "snapshot 0 has a link of a node that is not among the 3 seen"),
        ({"weights": [torch.ones(2), torch.zeros(1), torch.ones(1)]}, "snapshot 1 has a weight that is not"),
        ({"weights": [torch.ones(2), torch.ones(2), torch.ones(1)]}, r"snapshot 1 has links \(2, 1\) of int64 and 2"),
        ({"links": [torch.tensor([[2, 0], [3, 1]]), *[torch.tensor([[0], [2]])] * 2]}, "snapshot 0 must be sorted"),
        ({"links": [torch.tensor([[1, 2], [0, 3]]), *[torch.tensor([[0], [2]])] * 2]}, "snapshot 0 must be sorted"),
    ],
)
def test_faults_of_a_sequence_put_together_by_hand_are_named(by_hand, changes, message):
    check(by_hand, "x")
    with pytest.raises(UsageError, match=message):
        check(dataclasses.replace(by_hand, **changes), "x")
