"""The edge pattern of any multigraph: sorted, symmetric only where it is, and equal to a dense matrix in products."""

from collections import Counter

import numpy as np
import pytest
import torch
from drawn import edges_among, graphs_among
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import UsageError
from workbench.kernels.csr import EdgePattern, check_edges, union_edges
from workbench.kernels.edge_numbers import has_sparse_products

needs_products = pytest.mark.skipif(
    not has_sparse_products(torch.device("cpu")), reason="torch multiplies no sparse matrices on this processor"
)
NO_EDGE = np.empty((2, 0), dtype=np.int64)


@st.composite
def graphs(draw):
    """(edges (2, E), number of nodes), of one node at least."""
    nodes = draw(st.integers(1, 7))
    return draw(graphs_among(nodes)), nodes


def pairs(edges):
    return [(int(j), int(i)) for j, i in np.asarray(edges).T]


def pattern_of(edges, nodes):
    return EdgePattern.of(torch.from_numpy(edges.copy()), nodes)


def dense(pattern, values):
    """The matrix, entry by entry: row i, column j for an edge (j → i); duplicates add up."""
    matrix = np.zeros((pattern.num_nodes, pattern.num_nodes))
    for i, j, value in zip(pattern.row.tolist(), pattern.col.tolist(), values.tolist(), strict=True):
        matrix[i, j] += value
    return matrix


@given(graph=graphs())
@settings(max_examples=20, deadline=None)
@example(graph=(NO_EDGE, 1))
@example(graph=(NO_EDGE, 5))
@example(graph=(np.array([[0, 0], [0, 0]]), 1))
def test_edges_are_sorted_by_destination_and_then_source(graph):
    edges, nodes = graph
    pattern = pattern_of(edges, nodes)
    listed = list(zip(pattern.row.tolist(), pattern.col.tolist(), strict=True))
    assert listed == sorted((i, j) for j, i in pairs(edges))
    assert pattern.num_nodes == nodes
    assert pattern.num_edges == edges.shape[1]
    assert sorted(pattern.order.tolist()) == list(range(edges.shape[1]))
    assert [(i, j) for j, i in pairs(edges[:, pattern.order.numpy()])] == listed
    in_degrees = [int((edges[1] == node).sum()) for node in range(nodes)]
    assert pattern.rowptr.tolist() == np.cumsum([0, *in_degrees]).tolist()


@given(graph=graphs())
@settings(max_examples=20, deadline=None)
@example(graph=(NO_EDGE, 3))
def test_the_transposed_order_is_that_of_sources_and_then_destinations(graph):
    edges, nodes = graph
    pattern = pattern_of(edges, nodes)
    rowptr, col = pattern.transposed_pointers()
    reversed_pattern = pattern_of(edges[::-1], nodes)
    assert rowptr.tolist() == reversed_pattern.rowptr.tolist()
    assert col.tolist() == reversed_pattern.col.tolist()
    assert pattern.col[pattern.transposed].tolist() == reversed_pattern.row.tolist()
    assert pattern.row[pattern.transposed].tolist() == reversed_pattern.col.tolist()


@given(graph=graphs())
@settings(max_examples=20, deadline=None)
@example(graph=(NO_EDGE, 2))
@example(graph=(np.array([[1], [1]]), 2))  # a self-loop is its own reverse
@example(graph=(np.array([[0, 0, 1], [1, 1, 0]]), 2))  # twice one way, once the other
@example(graph=(np.array([[0, 0, 1, 1], [1, 1, 0, 0]]), 2))
@example(graph=(np.array([[0, 1, 2], [1, 2, 0]]), 3))  # a ring: every degree is the same both ways
def test_symmetric_is_every_edge_with_its_reverse_as_often(graph):
    edges, nodes = graph
    pattern = pattern_of(edges, nodes)
    assert pattern.symmetric == (Counter(pairs(edges)) == Counter(pairs(edges[::-1])))
    if pattern.symmetric:
        assert torch.equal(pattern.row[pattern.transposed], pattern.col)
        assert torch.equal(pattern.col[pattern.transposed], pattern.row)


@needs_products
@given(graph=graphs(), seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
@example(graph=(NO_EDGE, 1), seed=0)
def test_products_are_those_of_the_dense_matrix(graph, seed):
    edges, nodes = graph
    pattern = pattern_of(edges, nodes)
    rng = np.random.default_rng(seed)
    values, x = rng.normal(size=edges.shape[1]), rng.normal(size=(nodes, 3))
    matrix = dense(pattern, values)
    found, transposed = pattern.matrix(torch.from_numpy(values)), pattern.transposed_matrix(torch.from_numpy(values))
    assert found.shape == transposed.shape == (nodes, nodes)
    assert (found @ torch.from_numpy(x)).numpy() == pytest.approx(matrix @ x, rel=1e-12, abs=1e-12)
    assert (transposed @ torch.from_numpy(x)).numpy() == pytest.approx(matrix.T @ x, rel=1e-12, abs=1e-12)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_union_holds_each_edge_of_either_list_once(data):
    first, second = data.draw(edges_among(5)), data.draw(edges_among(5))
    union = union_edges(torch.from_numpy(first.copy()), torch.from_numpy(second.copy()))
    assert [(i, j) for j, i in pairs(union)] == sorted({(i, j) for j, i in pairs(first) + pairs(second)})
    assert torch.equal(union_edges(torch.from_numpy(second.copy()), torch.from_numpy(first.copy())), union)
    assert torch.equal(union_edges(union, union), union)


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        (torch.tensor([[0, 3], [1, 1]]), "names node 3, and there are 3 nodes, 0 to 2"),
        (torch.tensor([[0, 1], [1, -1]]), "names node -1"),
        (torch.tensor([[0, 1], [1, 0]], dtype=torch.int32), r"torch.long\); got shape \(2, 2\) and torch.int32"),
        (torch.tensor([[0.0, 1.0], [1.0, 0.0]]), "got shape .* and torch.float32"),
        (torch.zeros(3, 2, dtype=torch.long), r"got shape \(3, 2\)"),
        (torch.zeros(2, dtype=torch.long), r"got shape \(2,\)"),
        (torch.zeros(2, 2, 1, dtype=torch.long), r"got shape \(2, 2, 1\)"),
    ],
)
def test_what_is_no_list_of_edges_among_the_nodes_is_refused(edges, said):
    for refuse in (check_edges, EdgePattern.of):
        with pytest.raises(UsageError, match=said):
            refuse(edges, 3)


def test_a_union_of_what_is_no_list_of_edges_is_refused():
    edges = torch.tensor([[0], [1]])
    for wrong in (edges.int(), edges.repeat(2, 1), edges[0]):
        with pytest.raises(UsageError, match="edge_index is a"):
            union_edges(edges, wrong)
        with pytest.raises(UsageError, match="edge_index is a"):
            union_edges(wrong, edges)
