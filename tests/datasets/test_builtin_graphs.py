"""The graphs that need no network: what they are made of, and that a seed always gives the same one."""

import numpy as np
import pytest
import torch

from workbench.datasets import (
    BuiltinCitationConfig,
    BuiltinDigitsConfig,
    BuiltinKarateConfig,
    fingerprint,
    load_dataset,
)
from workbench.datasets.builtin_digits import nearest
from workbench.errors import UsageError


@pytest.fixture(scope="module")
def citation():
    return load_dataset("builtin-citation")


@pytest.fixture(scope="module")
def digits():
    return load_dataset("builtin-digits")


def directions(data):
    return set(map(tuple, data.edge_index.T.tolist()))


def test_a_graph_seed_always_draws_the_same_citations(citation):
    before = np.random.get_state()[1].copy()
    torch.manual_seed(1)
    assert fingerprint(load_dataset("builtin-citation")) == fingerprint(citation)
    assert (np.random.get_state()[1] == before).all()
    assert fingerprint(load_dataset(BuiltinCitationConfig(graph_seed=1))) != fingerprint(citation)


def test_citations_go_both_ways_once_and_never_to_oneself(citation):
    edges = directions(citation)
    assert len(edges) == citation.edge_index.shape[1]
    assert {(b, a) for a, b in edges} == edges
    assert all(a != b for a, b in edges)


def test_papers_are_split_as_in_the_public_split(citation):
    assert torch.bincount(citation.y[citation.train_mask]).tolist() == [20] * 7
    assert int(citation.val_mask.sum()) == 500
    assert int(citation.test_mask.sum()) == 1000


def test_papers_are_sparse_bags_of_words_and_classes_prefer_different_ones(citation):
    assert set(citation.x.unique().tolist()) == {0.0, 1.0}
    words = citation.x.sum(1)
    assert words.min() >= 1
    assert words.max() <= 28
    use = torch.stack([citation.x[citation.y == label].mean(0) for label in range(7)])  # (7, words)
    # A word of one topic only is written by its class with chance ≥ 1 − (1 − 0.27/60)^12 more than by others.
    assert ((use.max(0).values - use.median(0).values) > 0.05).sum() > 100


def test_a_share_of_the_citations_leaves_its_class(citation):
    source, target = citation.edge_index
    share = (citation.y[source] == citation.y[target]).double().mean()
    assert 0.6 < share < 0.8


def test_the_citation_graph_is_refused_a_negative_seed():
    with pytest.raises(UsageError, match="graph_seed"):
        BuiltinCitationConfig.parse({"graph_seed": -1})


def test_every_digit_is_joined_to_its_nearest_neighbours():
    pixels = np.array([[0.0], [1.0], [3.0], [6.0]])
    assert nearest(pixels, 1).tolist() == [[1, 0, 1, 2], [0, 1, 2, 3]]


def test_ties_among_neighbours_go_to_the_lower_index():
    pixels = np.array([[0.0], [2.0], [1.0]])
    assert nearest(pixels, 1).tolist() == [[2, 2, 0], [0, 1, 2]]


def test_digits_agree_with_scikit_learns_neighbours(digits):
    from sklearn.neighbors import NearestNeighbors

    pixels = digits.x.numpy().astype(np.float64)
    far = NearestNeighbors(n_neighbors=9, algorithm="brute").fit(pixels).kneighbors(pixels)[0][:, 8]
    source, target = digits.edge_index.numpy()
    length = np.linalg.norm(pixels[source] - pixels[target], axis=1)
    assert (length <= np.maximum(far[source], far[target]) + 1e-5).all()
    edges = directions(digits)
    assert {(b, a) for a, b in edges} == edges
    assert torch.bincount(digits.edge_index[1]).min() >= 8


def test_more_neighbours_mean_more_edges(digits):
    wider = load_dataset(BuiltinDigitsConfig(k=12))
    assert directions(digits) < directions(wider)
    assert torch.equal(digits.train_mask, wider.train_mask)


def test_the_karate_club_has_one_training_person_per_community():
    club = load_dataset(BuiltinKarateConfig())
    assert torch.equal(club.x, torch.eye(34))
    assert club.y[club.train_mask].sort().values.tolist() == [0, 1, 2, 3]
    assert (club.train_mask.int() + club.val_mask.int() + club.test_mask.int() == 1).all()
