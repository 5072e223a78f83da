"""Neighbour sampling: the format of a mini-batch, what may be in it, and with which probability."""

from collections import Counter
from itertools import combinations
from math import comb

import pytest
import torch
from scipy.stats import binom, chisquare

from workbench.errors import UsageError
from workbench.training.neighbour_sampling import (
    InEdges,
    NeighbourSampler,
    draw_below,
    draw_subsets,
    has_pyg_sampler,
    neighbour_sampler,
)

UNLIKELY = 1e-4  # the seeds are fixed, so that a test that passes once always does


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def edge_index():
    """40 nodes, 400 edges, some of them twice, and a node that nothing leads to."""
    edges = torch.randint(40, (2, 400), generator=generator())
    return edges[:, edges[1] != 5]


def sampler(edge_index, num_neighbors, replace=False, nodes=40, seed=0) -> NeighbourSampler:
    return NeighbourSampler(InEdges.of(edge_index, nodes), num_neighbors, replace, generator(seed))


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("fan_out", [[3], [4, 2], [-1, 3], [2, -1, 1]])
def test_edges_are_edges_of_the_graph_and_nodes_are_numbered_from_the_seeds(edge_index, fan_out, replace):
    seeds = torch.tensor([31, 5, 0, 17])
    batch = sampler(edge_index, fan_out, replace).sample(seeds)
    assert batch.batch_size == 4
    assert torch.equal(batch.n_id[:4], seeds)
    assert batch.n_id.unique().numel() == batch.n_id.numel() == batch.num_nodes == sum(batch.num_sampled_nodes)
    assert torch.equal(batch.n_id[batch.edge_index], edge_index[:, batch.e_id])
    assert batch.e_id.numel() == sum(batch.num_sampled_edges)


@pytest.mark.parametrize("fan_out", [[3], [4, 2], [2, 2, 2]])
def test_a_node_is_expanded_once_in_the_hop_after_it_was_found(edge_index, fan_out):
    """With k neighbours asked for, a node of in-degree d has min(k, d) different edges; the last nodes have none."""
    batch = sampler(edge_index, fan_out).sample(torch.tensor([31, 5, 0, 17]))
    degree = torch.bincount(edge_index[1], minlength=40)[batch.n_id]
    asked = torch.repeat_interleave(torch.tensor([*fan_out, 0]), torch.tensor(batch.num_sampled_nodes))
    assert torch.equal(torch.bincount(batch.edge_index[1], minlength=batch.num_nodes), degree.minimum(asked))
    assert batch.e_id.unique().numel() == batch.e_id.numel()
    hop_of = torch.repeat_interleave(torch.arange(len(fan_out) + 1), torch.tensor(batch.num_sampled_nodes))
    hop_of_edge = torch.repeat_interleave(torch.arange(len(fan_out)), torch.tensor(batch.num_sampled_edges))
    assert torch.equal(hop_of[batch.edge_index[1]], hop_of_edge)


def test_all_neighbours_of_all_hops_are_the_subgraph_that_can_be_reached(edge_index):
    from torch_geometric.utils import k_hop_subgraph

    seeds = torch.tensor([3, 22])
    batch = sampler(edge_index, [-1, -1]).sample(seeds)
    nodes, *_ = k_hop_subgraph(seeds, 2, edge_index)
    inner, *_ = k_hop_subgraph(seeds, 1, edge_index)
    assert torch.equal(batch.n_id.sort().values, nodes)
    into_inner = torch.isin(edge_index[1], inner).nonzero().view(-1)
    assert torch.equal(batch.e_id.sort().values, into_inner)


def test_with_replacement_every_node_with_a_neighbour_has_as_many_edges_as_asked_for(edge_index):
    batch = sampler(edge_index, [30], replace=True).sample(torch.tensor([31, 5]))
    assert torch.bincount(batch.edge_index[1], minlength=2)[:2].tolist() == [30, 0]


def test_the_same_generator_gives_the_same_batches_and_one_leaves_no_trace_for_the_next(edge_index):
    seeds = torch.tensor([1, 2, 3])
    first, again, other = (sampler(edge_index, [4, 4], seed=seed) for seed in (0, 0, 1))
    batches = [first.sample(seeds), again.sample(seeds), other.sample(seeds)]
    assert torch.equal(batches[0].e_id, batches[1].e_id)
    assert not torch.equal(batches[0].e_id, batches[2].e_id)
    assert not torch.equal(first.sample(seeds).e_id, batches[0].e_id)
    assert (first._position == -1).all()


