"""What an online step may know: splits of the next snapshot's links, and guards that catch a planted one."""

from itertools import pairwise

import pytest
import torch

from workbench.datasets import SnapshotSequence, load_dataset
from workbench.errors import RunError, UsageError
from workbench.registry import datasets
from workbench.runs.live import Live
from workbench.runs.online import check
from workbench.runs.online_data import Stage, check_no_test_link, first_step, last_step, link_split
from workbench.runs.online_training import Learning, learn, walked
from workbench.settings import Online
from workbench.spec import Spec


def spec_of(**changes):
    return Spec.parse({"dataset": "builtin-communities", **changes}, "")


@pytest.fixture(scope="module")
def data():
    return load_dataset(datasets["builtin-communities"](nodes=120, snapshots=8))


def pairs_of(links):
    return {tuple(sorted(pair)) for pair in links.T.tolist()}


@pytest.mark.parametrize("predict", ["new", "all"])
@pytest.mark.parametrize("step", [2, 5, 6])
def test_links_of_the_next_snapshot_are_split_20_20_60(data, predict, step):
    split = link_split(data, Online(predict=predict), step, seed=3)
    there = {pair for pair in pairs_of(data.links[step + 1]) if max(pair) < data.seen(step) and pair[0] != pair[1]}
    earlier = set().union(*(pairs_of(data.links[t]) for t in range(step + 1)))
    expected = there - earlier if predict == "new" else there
    parts = [pairs_of(split[name].links) for name in ("train", "val", "test")]
    assert set.union(*parts) == expected
    assert sum(map(len, parts)) == len(expected)  # in one part each
    assert [len(part) for part in parts] == [
        round(0.2 * len(expected)),
        round(0.4 * len(expected)) - round(0.2 * len(expected)),
        len(expected) - round(0.4 * len(expected)),
    ]


def test_as_many_pairs_without_a_link_stand_beside_them(data):
    step = 5
    split = link_split(data, Online(), step, seed=3)
    linked = set().union(*(pairs_of(data.links[t]) for t in range(step + 2)))
    parts = [pairs_of(pairs.others) for pairs in split.values()]
    for pairs, part in zip(split.values(), parts, strict=True):
        assert pairs.others.shape == pairs.links.shape
        assert len(part) == pairs.others.shape[1]
        assert not part & linked
        assert all(a != b and b < data.seen(step) for a, b in part)
        assert pairs.both.shape[1] == len(pairs.truth) == 2 * pairs.links.shape[1]
        assert pairs.truth.sum() == pairs.links.shape[1]
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_the_split_depends_on_seed_and_step_alone(data):
    first = link_split(data, Online(), 4, seed=0)
    torch.manual_seed(99)
    again = link_split(data, Online(), 4, seed=0)
    other = link_split(data, Online(), 4, seed=1)
    assert all(torch.equal(first[name].both, again[name].both) for name in first)
    assert not torch.equal(first["test"].both, other["test"].both)


def test_a_step_with_hardly_any_links_is_not_judged():
    src, dst = [0, 1, 2, 3, 0], [1, 2, 3, 4, 4]
    sequence = SnapshotSequence.from_snapshot_column([0, 0, 0, 0, 1], src, dst)
    assert link_split(sequence, Online(), 0, seed=0) == {}


def test_where_almost_all_pairs_are_linked_a_step_is_not_judged_either():
    ends = torch.triu_indices(8, 8, offset=1)  # every pair
    sequence = SnapshotSequence.from_snapshot_column(
        torch.cat([torch.zeros(8), torch.ones(28)]).long().numpy(),
        torch.cat([torch.arange(8), ends[0]]).numpy(),
        torch.cat([torch.arange(8).roll(1), ends[1]]).numpy(),
    )
    assert link_split(sequence, Online(), 0, seed=0) == {}


def test_a_window_ends_with_the_present(data):
    stage = Stage.of(spec_of(), data, 5)
    assert list(stage.window(3)) == [3, 4, 5]
    assert list(stage.window(20)) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(RunError, match="snapshot 6 is predicted from snapshot 5"):
        walked(stage, 6)


