"""The three sweeps over the edges of a large graph: their numbers, the divergence of two softmaxes, the way back.

Each releases the interpreter and works on a range of rows, so that plain threads share the work. The neighbour's
features are read in order of the rows and nothing of size edges × width is ever written. Squared distances are sums
of squared differences, which do not cancel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.kernels.compiled.threads import by_rows, compiled
from workbench.kernels.csr import EdgePattern
from workbench.kernels.edge_numbers import LAPLACE_WIDTH, Number

NUMBERS = ("product", "distance", "taxicab")
# How a similarity follows from an edge's number; of other kernels it is the number itself.
EXPONENTIAL, SQUARE, ROOT, IDENTITY = range(4)
SHAPES = {"rbf": EXPONENTIAL, "laplace": EXPONENTIAL, "poly": SQUARE, "cosine_squared": SQUARE, "l2_norm": ROOT}


def numbers(features: Tensor, pattern: EdgePattern, number: Number) -> Tensor:
    """Inner product, squared distance or sum of absolute differences of every edge's ends: (N, d) -> (E,)."""
    out = torch.empty(pattern.num_edges, dtype=torch.float64)
    # In a symmetric graph an edge and its reverse share their number: the lower half is computed, and copied.
    mirror = pattern.transposed if pattern.symmetric else pattern.transposed[:0]
    by_rows(
        pattern.rowptr, _numbers, _array(features), *map(_array, (pattern.rowptr, pattern.col, mirror, out)),
        NUMBERS.index(number),
    )  # fmt: skip
    return out


def divergence(
    edge_numbers: Tensor, log_teacher: Tensor, pattern: EdgePattern, kernel: str, sigma: float, student_first: bool
) -> tuple[Tensor, Tensor]:
    """Σ over nodes of the divergence (float64), and its derivative by every edge's number (E,)."""
    slope = torch.empty_like(edge_numbers)
    per_node = torch.empty(pattern.num_nodes, dtype=torch.float64)
    arrays = map(_array, (pattern.rowptr, edge_numbers, log_teacher, slope, per_node))
    scale = -1 / (2 * sigma**2) if kernel == "rbf" else -1 / LAPLACE_WIDTH
    code = SHAPES.get(kernel, IDENTITY)
    by_rows(pattern.rowptr, _divergence, *arrays, code, scale, student_first)
    return per_node.sum(), slope


def spread(features: Tensor, slope: Tensor, pattern: EdgePattern, number: Number) -> Tensor:
    """Gradient (N, d) on features of Σ slope_e · number_e."""
    out = torch.zeros_like(features, memory_format=torch.contiguous_format)
    slope = (2 * slope if number == "distance" else slope).to(features.dtype)
    both = slope + slope[pattern.transposed] if pattern.symmetric else slope
    z, code = _array(features), NUMBERS.index(number)
    by_rows(pattern.rowptr, _spread, z, *map(_array, (pattern.rowptr, pattern.col, both, out)), code)
    if not pattern.symmetric:
        rowptr, col = pattern.transposed_pointers()
        backwards = slope[pattern.transposed]
        by_rows(rowptr, _spread, z, *map(_array, (rowptr, col, backwards, out)), code)
    return out


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    return tensor.detach().contiguous().numpy()


@compiled
def _numbers(start, stop, z, rowptr, col, mirror, out, number):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for e in range(rowptr[i], rowptr[i + 1]):
            j = col[e]
            if mirror.size > 0 and j > i:
                continue
            total = 0.0
            if number == 0:
                for c in range(z.shape[1]):
                    total += np.float64(z[i, c]) * np.float64(z[j, c])
            elif number == 1:
                for c in range(z.shape[1]):
                    difference = np.float64(z[i, c]) - np.float64(z[j, c])
                    total += difference * difference
            else:
                for c in range(z.shape[1]):
                    total += abs(np.float64(z[i, c]) - np.float64(z[j, c]))
            out[e] = total
            if mirror.size > 0:
                out[mirror[e]] = total


@compiled
def _divergence(start, stop, rowptr, numbers, log_teacher, slope, per_node, kernel, scale, student_first):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        first, last = rowptr[i], rowptr[i + 1]
        top = -math.inf
        for e in range(first, last):
            slope[e] = _similarity(numbers[e], kernel, scale)  # kept there until the slope is known
            top = max(top, slope[e])
        mass = 0.0
        for e in range(first, last):
            mass += math.exp(slope[e] - top)
        whole = top + math.log(mass) if last > first else 0.0
        kl = 0.0
        for e in range(first, last):
            log_student = slope[e] - whole
            gap = log_student - log_teacher[e]
            kl += math.exp(log_student) * gap if student_first else -math.exp(log_teacher[e]) * gap
        per_node[i] = kl
        for e in range(first, last):
            log_student = slope[e] - whole
            student = math.exp(log_student)
            if student_first:
                step = student * (log_student - log_teacher[e] - kl)
            else:
                step = student - math.exp(log_teacher[e])
            slope[e] = step * _steepness(numbers[e], slope[e], kernel, scale)


@compiled
def _similarity(number, kernel, scale):  # type: ignore[no-untyped-def]
    if kernel == EXPONENTIAL:
        return math.exp(number * scale)
    if kernel == SQUARE:
        return number * number
    if kernel == ROOT:
        return math.sqrt(number)
    return number


@compiled
def _steepness(number, similarity, kernel, scale):  # type: ignore[no-untyped-def]
    if kernel == EXPONENTIAL:
        return scale * similarity
    if kernel == SQUARE:
        return 2 * number
    if kernel == ROOT:
        return 0.5 / similarity if similarity > 0 else 0.0
    return 1.0


@compiled
def _spread(start, stop, z, rowptr, col, slope, out, number):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for e in range(rowptr[i], rowptr[i + 1]):
            j, weight = col[e], slope[e]
            if number == 0:
                for c in range(z.shape[1]):
                    out[i, c] += weight * z[j, c]
            elif number == 1:
                for c in range(z.shape[1]):
                    out[i, c] += weight * (z[i, c] - z[j, c])
            else:
                for c in range(z.shape[1]):
                    out[i, c] += weight * np.sign(z[i, c] - z[j, c])