def test_numbers_below_a_bound_are_uniform():
    drawn = draw_below(torch.full((70_000,), 7), generator())
    assert chisquare(torch.bincount(drawn, minlength=7).numpy()).pvalue > UNLIKELY
    assert (draw_below(torch.ones(100, dtype=torch.long), generator()) == 0).all()


@pytest.mark.parametrize(("population", "size"), [(5, 1), (5, 2), (6, 3), (5, 4)])
def test_every_subset_is_equally_likely(population, size):
    subsets = list(combinations(range(population), size))
    assert len(subsets) == comb(population, size)
    drawn = draw_subsets(torch.full((2000 * len(subsets),), population), size, generator())
    counts = Counter(tuple(row) for row in drawn.sort(1).values.tolist())
    assert set(counts) <= set(subsets)  # no number twice, none out of bounds
    assert chisquare([counts[subset] for subset in subsets]).pvalue > UNLIKELY


def subset_counts(sample, draws: int) -> Counter:
    """How often each set of three edges into node 0, of six, is drawn."""
    found = (sample(torch.tensor([0, 7])) for _ in range(draws))
    return Counter(tuple(sorted(batch.e_id[batch.edge_index[1] == 0].tolist())) for batch in found)


@pytest.fixture(scope="module")
def star():
    """Six edges into node 0 and one into node 7, in mixed order."""
    return torch.tensor([[1, 9, 2, 3, 4, 5, 6], [0, 7, 0, 0, 0, 0, 0]])


def test_every_set_of_edges_into_a_node_is_equally_likely(star):
    counts = subset_counts(sampler(star, [3], nodes=10).sample, 4000)
    assert set(counts) == set(combinations([0, 2, 3, 4, 5, 6], 3))
    assert chisquare(list(counts.values())).pvalue > UNLIKELY


def test_with_replacement_the_multiplicity_of_an_edge_is_binomial(star):
    drawing = sampler(star, [3], replace=True, nodes=10)
    times = Counter(int((drawing.sample(torch.tensor([0])).e_id == 4).sum()) for _ in range(6000))
    expected = [6000 * binom.pmf(k, 3, 1 / 6) for k in range(4)]
    assert chisquare([times[k] for k in range(4)], expected).pvalue > UNLIKELY


@pytest.mark.skipif(not has_pyg_sampler(), reason="needs pyg-lib or torch-sparse")
def test_pygs_own_sampler_has_the_same_distribution(star):
    torch.manual_seed(0)
    counts = subset_counts(neighbour_sampler(star, 10, [3], backend="pyg"), 4000)
    assert set(counts) == set(combinations([0, 2, 3, 4, 5, 6], 3))
    assert chisquare(list(counts.values())).pvalue > UNLIKELY


@pytest.mark.skipif(not has_pyg_sampler(), reason="needs pyg-lib or torch-sparse")
@pytest.mark.parametrize("fan_out", [[-1], [-1, -1], [40, 40]])
def test_without_chance_pygs_own_sampler_gives_the_same_nodes_and_edges(edge_index, fan_out):
    seeds = torch.tensor([31, 5, 0, 17])
    ours, theirs = (neighbour_sampler(edge_index, 40, fan_out, backend=name)(seeds) for name in ("torch", "pyg"))
    assert theirs.batch_size == ours.batch_size
    assert torch.equal(theirs.n_id[:4], seeds)
    assert torch.equal(theirs.n_id.sort().values, ours.n_id.sort().values)
    assert torch.equal(theirs.e_id.sort().values, ours.e_id.sort().values)
    assert torch.equal(theirs.n_id[theirs.edge_index], edge_index[:, theirs.e_id])
    if theirs.num_sampled_nodes is not None:  # torch-sparse does not count
        assert list(theirs.num_sampled_nodes) == ours.num_sampled_nodes


@pytest.mark.skipif(has_pyg_sampler(), reason="PyG's sampler is installed")
def test_pygs_sampler_where_there_is_none_is_refused(star):
    with pytest.raises(UsageError, match="pyg-lib or torch-sparse"):
        neighbour_sampler(star, 10, [3], backend="pyg")


@pytest.mark.parametrize("fan_out", [[], [0], [3, -2]])
def test_numbers_of_neighbours_that_mean_nothing_are_refused(star, fan_out):
    with pytest.raises(UsageError, match="num_neighbors"):
        sampler(star, fan_out, nodes=10)


@pytest.mark.parametrize(
    ("seeds", "message"), [([], "no node"), ([10], "node 10"), ([-1], "node -1"), ([2, 3, 2], "twice")]
)
def test_seeds_that_cannot_be_are_refused(star, seeds, message):
    with pytest.raises(UsageError, match=message):
        sampler(star, [3], nodes=10).sample(torch.tensor(seeds, dtype=torch.long))
