"""LSP where teacher and student build their own graphs, as dynamic graph models do: over the union of their edges."""

from dataclasses import replace

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from drawn import edges_among, two_embeddings
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from workbench.errors import UsageError
from workbench.kernels.edges import EdgeKernel
from workbench.methods import LSP, Sum, Widths, lsp_loss, union_edges
from workbench.models import DGCNN, Output

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


# The method on the outputs of models that build their own graphs.

POINTS = Data(x=torch.zeros(20, 3), batch=torch.arange(20) // 10)  # points of two clouds: no graph of its own, no masks


def outputs(k_teacher=5, k_student=3):
    """Last layers of a teacher and a student, leaves, with the graphs that both built."""
    found = []
    for width, k, seed in ((6, k_teacher, 1), (4, k_student, 0)):
        hidden = features(20, width, seed=seed).requires_grad_()
        logits = features(2, 3, seed=seed + 5).requires_grad_()
        other = nearest(features(20, 2, seed=9), 2)  # of an earlier layer, which must not be taken
        found.append(Output(logits, [hidden.detach(), hidden], edges=[other, nearest(hidden.detach(), k)]))
    return found


def loss_of(method, teacher, student, batch=POINTS):
    objective = Sum((method,)).build(Widths.of(teacher), Widths.of(student))
    return objective(student, objective.targets(teacher, batch), batch)["lsp"]


@every_kernel
@pytest.mark.parametrize(("of_teacher", "of_student"), [(5, 3), (3, 5), (4, 4)])
def test_the_method_takes_the_union_of_the_graphs_of_the_compared_layers(kernel, of_teacher, of_student):
    teacher, student = outputs(of_teacher, of_student)
    together = {(int(j), int(i)) for output in (teacher, student) for j, i in output.edges[-1].T}
    expected = formulas.lsp(
        *(o.hidden[-1].detach().numpy() for o in (student, teacher)), np.array(sorted(together)).T, kernel
    )
    assert loss_of(LSP(kernel=kernel), teacher, student).item() == pytest.approx(expected, rel=1e-9)


def test_the_codes_average_is_over_the_edges_of_the_union():
    teacher, student = outputs()
    edges = union_edges(teacher.edges[-1], student.edges[-1]).shape[1]
    paper, code = (loss_of(LSP(convention=convention), teacher, student) for convention in ("paper", "code"))
    assert code.item() == pytest.approx(paper.item() * 20 / edges)


def test_with_equal_graphs_the_method_is_that_of_a_static_graph():
    teacher, student = outputs(4, 4)
    student.edges = teacher.edges
    static = Data(edge_index=teacher.edges[-1])
    bare = [replace(output, edges=None) for output in (teacher, student)]
    assert torch.equal(loss_of(LSP(), teacher, student), loss_of(LSP(), *bare, static))


def test_the_gradient_reaches_the_student_only_and_follows_its_graph():
    teacher, student = outputs()
    objective = LSP().build(Widths.of(teacher), Widths.of(student))
    targets = objective.targets(teacher.detach(), POINTS)
    first = objective(student, targets, POINTS)["lsp"]
    first.backward()
    assert student.hidden[-1].grad.abs().sum() > 0
    assert teacher.hidden[-1].grad is None
    student.edges = [*student.edges[:-1], nearest(student.hidden[-1].detach(), 8)]  # the graph of the next step
    assert objective(student, targets, POINTS)["lsp"] != first


def test_two_dgcnns_with_other_numbers_of_neighbours_are_compared():
    torch.manual_seed(0)
    teacher, student = DGCNN(3, [8, 8], 3, 8, [8], k=9).double(), DGCNN(3, [4, 4], 3, 8, [8], k=4).double()
    x, batch = features(120, 3), torch.arange(120) // 60
    given = Data(x=x, batch=batch)
    with torch.no_grad():
        of_teacher = teacher.eval().encode(x, None, batch)
    of_student = student.train().encode(x, None, batch)
    loss = loss_of(LSP(), of_teacher, of_student, given)
    edges = union_edges(of_teacher.edges[-1], of_student.edges[-1])
    assert (batch[edges[0]] == batch[edges[1]]).all()
    expected = formulas.lsp(of_student.hidden[-1].detach().numpy(), of_teacher.hidden[-1].numpy(), edges.numpy())
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    loss.backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(conv.linear.weight.grad.abs().sum() > 0 for conv in student.convs)


@pytest.mark.parametrize(
    ("edges", "message"),
    [((True, False), "the teacher builds its own graphs and the student does not"), ((False, True), "has a graph")],
)
def test_a_model_without_a_graph_is_refused(edges, message):
    pair = [output if own else replace(output, edges=None) for output, own in zip(outputs(), edges, strict=True)]
    with pytest.raises(UsageError, match=message):
        loss_of(LSP(), *pair)


def test_other_points_in_teacher_and_student_are_refused():
    teacher, student = outputs()
    student.hidden[-1] = student.hidden[-1][:10]
    with pytest.raises(UsageError, match="the same nodes"):
        loss_of(LSP(), teacher, student)
