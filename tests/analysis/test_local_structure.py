"""Shares of neighbours and their divergence, against the formulas written out and against the loss of training."""

from math import exp, log, sqrt

import numpy as np
import pytest
from scipy.stats import entropy

from workbench.analysis import local_structure
from workbench.analysis.local_structure import (
    neighbour_distribution,
    neighbour_log_distribution,
    neighbour_shares,
    node_divergence,
    telling_node,
    worst_matched,
)
from workbench.errors import UsageError

SIGMA = 0.7


def similarity(kernel, a, b):
    """SIM of two rows as the papers print it."""
    product = sum(x * y for x, y in zip(a, b, strict=True))
    squared = sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    if kernel.startswith("cosine"):
        lengths = sqrt(sum(x * x for x in a)) * sqrt(sum(y * y for y in b))
        cosine = product / lengths if lengths else 0.0
        return cosine if kernel == "cosine" else cosine**2
    return {
        "rbf": exp(-squared / (2 * SIGMA**2)),
        "l2": squared,
        "l2_norm": sqrt(squared),
        "linear": product,
        "poly": product**2,
        "laplace": exp(-sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 100),
    }[kernel]


def shares_by_hand(kernel, z, edges):
    found = []
    for j, i in edges:
        total = sum(exp(similarity(kernel, z[i], z[k])) for k, to in edges if to == i)
        found.append(exp(similarity(kernel, z[i], z[j])) / total)
    return found


@pytest.fixture
def graph():
    """Features of seven nodes in two models, and edges with a loop, an edge that is there twice, and nodes without."""
    rng = np.random.default_rng(3)
    edges = [(0, 1), (2, 1), (3, 1), (1, 0), (4, 0), (4, 4), (2, 4), (0, 3), (3, 2), (3, 2), (0, 2)]
    return rng.normal(size=(7, 5)), rng.normal(size=(7, 3)), edges


