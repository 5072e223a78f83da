"""LSP where teacher and student build their own graphs, as dynamic graph models do: over the union of their edges."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from drawn import edges_among, two_embeddings
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.kernels.edges import EdgeKernel
from workbench.methods import lsp_loss, union_edges

every_kernel = pytest.mark.parametrize("kernel", EdgeKernel.__args__)


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def nearest(points, k):
    """In-edges of every node from its ``k`` nearest others."""
    distances = torch.cdist(points, points).fill_diagonal_(float("inf"))
    sources = distances.topk(k, largest=False).indices  # (n, k)
    return torch.stack([sources.flatten(), torch.arange(len(points)).repeat_interleave(k)])


@every_kernel
def test_the_union_of_equal_graphs_is_the_static_loss(kernel):
    student, teacher = features(20, 4), features(20, 6, seed=1)
    graph = nearest(teacher, 5)
    shuffled = graph[:, torch.randperm(graph.shape[1], generator=torch.Generator().manual_seed(2))]
    static = lsp_loss(student, teacher, graph, kernel)
    assert static > 0
    union = lsp_loss(student, teacher, union_edges(graph, shuffled), kernel)
    assert union.item() == pytest.approx(static.item(), rel=1e-12)


@every_kernel
@given(data=st.data(), pair=two_embeddings())
@settings(max_examples=10, deadline=None)
def test_the_union_of_any_two_graphs_is_the_formula_over_the_set_of_edges(kernel, data, pair):
    """Both lists may hold an edge twice; the union holds it once."""
    student, teacher = pair
    first, second = data.draw(edges_among(len(student))), data.draw(edges_among(len(student)))
    together = {(int(j), int(i)) for edges in (first, second) for j, i in edges.T}
    expected = formulas.lsp(student, teacher, np.array(sorted(together)).reshape(-1, 2).T, kernel)
    union = union_edges(*[torch.from_numpy(edges.copy()) for edges in (first, second)])
    loss = lsp_loss(torch.from_numpy(student.copy()), torch.from_numpy(teacher.copy()), union, kernel)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("of_teacher", "of_student"), [(5, 3), (3, 5), (4, 4)])
def test_graphs_of_other_sizes_fit_together(of_teacher, of_student):
    student, teacher = features(20, 4), features(20, 6, seed=1)
    graphs = nearest(teacher, of_teacher), nearest(student, of_student)
    union = union_edges(*graphs)
    assert max(graph.shape[1] for graph in graphs) < union.shape[1] < sum(graph.shape[1] for graph in graphs)
    expected = formulas.lsp(student.numpy(), teacher.numpy(), union.numpy())
    assert lsp_loss(student, teacher, union).item() == pytest.approx(expected, rel=1e-9)