def test_a_planted_test_link_is_caught_before_anything_is_learned(data, monkeypatch):
    """The snapshot that a student learns from is given a link of the test: nothing may be trained on that."""
    spec = spec_of()
    stage = Stage.of(spec, data, 5)
    planted = stage.splits["test"].links[:, :1]
    check_no_test_link(data.edge_index(5), stage.splits["test"].links, data.num_nodes)
    original = data.edge_index
    monkeypatch.setattr(
        data, "edge_index", lambda t: torch.cat([original(t), planted.flip(0)], 1) if t == 4 else original(t)
    )
    monkeypatch.setattr(data, "edge_weight", lambda t: torch.ones(data.edge_index(t).shape[1]))
    student = spec.student.build(data.seen(5), 0)

    class Order:
        device = torch.device("cpu")

    a, b = sorted(planted.view(-1).tolist())
    with pytest.raises(RunError, match=f"the link between nodes ({a} and {b}|{b} and {a}) is in the test"):
        learn(Learning(Order, stage, "student", spec.training), student, None, None, None)


def test_a_walk_never_crosses_a_link_of_the_test(data):
    stage = Stage.of(spec_of(), data, 5)
    test = pairs_of(stage.splits["test"].links)
    for at in stage.window(3):
        walks = walked(stage, at).walks
        crossed = {tuple(sorted(pair)) for walk in walks.tolist() for pair in pairwise(walk)}
        assert crossed
        assert not crossed & test


def test_the_teacher_learns_from_as_many_snapshots_as_its_window(data):
    spec = spec_of(teacher={"name": "dysat", "window": 3})
    assert first_step(spec) == 2
    assert last_step(spec, data) == 6
    assert last_step(spec.replace(online={"last": 4}), data) == 4
    assert Stage.of(spec, data, 5).known == data.seen(2)


def test_too_few_snapshots_are_refused(data):
    with pytest.raises(UsageError, match="at least 9 are needed"):
        check(spec_of(teacher={"name": "dysat", "window": 8, "hidden_channels": 64, "heads": 8}), data, Live())


def test_a_teacher_without_labels_cannot_be_shuffled(data):
    with pytest.raises(UsageError, match="take teacher_control='untrained'"):
        check(spec_of(teacher_control="shuffled"), data, Live())


def sequence_with(links_of):
    """A snapshot for each list of links."""
    events = [(t, a, b) for t, links in enumerate(links_of) for a, b in links]
    snapshot, src, dst = zip(*events, strict=True)
    return SnapshotSequence.from_snapshot_column(snapshot, src, dst)


@pytest.mark.parametrize("last", [0, 3, 99])
def test_a_last_step_that_there_is_not_is_refused(data, last):
    with pytest.raises(UsageError, match=rf"online\.last is {last}: online steps go from 4 to 6 here"):
        check(spec_of(teacher={"name": "dysat", "window": 5}, online={"last": last}), data, Live())


def test_a_teacher_that_would_see_no_link_is_refused(data):
    ring = [(node, (node + 1) % 30) for node in range(30)]
    loops = [(node, node) for node in range(30)]
    silent = sequence_with([loops, loops, loops, loops, ring, ring])
    with pytest.raises(UsageError, match=r"the first 4 snapshots .* have no link between two nodes"):
        check(spec_of(), silent, Live())


def test_many_steps_without_links_enough_are_counted_in_a_note():
    ring = [(node, (node + 1) % 40) for node in range(40)]
    far = [(node, (node + 20) % 40) for node in range(20)]
    repeating = sequence_with([ring] * 20 + [far])
    (note,) = check(spec_of(), repeating, Live())
    assert note.startswith("too few links to predict after snapshots 3, 4, 5, 6, 7, 8, 9, 10 and 8 more")


def test_links_that_only_repeat_leave_no_new_one_to_predict():
    ring = [(node, (node + 1) % 40) for node in range(40)]
    repeating = sequence_with([ring] * 8)
    repeating.check("the graph")
    with pytest.raises(UsageError, match=r"no snapshot .* has links enough to predict .* --online\.predict all"):
        check(spec_of(), repeating, Live())
    assert check(spec_of(online={"predict": "all"}), repeating, Live()) == []
