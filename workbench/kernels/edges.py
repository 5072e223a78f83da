"""Distributions over in-neighbours, and the divergence of two of them, without a feature vector per edge.

Every similarity of the two ends of an edge is a function of one number: their inner product, their squared
distance, or the sum of their absolute differences. That number is computed edge by edge from the feature matrix,
its softmax is taken over the edges of each destination, and the gradient of the divergence with respect to it is
known in the same sweep:

    d KL(p ‖ q)_i / d sim_e = p_e (log p_e − log q_e − KL_i),        d KL(q ‖ p)_i / d sim_e = p_e − q_e.

So only one number per edge is kept for the backward pass, which is a product of a sparse matrix with the features:
U z for inner products, 2 (diag(U 1) − U) z for squared distances, with U = W + Wᵀ and W these numbers at the edges.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels import edge_numbers
from workbench.kernels.csr import EdgePattern
from workbench.kernels.edge_numbers import LAPLACE_WIDTH, Number
from workbench.kernels.rows import unit_rows

EdgeKernel = Literal["rbf", "l2", "poly", "linear", "laplace", "cosine", "cosine_squared", "l2_norm"]

OF_PRODUCTS = ("linear", "poly", "cosine", "cosine_squared")
OF_DISTANCES = ("rbf", "l2", "l2_norm")
COMPILED_FROM = 2**24  # edges × width from which compiled code on the CPU pays for its start


def number_of(kernel: EdgeKernel) -> Number:
    """Which number of an edge ``kernel`` is a function of."""
    return "product" if kernel in OF_PRODUCTS else "distance" if kernel in OF_DISTANCES else "taxicab"


def neighbour_log_distribution(
    features: Tensor, pattern: EdgePattern, kernel: EdgeKernel, sigma: float = 1.0
) -> Tensor:
    """Log-probability of every edge among the in-edges of its destination, without gradients.

    Shapes: features (N, d) -> (E,) float64 in the order of ``pattern``.
    """
    features = _comparable(features.detach(), kernel)
    numbers = _arithmetic(features, pattern).numbers(features, pattern, number_of(kernel))
    return edge_log_softmax(similarity(numbers, kernel, sigma)[0], pattern)


def neighbour_divergence(
    features: Tensor,
    log_teacher: Tensor,
    pattern: EdgePattern,
    kernel: EdgeKernel,
    sigma: float = 1.0,
    student_first: bool = True,
) -> Tensor:
    """Σ over nodes of KL(student ‖ teacher), or of KL(teacher ‖ student), in nats; float64.

    Shapes: features (N, d) of the student; log_teacher (E,) as :func:`neighbour_log_distribution` gives it. The
    gradient goes to ``features`` only.
    """
    features = _comparable(features, kernel)
    return _NeighbourDivergence.apply(features, log_teacher, pattern, kernel, sigma, student_first)  # type: ignore[no-untyped-call]


class _NeighbourDivergence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        log_teacher: Tensor,
        pattern: EdgePattern,
        kernel: EdgeKernel,
        sigma: float,
        student_first: bool,
    ) -> Tensor:
        arithmetic = _arithmetic(features, pattern)
        numbers = arithmetic.numbers(features, pattern, number_of(kernel))  # (E,)
        if arithmetic is edge_numbers:
            sims, steepness = similarity(numbers, kernel, sigma)
            total, slope = _divergence(edge_log_softmax(sims, pattern), log_teacher, pattern, student_first)
            slope = slope * steepness
        else:
            total, slope = arithmetic.divergence(numbers, log_teacher, pattern, kernel, sigma, student_first)
        ctx.save_for_backward(features, slope)
        ctx.pattern, ctx.kernel = pattern, kernel
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        features, slope = ctx.saved_tensors
        found = _arithmetic(features, ctx.pattern).spread(features, slope, ctx.pattern, number_of(ctx.kernel))
        return (gradient * found).to(features.dtype), None, None, None, None, None


def similarity(numbers: Tensor, kernel: EdgeKernel, sigma: float) -> tuple[Tensor, Tensor]:
    """The similarity of every edge and its derivative with respect to the edge's number; both (E,)."""
    match kernel:
        case "rbf":
            found = (numbers / (-2 * sigma**2)).exp()
            return found, found / (-2 * sigma**2)
        case "laplace":
            found = (numbers / -LAPLACE_WIDTH).exp()
            return found, found / -LAPLACE_WIDTH
        case "poly" | "cosine_squared":
            return numbers.square(), 2 * numbers
        case "l2_norm":
            root, zero = numbers.sqrt(), numbers == 0
            return root, (0.5 / root.masked_fill(zero, 1)).masked_fill(zero, 0)
        case "linear" | "cosine" | "l2":
            return numbers, torch.ones_like(numbers)


def edge_log_softmax(scores: Tensor, pattern: EdgePattern) -> Tensor:
    """Log-probability of every edge among the in-edges of its destination: (E,) -> (E,), in the order of ``pattern``.

    Duplicate edges count each; nodes without edges have no distribution and take no part.
    """
    top = scores.new_full((pattern.num_nodes,), float("-inf")).scatter_reduce(0, pattern.row, scores, "amax")
    shifted = scores - top[pattern.row]  # at most 0: the exponential cannot overflow
    return shifted - _sums(shifted.exp(), pattern).log()[pattern.row]


def _divergence(
    log_student: Tensor, log_teacher: Tensor, pattern: EdgePattern, student_first: bool
) -> tuple[Tensor, Tensor]:
    """Σ KL, and its derivative with respect to the student's similarities (E,)."""
    student, gap = log_student.exp(), log_student - log_teacher
    if student_first:
        terms = student * gap
        return terms.sum(), terms - student * _sums(terms, pattern)[pattern.row]
    teacher = log_teacher.exp()
    return -(teacher * gap).sum(), student - teacher


def _sums(values: Tensor, pattern: EdgePattern) -> Tensor:
    """Σ of values (E,) over the in-edges of every node (N,)."""
    return values.new_zeros(pattern.num_nodes).index_add(0, pattern.row, values)


def _comparable(features: Tensor, kernel: EdgeKernel) -> Tensor:
    return unit_rows(features) if kernel in ("cosine", "cosine_squared") else features


def _arithmetic(features: Tensor, pattern: EdgePattern) -> ModuleType:
    """Where ``numbers`` and ``spread`` are taken from: compiled code for large graphs on the CPU, else torch."""
    known = features.device.type == "cpu" and features.dtype in (torch.float32, torch.float64)
    large = pattern.num_edges * features.shape[1] >= COMPILED_FROM
    return (_compiled() if known and large else None) or edge_numbers


@cache
def _compiled() -> ModuleType | None:
    """None where numba cannot be imported: torch does it all then, only slower."""
    try:
        from workbench.kernels.compiled import edges
    except ImportError:
        return None
    return edges
