"""Sparse features and dropout: the same results, the same distribution, only cheaper."""

import pytest
import torch

from workbench.models import GCN, features_for, wrap
from workbench.models.features import dropout


def bag_of_words(density: float, nodes: int = 40, words: int = 50) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(nodes, words, generator=generator).lt(density).float()


def test_rare_words_are_stored_sparsely_and_common_ones_are_not():
    model = GCN(50, 4, 3)
    rare, common = bag_of_words(0.02), bag_of_words(0.5)
    assert torch.equal(features_for(model, rare).to_dense(), rare)
    assert features_for(model, rare).layout == torch.sparse_csr
    assert features_for(model, common) is common


@pytest.mark.parametrize("x", [bag_of_words(0.02).double(), torch.empty(0, 5), bag_of_words(0.02).to("meta")])
def test_features_are_left_alone_where_sparse_products_do_not_help(x):
    assert features_for(GCN(x.shape[1], 4, 3), x) is x


def test_a_module_of_ones_own_is_given_dense_features():
    own, x = torch.nn.Linear(50, 3), bag_of_words(0.02)
    assert features_for(own, x) is x
    assert features_for(wrap(GCN(50, 4, 3), ["convs.0"]), x) is x


def test_preparing_twice_changes_nothing():
    model = GCN(50, 4, 3)
    once = features_for(model, bag_of_words(0.02))
    assert features_for(model, once) is once


@pytest.mark.parametrize("sparse", [True, False])
def test_dropout_drops_its_share_and_keeps_the_mean(sparse):
    torch.manual_seed(0)
    x, p = torch.ones(300, 400), 0.6
    given = x.to_sparse_csr() if sparse else x
    dropped = dropout(given, p, training=True).to_dense()
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - p)])
    # 120,000 draws: the standard error of the share is 0.0014
    assert dropped.eq(0).float().mean().item() == pytest.approx(p, abs=0.006)


def test_dropout_of_sparse_features_leaves_them_sparse_and_as_they_were():
    x = bag_of_words(0.02).to_sparse_csr()
    before = x.values().clone()
    assert dropout(x, 0.5, training=True).layout == torch.sparse_csr
    assert torch.equal(x.values(), before)


@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True)])
def test_dropout_that_is_off_is_the_identity(p, training):
    x = bag_of_words(0.5)
    assert dropout(x, p, training) is x


def test_the_gradient_of_dropout_is_zero_where_it_dropped():
    x = torch.ones(20, 20, requires_grad=True)
    dropped = dropout(x, 0.5, training=True)
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())
