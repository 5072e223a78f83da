"""A sample of nodes: its size, its shares, and no class left out."""

import numpy as np
import pytest

from workbench.analysis.node_sample import stratified_sample
from workbench.errors import UsageError


def classes(*counts, seed=0):
    """Shuffled labels with so many nodes of every class."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def test_it_has_the_asked_size_and_no_node_twice():
    sample = stratified_sample(classes(500, 300, 200), 97)
    assert len(sample) == len(set(sample.tolist())) == 97
    assert sample.tolist() == sorted(sample.tolist())
    assert sample[0] >= 0
    assert sample[-1] < 1000


def test_every_class_has_its_share():
    y = classes(5000, 3000, 2000)
    assert np.bincount(y[stratified_sample(y, 1000)]).tolist() == pytest.approx([500, 300, 200], abs=1)


def test_a_class_of_one_node_is_not_left_out():
    y = classes(100_000, 1, 1, 7)
    assert set(y[stratified_sample(y, 50)].tolist()) == {0, 1, 2, 3}


def test_as_many_places_as_classes_give_one_node_of_each():
    y = classes(40, 30, 20, 10)
    assert sorted(y[stratified_sample(y, 4)].tolist()) == [0, 1, 2, 3]


def test_within_a_class_every_node_has_the_same_chance():
    y = classes(60, 40)
    drawn = np.bincount(np.concatenate([stratified_sample(y, 50, seed) for seed in range(400)]), minlength=100)
    assert drawn == pytest.approx(np.full(100, 200), abs=60)  # 200 of 400 draws; six standard deviations of 10


def test_the_same_seed_gives_the_same_nodes_and_another_one_others():
    y = classes(500, 500)
    assert stratified_sample(y, 100).tolist() == stratified_sample(y, 100).tolist()
    assert stratified_sample(y, 100).tolist() != stratified_sample(y, 100, seed=1).tolist()


def test_labels_need_not_count_from_zero():
    y = np.array([-1] * 50 + [7] * 50)
    assert np.unique(y[stratified_sample(y, 10)], return_counts=True)[1].tolist() == [5, 5]


@pytest.mark.parametrize("size", [10, 11, 10_000])
def test_a_sample_of_all_nodes_is_all_nodes(size):
    assert stratified_sample(classes(4, 6), size).tolist() == list(range(10))


def test_a_sample_too_small_for_all_classes_is_refused():
    with pytest.raises(UsageError, match="one of each of 3 classes"):
        stratified_sample(classes(5, 5, 5), 2)


def test_several_labels_per_node_are_refused():
    with pytest.raises(UsageError, match="one class per node"):
        stratified_sample(np.zeros((5, 2)), 2)
