"""The drawn communities do what their history says, by counting links against the true communities."""

import numpy as np
import pytest
import torch

from workbench.datasets import BuiltinCommunitiesConfig, fingerprint, load_dataset
from workbench.datasets.builtin_communities import KEPT, LOYALTY, history

SEEDS = range(3)
SIZES = [(400, 12), (60, 6), (300, 31)]  # nodes, snapshots


def drawn(seed=0, nodes=400, snapshots=12):
    return load_dataset(BuiltinCommunitiesConfig(graph_seed=seed, nodes=nodes, snapshots=snapshots))


def density(sequence, t, one, other):
    """Share of the pairs between two sets of nodes (or inside one, if they are the same) that are linked."""
    low, high = sequence.links[t].numpy()
    linked = np.isin(low, one) & np.isin(high, other) | np.isin(low, other) & np.isin(high, one)
    same = set(one.tolist()) == set(other.tolist())
    return linked.sum() / (len(one) * (len(one) - 1) / 2 if same else len(one) * len(other))


def members(sequence, t, community):
    return np.flatnonzero(sequence.groups[t].numpy() == community)


def of_kind(kind, snapshots=12):
    return [happening for happening in history(snapshots) if happening.kind == kind]


@pytest.mark.parametrize("snapshots", [6, 7, 9, 12, 15, 31, 200])
def test_something_happens_in_five_snapshots_and_never_in_the_first(snapshots):
    steps = [happening.step for happening in history(snapshots)]
    assert len(set(steps)) == 5
    assert 0 < steps[0] < steps[-1] < snapshots
    assert steps == sorted(steps)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_community_is_linked_to_itself_far_more_than_to_others(seed):
    sequence = drawn(seed)
    for t in range(len(sequence)):
        group = sequence.groups[t].numpy()
        for community in np.unique(group[group >= 0]):
            own, others = members(sequence, t, community), np.flatnonzero((group >= 0) & (group != community))
            assert density(sequence, t, own, own) > 5 * density(sequence, t, own, others)


@pytest.mark.parametrize("seed", SEEDS)
def test_links_across_a_merge_are_rare_before_and_dense_after(seed):
    sequence = drawn(seed)
    ((step, _, (kept, lost), _),) = [(h.step, h.kind, h.before, h.after) for h in of_kind("merge")]
    one, other = (members(sequence, step - 1, community) for community in (kept, lost))
    before, after = (np.mean([density(sequence, t, one, other) for t in steps]) for steps in ([step - 1], [step + 1]))
    assert after > 3 * before
    assert not len(members(sequence, step, lost))
    still = np.isin(other, members(sequence, step, kept))
    assert still.mean() > 0.8  # but for those who moved away at the same time


@pytest.mark.parametrize("seed", SEEDS)
def test_the_halves_of_a_split_drift_apart(seed):
    sequence = drawn(seed)
    (split,) = of_kind("split")
    halves = [members(sequence, split.step, community) for community in split.after]
    assert abs(len(halves[0]) - len(halves[1])) <= 1
    before, after = (density(sequence, t, *halves) for t in (split.step - 1, split.step + 2))
    assert before > 3 * after
    assert min(density(sequence, split.step + 2, half, half) for half in halves) > 3 * after


@pytest.mark.parametrize("seed", SEEDS)
def test_the_dead_are_gone_and_the_born_were_not_there(seed):
    sequence = drawn(seed)
    (death,) = of_kind("death")
    (dead,) = death.before
    scattered = members(sequence, death.step - 1, dead)
    assert len(np.unique(sequence.groups[death.step].numpy()[scattered])) > 2
    for t in range(len(sequence)):
        assert bool(len(members(sequence, t, dead))) == (t < death.step)
        for birth in of_kind("birth"):
            assert bool(len(members(sequence, t, birth.after[0]))) == (t >= birth.step)


@pytest.mark.parametrize(("nodes", "snapshots"), SIZES)
@pytest.mark.parametrize("seed", SEEDS)
def test_nodes_are_born_in_order_when_they_first_have_a_community(seed, nodes, snapshots):
    sequence = drawn(seed, nodes, snapshots)
    assert (len(sequence), sequence.num_nodes) == (snapshots, nodes)
    assert sequence.groups.shape == (snapshots, nodes)
    assert sequence.groups.dtype == torch.int16
    assert (sequence.birth.diff() >= 0).all()
    assert sequence.seen(0) >= 0.5 * nodes - 1
    there = sequence.groups >= 0
    assert (there.long().diff(dim=0) >= 0).all()  # nobody leaves
    seen = torch.arange(snapshots)[:, None] >= sequence.birth
    assert (there | ~seen).all()  # nobody has a link without a community
    assert (there == seen).double().mean() > 0.999  # and hardly anybody waits for the first link


@pytest.mark.parametrize("seed", SEEDS)
def test_part_of_the_links_stay_and_new_ones_follow_the_communities(seed):
    sequence = drawn(seed)
    stayed, inside = [], []
    for t in range(1, len(sequence)):
        old, now = ({tuple(link) for link in sequence.links[s].T.tolist()} for s in (t - 1, t))
        stayed.append(len(old & now) / len(old))
        new = sequence.new_links(t)
        assert new.shape[1] >= 100
        inside.append((sequence.groups[t][new[0]] == sequence.groups[t][new[1]]).double().mean().item())
    assert KEPT - 0.15 < np.mean(stayed) < KEPT + 0.05  # across communities fewer stay, and some are drawn again
    assert LOYALTY - 0.15 < np.mean(inside) < 1  # part of the pairs inside were linked before


@pytest.mark.parametrize("seed", SEEDS)
def test_the_communities_say_more_about_new_links_than_common_neighbours(seed):
    from sklearn.metrics import roc_auc_score

    sequence, random = drawn(seed), np.random.RandomState(0)
    truth, neighbours = [], []
    for t in range(4, len(sequence)):
        new = sequence.new_links(t).numpy()
        pairs = np.concatenate([new, random.randint(0, sequence.seen(t - 1), (2, 5 * new.shape[1]))], axis=1)
        is_new = np.arange(pairs.shape[1]) < new.shape[1]
        adjacency = np.zeros((sequence.num_nodes,) * 2)
        adjacency[tuple(sequence.edge_index(t - 1).numpy())] = 1
        neighbours.append(roc_auc_score(is_new, (adjacency @ adjacency)[tuple(pairs)]))
        group = sequence.groups[t].numpy()
        truth.append(roc_auc_score(is_new, group[pairs[0]] == group[pairs[1]]))
    assert 0.52 < np.mean(neighbours) < 0.7 < 0.78 < np.mean(truth) < 0.92


@pytest.mark.parametrize(("nodes", "snapshots"), SIZES)
def test_a_seed_draws_one_graph_and_another_seed_another(nodes, snapshots):
    one, again, other = (drawn(seed, nodes, snapshots) for seed in (0, 0, 1))
    assert fingerprint(one) == fingerprint(again) != fingerprint(other)
    assert torch.equal(one.groups, again.groups)


def test_the_degree_does_not_depend_on_how_many_nodes_there_are():
    few, many = (drawn(nodes=nodes) for nodes in (400, 4000))
    degree = [2 * s.links[-1].shape[1] / s.num_nodes for s in (few, many)]
    assert degree == pytest.approx([6, 6], rel=0.05)
