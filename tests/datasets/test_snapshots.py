"""Snapshots from events: against a count in plain Python, and what is refused."""

import dataclasses
from collections import defaultdict

import numpy as np
import pytest
import torch
from torch_geometric.data import TemporalData

from workbench.datasets import SnapshotSequence, check, event_links, fingerprint, measure
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


@pytest.mark.parametrize("width", [0, 2])
def test_weights_of_temporal_data_are_the_first_column_of_its_messages(width):
    ends = {"src": torch.tensor([0, 1]), "dst": torch.tensor([1, 2]), "t": torch.tensor([0, 9])}
    data = TemporalData(**ends, msg=torch.tensor([[2.0, 5.0], [3.0, 5.0]], requires_grad=True)[:, :width])
    if width:
        weights = SnapshotSequence.from_temporal_data(data, weighted=True, width=5).weights
        assert [part.tolist() for part in weights] == [[2.0], [3.0]]
        return
    with pytest.raises(UsageError, match=r"the msg of the TemporalData is \(2, 0\), without a column"):
        SnapshotSequence.from_temporal_data(data, weighted=True, width=5)


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


def test_too_few_snapshots_and_no_links_are_both_said():
    none = torch.zeros(2, 0, dtype=torch.int64)
    sequence = SnapshotSequence(2, [none], [torch.zeros(0)], [0], torch.tensor([1, 1]))
    with pytest.raises(UsageError, match=r"(?s)^x cannot be learned from:.*has 1 snapshot:.*no snapshot has a link"):
        check(sequence, "x")


def test_links_that_only_repeat_are_no_fault_of_the_graph():
    sequence = SnapshotSequence.from_snapshot_column([0, 1, 2], [0, 0, 0], [1, 1, 1])
    check(sequence, "x")
    assert measure(sequence)["new_links"] == 0


@pytest.mark.parametrize(("slices", "links"), [(5, None), (6, 3 * 6 + 5 + 1)])
def test_cumulative_snapshots_that_would_hold_too_many_links_are_refused(slices, links, monkeypatch):
    monkeypatch.setattr(event_links, "MOST_LINKS", 3 * 5 + 4 + 1)
    # Three pairs from the first snapshot on (one of them repeats), one from the second and one from the last.
    column = [0, 0, 0, 1, 1, slices - 1]
    ends = [0, 1, 2, 0, 0, 0], [1, 2, 3, 1, 2, 3]
    assert len(SnapshotSequence.from_snapshot_column(column, *ends)) == slices
    if links is None:
        cumulative = SnapshotSequence.from_snapshot_column(column, *ends, cumulative=True)
        assert measure(cumulative)["links"] == 3 * 5 + 4 + 1
        return
    with pytest.raises(UsageError, match=f"would hold {links} links together.*fewer slices, or cumulative=false"):
        SnapshotSequence.from_snapshot_column(column, *ends, cumulative=True)


def test_a_snapshot_without_links_is_no_fault():
    sequence = SnapshotSequence.from_snapshot_column([0, 0, 2], [0, 2, 0], [1, 3, 2])
    check(sequence, "x")
    assert sequence.links[1].shape == (2, 0)
    assert sequence.edge_index(1).shape == (2, 0)


