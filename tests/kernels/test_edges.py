"""Distributions over in-neighbours: every kernel, on every path, against loops in float64 NumPy."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from drawn import graphs_among, two_embeddings
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from workbench.kernels import edge_numbers
from workbench.kernels.compiled import edges as compiled
from workbench.kernels.csr import EdgePattern
from workbench.kernels.edges import EdgeKernel, neighbour_divergence, neighbour_log_distribution
from workbench.methods import lsp_loss

EDGE_KERNELS = EdgeKernel.__args__
DIRECTIONS = ("student_teacher", "teacher_student")
TOLERANCE = {torch.float64: 1e-6, torch.float32: 2e-4}  # of finite differences; of single precision
every_kernel = pytest.mark.parametrize("kernel", EDGE_KERNELS)
# Each example of a test sees the path that its fixture chose.
few_examples = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tensor(array, dtype=torch.float64):
    return torch.from_numpy(np.array(array)).to(dtype)


def value_and_gradient(student, teacher, edges, *options):
    student = student.detach().requires_grad_()
    loss = lsp_loss(student, teacher, edges, *options)
    return loss.item(), torch.autograd.grad(loss, student)[0]


def random_graph(nodes, count, symmetric, seed=0):
    edges = torch.randint(0, nodes - 1, (2, count), generator=torch.Generator().manual_seed(seed))  # the last: isolated
    return torch.cat([edges, edges.flip(0)], dim=1) if symmetric else edges


def test_each_path_is_the_one_that_is_taken(path, monkeypatch):
    taken = []
    for name, module, function in (
        ("gather", edge_numbers, "_by_blocks"),
        ("gather", edge_numbers, "_spread_blocks"),
        ("sparse", edge_numbers, "_products"),
        ("sparse", edge_numbers, "_both_ways"),
        ("compiled", compiled, "numbers"),
        ("compiled", compiled, "spread"),
    ):
        was = getattr(module, function)
        monkeypatch.setattr(module, function, lambda *a, was=was, name=name: (taken.append(name), was(*a))[1])
    features = torch.randn(9, 3, dtype=torch.float64)
    for kernel in ("rbf", "linear"):
        value_and_gradient(features, features.flip(0), random_graph(9, 20, symmetric=False), kernel)
    assert len(taken) >= 6
    assert set(taken) == {path}


@every_kernel
@given(data=st.data())
@few_examples
def test_value_and_gradient_are_those_of_the_formula(path, kernel, data):
    student, teacher = data.draw(two_embeddings())
    edges = data.draw(graphs_among(len(student), fewest=1))
    assume(path != "sparse" or edges.shape[1] <= len(student) ** 2)
    options = (kernel, data.draw(st.sampled_from([0.5, 1.0, 3.0])), data.draw(st.sampled_from(DIRECTIONS)))
    for dtype in (torch.float64, torch.float32):
        s, t = tensor(student, dtype), tensor(teacher, dtype)
        value, gradient = value_and_gradient(s, t, tensor(edges, torch.long), *options)
        s, t = s.double().numpy(), t.double().numpy()  # as they were rounded
        tight = 1e-9 if dtype == torch.float64 else 1e-5
        assert value == pytest.approx(formulas.lsp(s, t, edges, *options), rel=tight, abs=1e-9)
        assert gradient.dtype == dtype
        assert gradient.isfinite().all()
        direction = np.random.default_rng(1).normal(size=s.shape)
        direction[~s.any(1)] = 0  # the cosine of a row of zeros jumps
        step = 1e-7 if kernel in ("l2_norm", "laplace") else 1e-5  # nodes may be in one place
        expected = formulas.slope_along(lambda f, t=t: formulas.lsp(f, t, edges, *options), s, direction, step)
        rounding = TOLERANCE[dtype] * (1 + np.abs(gradient.numpy() * direction).sum())
        assert (gradient.numpy() * direction).sum() == pytest.approx(expected, rel=TOLERANCE[dtype], abs=rounding)


@every_kernel
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_path_gives_the_gradient_of_autograd(path, kernel, symmetric, dtype):
    """Node by node, on a larger graph; the formula written with torch's own operations."""
    generator = torch.Generator().manual_seed(3)
    student = torch.randn(60, 5, generator=generator, dtype=torch.float64).to(dtype)
    teacher = torch.randn(60, 7, generator=generator, dtype=torch.float64).to(dtype)
    edges = random_graph(60, 300, symmetric)
    value, gradient = value_and_gradient(student, teacher, edges, kernel, 0.8)
    s, t = student.double().requires_grad_(), teacher.double()
    loss = plain_lsp(s, t, edges, kernel, 0.8)
    (expected,) = torch.autograd.grad(loss, s)
    assert value == pytest.approx(loss.item(), rel=1e-6 if dtype == torch.float32 else 1e-10)
    error = (gradient - expected).norm() / expected.norm()
    assert error < (1e-5 if dtype == torch.float32 else 1e-10)