KERNELS = ["rbf", "l2", "poly", "linear", "laplace", "cosine", "cosine_squared", "l2_norm"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_shares_are_the_softmax_of_similarities_over_the_in_edges(graph, kernel):
    z, _, edges = graph
    z[6] = 0  # a row of zeros has no direction
    edges = [*edges, (6, 1)]
    found = neighbour_distribution(z, np.array(edges).T, 7, kernel, SIGMA)
    assert found == pytest.approx(shares_by_hand(kernel, z, edges), rel=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("direction", ["student_teacher", "teacher_student"])
def test_the_mean_divergence_is_the_loss_of_training(graph, kernel, direction):
    import torch

    from workbench.methods import lsp_loss

    teacher, student, edges = graph
    edge_index = np.array(edges).T
    logs = [neighbour_log_distribution(z, edge_index, 7, kernel, SIGMA) for z in (student, teacher)]
    found = node_divergence(*logs, edge_index, 7, direction)
    as_tensors = [torch.tensor(array) for array in (student, teacher, edge_index)]
    expected = lsp_loss(*as_tensors, kernel=kernel, sigma=SIGMA, direction=direction)
    assert found.mean() == pytest.approx(float(expected), rel=1e-9)
    assert found[[5, 6]].tolist() == [0.0, 0.0]  # nobody sends to these


def test_the_student_stands_first_as_in_the_paper():
    edge_index = [[1, 2], [0, 0]]
    student, teacher = [0.9, 0.1], [0.5, 0.5]
    logs = np.log(student), np.log(teacher)
    assert node_divergence(*logs, edge_index, 3)[0] == pytest.approx(entropy(student, teacher))
    reverse = node_divergence(*logs, edge_index, 3, "teacher_student")
    assert reverse[0] == pytest.approx(entropy(teacher, student))


def test_similarities_of_any_size_leave_finite_numbers():
    z = np.array([[0.0], [1.0], [100.0]])
    edge_index = [[1, 2], [0, 0]]
    far = neighbour_log_distribution(z, edge_index, 3, "l2")  # squared distances 1 and 10,000
    assert far.tolist() == [-9999.0, 0.0]
    near = np.log([0.5, 0.5])
    assert node_divergence(near, far, edge_index, 3)[0] == pytest.approx(0.5 * (log(0.5) + 9999) + 0.5 * log(0.5))
    assert neighbour_distribution(z, edge_index, 3, "poly").tolist() == [0.5, 0.5]  # node 0 is at the origin


@pytest.mark.parametrize("kernel", ["rbf", "cosine", "laplace"])
def test_blocks_of_edges_change_nothing(graph, kernel, monkeypatch):
    z, _, edges = graph
    whole = neighbour_distribution(z, np.array(edges).T, 7, kernel)
    monkeypatch.setattr(local_structure, "BLOCK", 10)  # two edges at a time
    assert np.array_equal(neighbour_distribution(z, np.array(edges).T, 7, kernel), whole)


def test_half_precision_is_read_exactly():
    z = np.array([[0.0, 300.0], [300.0, 0.0], [1.0, 300.0]], dtype=np.float16)
    found = neighbour_log_distribution(z, [[1, 2], [0, 0]], 3, "linear")
    assert found.tolist() == [-90000.0, 0.0]  # 0 and 300² = 90,000, more than float16 can hold


@pytest.mark.parametrize("kernel", KERNELS)
def test_shares_from_halves_are_those_from_the_same_numbers(graph, kernel):
    halves = graph[0].astype(np.float16)
    edge_index = np.array(graph[2]).T
    found = neighbour_log_distribution(halves, edge_index, 7, kernel, SIGMA)
    expected = neighbour_log_distribution(halves.astype(np.float64), edge_index, 7, kernel, SIGMA)
    assert found == pytest.approx(expected, abs=2e-6)


def test_shares_of_a_node_are_added_per_neighbour():
    edge_index = [[5, 2, 5, 0, 1], [0, 0, 0, 0, 3]]
    neighbours, shares = neighbour_shares(np.log([0.1, 0.4, 0.2, 0.3, 1.0]), edge_index, 0)
    assert neighbours.tolist() == [0, 2, 5]
    assert shares == pytest.approx([0.3, 0.4, 0.3])
    assert neighbour_shares(np.zeros(5), edge_index, 4)[0].tolist() == []


def test_the_worst_matched_nodes_come_first_and_of_equals_the_lower_number():
    divergence, degree = [0.2, 0.9, 0.2, 5.0, 0.0], [3, 2, 4, 0, 2]
    assert worst_matched(divergence, degree).tolist() == [1, 0, 2, 4]
    assert worst_matched(divergence, degree, at_least=3).tolist() == [0, 2]


def test_the_node_shown_first_is_one_that_a_picture_can_show():
    divergence = [0.2, 0.9, 0.3, 5.0, 0.0]
    assert telling_node(divergence, [3, 2, 20, 21, 2]) == 2
    assert telling_node(divergence, [2, 2, 2, 21, 2]) == 3  # none has 3 to 20 neighbours
    assert telling_node(divergence, [0] * 5) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": "gauss"}, "unknown kernel 'gauss'"),
        ({"sigma": 0.0}, "sigma is a width"),
        ({"sigma": float("nan")}, "sigma is a width"),
        ({"edge_index": [[0], [9]]}, "outside 0 to 2"),
        ({"features": np.ones((2, 4))}, "not one row for each of 3 nodes"),
    ],
)
def test_wrong_input_is_explained(changes, message):
    right = {"features": np.ones((3, 4)), "edge_index": [[0], [1]], "num_nodes": 3}
    with pytest.raises(UsageError, match=message):
        neighbour_log_distribution(**{**right, **changes})


def test_an_unknown_direction_is_explained():
    with pytest.raises(UsageError, match="unknown direction"):
        node_divergence([0.0], [0.0], [[0], [1]], 2, "sideways")