@pytest.fixture
def by_hand():
    """Links 0–1 and 2–3, then 0–2, then 1–3; nobody ever meets node 4."""
    sequence = SnapshotSequence.from_snapshot_column(
        [0, 0, 1, 2], [0, 2, 0, 1], [1, 3, 2, 3], [0, 1, 5, 9], num_nodes=5
    )
    return dataclasses.replace(sequence, groups=torch.zeros(3, 5, dtype=torch.int16))


ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": [1, 2]}, "are for 3, 3 and 2 snapshots"),
        ({"events": [2, 1.0, 1]}, r"events has the entry 1\.0: expected whole numbers from 0"),
        ({"events": [2, -1, 1]}, "events has the entry -1"),
        ({"events": torch.tensor([2, 1, 1])}, "events is a .* tensor: expected a list with an entry per snapshot"),
        ({"links": None}, "links is a NoneType: expected a list with an entry per snapshot"),
        ({"weights": np.ones((3, 1))}, "weights is a NumPy array: expected a list"),
        ({"num_nodes": 5.0}, r"num_nodes is 5\.0: expected a whole number above zero"),
        ({"cumulative": "no"}, "cumulative is 'no': expected True or False"),
        ({"node_ids": ["a"]}, "there are 1 node_ids: expected one for each of 5 nodes"),
        ({"node_ids": [0, 1, 2, 3, 4]}, "node_ids are no list of texts"),
    ],
)
def test_lists_of_a_sequence_put_together_by_hand_are_checked(by_hand, changes, message):
    refused(by_hand, changes, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"birth": torch.tensor([0, 0, 0, 0])}, r"birth is \(4,\) of int64 on cpu: expected a tensor \(5,\) of int64"),
        ({"birth": torch.tensor([0.0, 0, 0, 0, 3])}, r"birth is \(5,\) of float32 on cpu: expected .* of int64"),
        ({"birth": np.array([0, 0, 0, 0, 3])}, r"birth is a NumPy array: expected a tensor \(5,\) of int64"),
        ({"boundaries": torch.arange(3.0).double()}, r"boundaries is \(3,\) .* expected a tensor \(4,\) of float64"),
        ({"boundaries": torch.arange(4.0)}, "boundaries is .* of float32 on cpu: expected .* of float64"),
        ({"groups": torch.zeros(5, 3).short()}, r"groups is \(5, 3\) .* expected a tensor \(3, 5\) of int16"),
        ({"groups": torch.zeros(3, 5)}, "groups is .* of float32 on cpu: expected .* of int16"),
        ({"groups": [[0] * 5] * 3}, "groups is a list: expected a tensor"),
        ({"weights": [torch.ones(2), ONE.double(), ONE]}, r"weights\[1\] is \(1,\) of float64 .* \(1,\) of float32"),
        ({"weights": [torch.ones(2), ONE, ONE.int()]}, r"weights\[2\] is \(1,\) of int32 on cpu"),
        ({"weights": [torch.ones(2, 1), ONE, ONE]}, r"weights\[0\] is \(2, 1\) of float32 on cpu: .* \(2,\)"),
        ({"weights": [torch.ones(2), torch.ones(2), ONE]}, r"weights\[1\] is \(2,\) .* expected a tensor \(1,\)"),
        ({"weights": [np.ones(2), ONE, ONE]}, r"weights\[0\] is a NumPy array: expected a tensor \(2,\)"),
        ({"links": [np.array([[0], [1]])] * 3}, r"links\[0\] is a NumPy array: expected a tensor \(2, L\) of int64"),
        ({"links": [torch.zeros(2, 1)] * 3}, r"links\[0\] is \(2, 1\) of float32"),
        ({"links": [torch.zeros(1, 2).long()] * 3}, r"links\[2\] is \(1, 2\) of int64"),
        ({"links": [torch.zeros(2, 2).long().to_sparse()] * 3}, r"links\[0\] is a sparse_coo tensor: expected"),
    ],
)
def test_types_and_shapes_of_a_sequence_put_together_by_hand_are_checked(by_hand, changes, message):
    refused(by_hand, changes, message)


REST = [torch.tensor([[0], [2]]), torch.tensor([[1], [3]])]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"birth": torch.tensor([0, 0, 1, 0, 3])}, "birth has an entry below the one before it"),
        ({"birth": torch.tensor([-1, 0, 0, 0, 3])}, "node 0 has the birth -1 and its first link is in snapshot 0"),
        ({"birth": torch.tensor([0, 0, 0, 1, 3])}, "node 3 has the birth 1 and its first link is in snapshot 0"),
        ({"birth": torch.tensor([0, 0, 0, 0, 2])}, "node 4 has the birth 2 and it has no link: expected .* and 3 for"),
        ({"boundaries": torch.tensor([0, 5, 4, 9.0]).double()}, "boundaries must be finite numbers, none below"),
        ({"boundaries": torch.tensor([0, 5, 6, float("inf")]).double()}, "boundaries must be finite numbers"),
        ({"groups": torch.full((3, 5), -2, dtype=torch.int16)}, "groups go down to -2"),
        ({"weights": [torch.ones(2), torch.zeros(1), ONE]}, "snapshot 1 has a weight that is not"),
        ({"links": [torch.tensor([[0, 2], [1, 5]]), *REST]}, "snapshot 0 links nodes from 0 to 5: expected 0 to 4"),
        ({"links": [torch.tensor([[-1, 2], [1, 3]]), *REST]}, "snapshot 0 links nodes from -1 to 3"),
        ({"links": [torch.tensor([[2, 0], [3, 1]]), *REST]}, "snapshot 0 must be sorted"),
        ({"links": [torch.tensor([[1, 2], [0, 3]]), *REST]}, "snapshot 0 must be sorted"),
    ],
)
def test_values_of_a_sequence_put_together_by_hand_are_checked(by_hand, changes, message):
    refused(by_hand, changes, message)


def refused(sequence, changes, message):
    check(sequence, "x")  # sound before it is changed
    with pytest.raises(UsageError, match=f"^x cannot be learned from:(?s:.*){message}"):
        check(dataclasses.replace(sequence, **changes), "x")