def plain_lsp(student, teacher, edges, kernel, sigma):
    """Student first, one node after the other, its neighbours' features side by side."""

    def log_distribution(z, centre, neighbours):
        unit = torch.nn.functional.normalize(z, dim=1)
        gaps = z[centre] - z[neighbours]  # (k, d)
        similar = {
            "rbf": lambda: (-gaps.square().sum(1) / (2 * sigma**2)).exp(),
            "l2": lambda: gaps.square().sum(1),
            "poly": lambda: (z[neighbours] @ z[centre]).square(),
            "linear": lambda: z[neighbours] @ z[centre],
            "laplace": lambda: (-gaps.abs().sum(1) / 100).exp(),
            "cosine": lambda: unit[neighbours] @ unit[centre],
            "cosine_squared": lambda: (unit[neighbours] @ unit[centre]).square(),
            "l2_norm": lambda: torch.where(gaps.any(1), gaps.square().sum(1), 1).sqrt() * gaps.any(1),
        }[kernel]()
        return similar.log_softmax(0)

    total = student.new_zeros(())
    for centre in range(len(student)):
        neighbours = edges[0, edges[1] == centre]
        log_s, log_t = (log_distribution(z, centre, neighbours) for z in (student, teacher))
        total = total + (log_s.exp() * (log_s - log_t)).sum()
    return total / len(student)


def test_log_distributions_are_one_per_node_and_in_the_order_of_the_pattern(path):
    edges = random_graph(12, 40, symmetric=False)
    features = torch.randn(12, 3, dtype=torch.float64)
    pattern = EdgePattern.of(edges, 12)
    found = neighbour_log_distribution(features, pattern, "linear")
    assert found.dtype == torch.float64
    for centre in range(12):
        here = pattern.row == centre
        scores = [float(features[centre] @ features[j]) for j in pattern.col[here].tolist()]
        assert found[here].numpy() == pytest.approx(formulas.log_softmax(scores) if scores else [], rel=1e-9)


def test_only_the_student_gets_a_gradient_and_it_follows_the_chain_rule(path):
    pattern = EdgePattern.of(random_graph(12, 40, symmetric=True), 12)
    student, teacher = (torch.randn(12, 3, requires_grad=True) for _ in range(2))
    log_teacher = neighbour_log_distribution(teacher, pattern, "rbf")
    assert not log_teacher.requires_grad
    (once,) = torch.autograd.grad(neighbour_divergence(student, log_teacher, pattern, "rbf"), student)
    (thrice,) = torch.autograd.grad(3 * neighbour_divergence(student, log_teacher, pattern, "rbf"), student)
    torch.testing.assert_close(thrice, 3 * once)


def test_more_edges_than_pairs_of_nodes_are_all_counted(path):
    student, teacher = np.random.default_rng(0).normal(size=(2, 3, 4))
    edges = np.array([[0, 1, 2, 0] * 5, [1, 2, 0, 0] * 5])  # 20 edges among 3 nodes
    value, _ = value_and_gradient(tensor(student), tensor(teacher), tensor(edges, torch.long), "l2")
    assert value == pytest.approx(formulas.lsp(student, teacher, edges, "l2"), rel=1e-9)


def test_a_graph_without_edges_is_zero_with_a_zero_gradient(path):
    value, gradient = value_and_gradient(torch.randn(4, 3), torch.randn(4, 2), torch.empty(2, 0, dtype=torch.long))
    assert value == 0
    assert not gradient.any()
