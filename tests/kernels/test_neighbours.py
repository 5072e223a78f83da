"""The nearest points: compared with all distances in float64, one pair at a time."""

import sys
import types

import numpy as np
import pytest
import torch

from workbench.errors import UsageError
from workbench.kernels import neighbours
from workbench.kernels.neighbours import as_edges, cloud_sizes, nearest_neighbours, neighbour_table


def cloud(points=96, width=3, seed=0, dtype=torch.float64):
    return torch.randn(points, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_all_pairs(x, k, loop=True):
    """Neighbours (n, k) of one cloud from differences in float64; equal distances in order, the point itself first."""
    x = x.double().numpy()
    rows = []
    for i, centre in enumerate(x):
        squared = ((x - centre) ** 2).sum(1)
        squared[i] = -1 if loop else np.inf
        rows.append(np.lexsort([np.arange(len(x)), squared])[:k])
    return torch.from_numpy(np.stack(rows))


@pytest.fixture(params=["torch", "compiled"])
def sweep(request, monkeypatch):
    """Both ways to the lowest of a row."""
    monkeypatch.setattr(neighbours, "COMPILED_FROM", 0 if request.param == "compiled" else 2**62)


@pytest.mark.parametrize("width", [1, 3, 40])
@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("block", [None, 1, 1000])
def test_they_are_those_of_all_pairs(sweep, width, loop, block):
    x = cloud(width=width)
    found = nearest_neighbours(x, 7, loop=loop, block=block)
    assert torch.equal(found, as_edges(by_all_pairs(x, 7, loop)))


@pytest.mark.parametrize("k", [1, 95, 96])
def test_one_neighbour_is_the_point_itself_and_all_are_all(sweep, k):
    x = cloud()
    assert torch.equal(nearest_neighbours(x, k), as_edges(by_all_pairs(x, k)))
    assert torch.equal(nearest_neighbours(x, 1), torch.arange(96).expand(2, -1))


def test_edges_run_from_neighbours_to_centres_in_order_of_the_centres():
    x = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert nearest_neighbours(x, 2).tolist() == [[0, 1, 1, 0, 2, 1, 3, 2], [0, 0, 1, 1, 2, 2, 3, 3]]
    assert nearest_neighbours(x, 1, loop=False).tolist() == [[1, 0, 1, 2], [0, 1, 2, 3]]


def test_float32_finds_the_nearest_also_far_from_the_origin(sweep):
    x = cloud(width=8, dtype=torch.float32) + 1000
    exact = by_all_pairs(x, 10)
    found = neighbour_table(x, 10)
    assert torch.equal(found, exact)


def test_equally_near_points_come_in_the_order_of_their_numbers(sweep):
    lattice = torch.cartesian_prod(*[torch.arange(4.0)] * 3)[
        torch.randperm(64, generator=torch.Generator().manual_seed(1))
    ]
    twice = torch.cat([lattice, lattice[:20]])
    for k in (2, 5, 19):
        for loop in (True, False):
            assert torch.equal(neighbour_table(twice, k, loop=loop), by_all_pairs(twice, k, loop))


def test_a_point_is_its_own_first_neighbour_even_among_copies_of_itself(sweep):
    table = neighbour_table(torch.zeros(30, 3), 4)
    assert torch.equal(table[:, 0], torch.arange(30))
    assert table[10].tolist() == [10, 0, 1, 2]
    assert table[1].tolist() == [1, 0, 2, 3]


@pytest.mark.parametrize("sizes", [(32, 32, 32), (32, 32, 9, 40, 40), (96,)])
def test_points_of_other_clouds_are_no_neighbours(sweep, sizes):
    x = cloud(sum(sizes))
    batch = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    alone = [as_edges(by_all_pairs(part, 6)) for part in x.split(list(sizes))]
    starts = np.cumsum([0, *sizes[:-1]])
    expected = torch.cat([edges + int(start) for edges, start in zip(alone, starts, strict=True)], dim=1)
    for block in (None, 500):
        assert torch.equal(nearest_neighbours(x, 6, batch, block=block), expected)


def test_no_gradient_is_taken_and_half_precision_is_raised():
    x = cloud().requires_grad_()
    assert not nearest_neighbours(x, 3).requires_grad
    half = cloud(dtype=torch.float32).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(neighbour_table(half, 5), by_all_pairs(half, 5))


def test_points_that_are_not_finite_still_give_numbers_of_points(sweep):
    x = cloud(40)
    x[3] = float("nan")
    table = neighbour_table(x, 5)
    assert table.min() >= 0
    assert table.max() < 40


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nearest_neighbours(cloud(5), 6), "needs 6 neighbours and the smallest cloud has 5"),
        (lambda: nearest_neighbours(cloud(5), 5, loop=False), "the point itself"),
        (lambda: nearest_neighbours(cloud(5), 0), "choose k between 1"),
        (lambda: nearest_neighbours(cloud(5), 2, torch.tensor([0, 0, 0, 1, 1, 1])), r"expected shape \(5,\)"),
        (lambda: nearest_neighbours(cloud(5), 1, torch.tensor([0, 1, 0, 1, 1])), "side by side"),
        (lambda: nearest_neighbours(cloud(5), 1, torch.tensor([0, 0, 2, 2, 2])), "smallest cloud has 0"),
        (lambda: neighbour_table(cloud(5), 1, [3]), "clouds of 3 points need features"),
    ],
)
def test_what_does_not_fit_is_explained(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_sizes_of_clouds_are_counted():
    assert cloud_sizes(None, 7) == [7]
    assert cloud_sizes(torch.tensor([0, 0, 1, 1, 1]), 5) == [2, 3]


@pytest.mark.parametrize("loop", [True, False])
def test_torch_cluster_is_asked_for_large_clouds_only_and_means_the_same(loop, monkeypatch):
    """A stand-in with the interface of torch_cluster.knn: (query, found) pairs, the nearest of every query first."""
    asked = []

    def knn(x, y, k):
        asked.append(len(x))
        found = torch.cdist(y, x).argsort(stable=True)[:, :k]
        return torch.stack([torch.arange(len(y)).repeat_interleave(k), found.reshape(-1)])

    monkeypatch.setitem(sys.modules, "torch_cluster", types.SimpleNamespace(knn=knn))
    monkeypatch.setattr(neighbours, "_has_torch_cluster", lambda: True)
    monkeypatch.setattr(neighbours, "LARGE", 60)
    x = torch.cat([cloud(50), cloud(64, seed=1)])
    x[50:60] = x[50]  # copies, among which a point need not find itself first
    batch = torch.tensor([0] * 50 + [1] * 64)
    table = nearest_neighbours(x, 5, batch, loop=loop)[0].view(-1, 5)
    assert asked == [64]
    apart = torch.cat([torch.arange(50), torch.arange(60, 114)])  # copies are equally near: any of them will do
    exact = torch.cat([by_all_pairs(x[:50], 5, loop), by_all_pairs(x[50:], 5, loop) + 50])
    distance = [(x[index] - x[:, None]).norm(dim=2) for index in (table, exact)]
    torch.testing.assert_close(*distance)
    plain = [row for row in apart.tolist() if not (exact[row] < 60).logical_and(exact[row] >= 50).any()]
    assert len(plain) > 60
    assert torch.equal(table[plain], exact[plain])
    itself = (table == torch.arange(114)[:, None]).any(1)
    assert itself.all() if loop else not itself.any()
