"""Random walks and what is drawn from them, counted and held against the probabilities that they should have."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor

from workbench.training.walks import Contexts

# A graph of 8 nodes: 5 is linked to itself only, 6 to nobody, 7 to one node.
LINKS = [
    (0, 1, 1.0),
    (0, 2, 3.0),
    (1, 2, 0.5),
    (2, 3, 2.0),
    (3, 4, 1.0),
    (0, 4, 0.25),
    (5, 5, 4.0),
    (4, 4, 2.0),
    (7, 1, 1.0),
]
NODES = 8
LIKELY = 1e-4  # a draw as uneven as this would come once in ten thousand; the seeds are fixed


def both_ways(links: list[tuple[int, int, float]]) -> tuple[Tensor, Tensor]:
    """edge_index (2, E) with both directions of each link, a loop once, and weights (E,)."""
    edges = [(a, b, w) for a, b, w in links] + [(b, a, w) for a, b, w in links if a != b]
    return torch.tensor([edge[:2] for edge in edges]).T, torch.tensor([edge[2] for edge in edges])


def walked(
    links: list[tuple[int, int, float]] = LINKS, nodes: int = NODES, *, seed: int = 0, **options: int
) -> Contexts:
    sizes = {"walks": 4, "length": 6, "reach": 2, **options}
    return Contexts.of(*both_ways(links), nodes, generator=torch.Generator().manual_seed(seed), **sizes)


def fits(counts: Counter[int], expected: dict[int, float]) -> bool:
    """Whether counts of draws agree with probabilities, by the chi-square test."""
    assert set(counts) <= {key for key, p in expected.items() if p > 0}
    total, keys = sum(counts.values()), [key for key, p in expected.items() if p > 0]
    share = np.array([expected[key] for key in keys])
    return len(keys) == 1 or chisquare([counts[key] for key in keys], total * share / share.sum()).pvalue > LIKELY


@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25, unique_by=frozenset),
    walks=st.integers(1, 5),
    length=st.integers(2, 7),
    seed=st.integers(0, 100),
)
@settings(max_examples=60, deadline=None)
def test_every_step_follows_an_edge(pairs: list[tuple[int, int]], walks: int, length: int, seed: int) -> None:
    links = [(a, b, 1.0 + a) for a, b in pairs]
    made = walked(links, 10, seed=seed, walks=walks, length=length)
    steps = {(a, b) for a, b in pairs if a != b} | {(b, a) for a, b in pairs if a != b}
    linked = sorted({a for a, _ in steps})
    assert made.walks.shape == (len(linked) * walks, length)
    assert Counter(made.walks[:, 0].tolist()) == dict.fromkeys(linked, walks)
    for walk in made.walks.tolist():
        assert all(step in steps for step in pairwise(walk)), "loops lead nowhere"
    assert made.active.nonzero().view(-1).tolist() == linked


def test_steps_are_taken_with_probability_by_weight() -> None:
    made = walked(walks=3000, length=4)
    edges, weight = both_ways(LINKS)
    taken = [Counter[int]() for _ in range(NODES)]
    for walk in made.walks.tolist():
        for here, there in pairwise(walk):
            taken[here][there] += 1
    for node in (0, 1, 2, 3, 4, 7):
        out = (edges[0] == node) & (edges[1] != node)
        expected = dict(zip(edges[1, out].tolist(), weight[out].tolist(), strict=True))
        assert sum(taken[node].values()) > 2000
        assert fits(taken[node], expected)


def pairs_of(made: Contexts, node: int) -> Counter[int]:
    """The contexts of a node: whoever else stands within reach of one of its places in a walk, as often as that is."""
    found: Counter[int] = Counter()
    for walk in made.walks.tolist():
        for i, here in enumerate(walk):
            for j in range(max(i - made.reach, 0), min(i + made.reach + 1, len(walk))):
                if here == node and walk[j] != node:
                    found[walk[j]] += 1
    return found


@pytest.mark.parametrize(("length", "reach"), [(2, 1), (6, 2), (5, 10)])
def test_contexts_are_drawn_evenly_from_all_that_there_are(length: int, reach: int) -> None:
    made = walked(length=length, reach=reach)
    nodes = made.active.nonzero().view(-1)
    torch.manual_seed(0)
    drawn = made.draw(nodes, 4000)
    assert drawn.shape == (len(nodes), 4000)
    for node, contexts in zip(nodes.tolist(), drawn.tolist(), strict=True):
        every = pairs_of(made, node)
        assert node not in every
        assert fits(Counter(contexts), {key: float(count) for key, count in every.items()})


def test_nodes_may_be_asked_for_in_any_order_and_often() -> None:
    made = walked([(0, 1, 1.0), (2, 3, 1.0)], 5)
    torch.manual_seed(0)
    assert made.draw(torch.tensor([3, 0, 3, 1]), 2).tolist() == [[2, 2], [1, 1], [2, 2], [0, 0]]
    assert made.draw(torch.tensor([], dtype=torch.long), 3).shape == (0, 3)
    assert made.active.tolist() == [True, True, True, True, False]


def test_negatives_follow_the_degree_to_the_power_of_three_quarters() -> None:
    made = walked()
    torch.manual_seed(0)
    drawn = made.draw_negatives(500, 40)
    assert drawn.shape == (500, 40)
    degrees = [3, 3, 3, 2, 2, 0, 0, 1]  # links to others, whatever they weigh
    assert fits(Counter(drawn.view(-1).tolist()), {node: degree**0.75 for node, degree in enumerate(degrees)})


def test_a_hub_is_drawn_less_often_than_its_degree_says() -> None:
    made = walked([(0, leaf, 1.0) for leaf in range(1, 17)], 17)
    torch.manual_seed(0)
    share = made.draw_negatives(20_000).eq(0).double().mean().item()
    expected = 16**0.75 / (16**0.75 + 16)  # a third, where the degree would say a half
    assert share == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 20_000) ** 0.5)


def test_a_generator_decides_on_the_walks() -> None:
    torch.manual_seed(0)
    first, second, other = walked(seed=3), walked(seed=3), walked(seed=4)
    assert torch.equal(first.walks, second.walks)
    assert not torch.equal(first.walks, other.walks)


def test_torchs_random_state_decides_on_the_draws() -> None:
    made = walked()
    nodes, found = torch.tensor([0, 1, 2]), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(torch.cat([made.draw(nodes, 20), made.draw_negatives(3, 20)]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_snapshot_without_links_has_no_walks() -> None:
    for links in ([(5, 5, 1.0)], []):
        edges = both_ways(links) if links else (torch.zeros(2, 0, dtype=torch.long), torch.zeros(0))
        made = Contexts.of(*edges, NODES, walks=3, length=4, reach=2)
        assert made.walks.shape == (0, 4)
        assert not made.active.any()
        assert made.draw_negatives(0, 10).shape == (0, 10)


def test_large_and_tiny_weights_walk_on_edges_of_the_node() -> None:
    links = [(0, 1, 1e-6), (1, 2, 1e6), (2, 3, 1e-6), (3, 4, 1.0)]
    made = walked(links, 5, walks=200, length=10)
    steps = {(a, b) for a, b, _ in links} | {(b, a) for a, b, _ in links}
    assert {step for walk in made.walks.tolist() for step in pairwise(walk)} <= steps


def test_they_are_the_same_on_their_device() -> None:
    made = walked()
    moved = made.to(torch.device("cpu"))
    assert moved.reach == made.reach
    for name in ("walks", "places", "first", "cumulative"):
        assert torch.equal(getattr(moved, name), getattr(made, name))
