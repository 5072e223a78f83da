"""One number per edge from the features of its ends, and back: with torch's sparse products, on any device.

The arithmetic is in float64 where the device has it: the expansion of a squared distance cancels, and the sizes for
which speed matters on the CPU have compiled code (see :mod:`workbench.kernels.compiled`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor

from workbench.kernels.csr import EdgePattern
from workbench.kernels.precision import accurate

Number = Literal["product", "distance", "taxicab"]

LAPLACE_WIDTH = 100.0  # of the kernel that is a function of the third
BLOCK = 2**20  # numbers of one block of gathered features
COINCIDENT = 64  # times the rounding error: the distance by expansion of two nodes that are in one place


def numbers(features: Tensor, pattern: EdgePattern, number: Number) -> Tensor:
    """Inner product, squared distance or sum of absolute differences of every edge's ends: (N, d) -> (E,)."""
    z = accurate(features)
    if number == "taxicab":
        return _by_blocks(z, pattern, lambda a, b: (a - b).abs().sum(1))
    if not _multiplies(z, pattern):
        if number == "product":
            return _by_blocks(z, pattern, lambda a, b: (a * b).sum(1))
        return _by_blocks(z, pattern, lambda a, b: (a - b).square().sum(1))
    if number == "product":
        return _products(z, pattern)
    z = z - z.mean(0)  # distances do not see the mean, and the expansion loses fewer digits without it
    lengths = z.square().sum(1)  # (N,)
    both = lengths[pattern.row] + lengths[pattern.col]
    squared = both - 2 * _products(z, pattern)
    return squared.masked_fill(squared <= COINCIDENT * torch.finfo(z.dtype).eps * both, 0)


def spread(features: Tensor, slope: Tensor, pattern: EdgePattern, number: Number) -> Tensor:
    """Gradient (N, d) on features of Σ slope_e · number_e, for a ``slope`` (E,) that is held fixed."""
    z = accurate(features)
    slope = slope.to(z.dtype)
    if number == "taxicab":
        return _spread_blocks(z, slope, pattern, lambda row, col: _opposite((row - col).sign_()))
    if not _multiplies(z, pattern):
        if number == "distance":
            return _spread_blocks(z, slope, pattern, lambda row, col: _opposite(2 * (row - col)))
        return _spread_blocks(z, slope, pattern, lambda row, col: (col, row))
    if number == "product":
        return _both_ways(slope, z, pattern)
    z = z - z.mean(0)
    return 2 * (_both_ways(slope, torch.ones_like(z[:, :1]), pattern) * z - _both_ways(slope, z, pattern))


def has_sparse_products(device: torch.device) -> bool:
    """Whether torch multiplies CSR matrices there; else the features of an edge's ends are gathered, in blocks."""
    return device.type == "cuda" or (device.type == "cpu" and torch.backends.mkl.is_available())  # type: ignore[no-untyped-call]


def _multiplies(z: Tensor, pattern: EdgePattern) -> bool:
    """Whether sparse products pay: a single block is gathered as fast, and squared differences do not cancel.

    torch refuses to sample more entries than the matrix has, as a multigraph may.
    """
    few = pattern.num_edges * z.shape[1] <= BLOCK
    return has_sparse_products(z.device) and not few and pattern.num_edges <= pattern.num_nodes**2


def _products(z: Tensor, pattern: EdgePattern) -> Tensor:
    at_edges = pattern.matrix(z.new_zeros(pattern.num_edges))
    return torch.sparse.sampled_addmm(at_edges, z, z.T, beta=0.0).values()


def _both_ways(slope: Tensor, z: Tensor, pattern: EdgePattern) -> Tensor:
    """(W + Wᵀ) z for the matrix W with ``slope`` at the edges."""
    if pattern.symmetric:
        return pattern.matrix(slope + slope[pattern.transposed]) @ z
    return pattern.matrix(slope) @ z + pattern.transposed_matrix(slope) @ z


def _blocks(z: Tensor, pattern: EdgePattern) -> Iterator[slice]:
    height = max(1, BLOCK // max(z.shape[1], 1))
    for start in range(0, pattern.num_edges, height):
        yield slice(start, start + height)


def _by_blocks(z: Tensor, pattern: EdgePattern, of_ends: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    found = [of_ends(z[pattern.row[part]], z[pattern.col[part]]) for part in _blocks(z, pattern)]
    return torch.cat(found) if found else z.new_zeros(0)


def _spread_blocks(
    z: Tensor, slope: Tensor, pattern: EdgePattern, by_ends: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
) -> Tensor:
    """``by_ends`` gives the derivatives of the edges' numbers by both ends, (rows, cols) of a block of edges."""
    found = torch.zeros_like(z)
    for part in _blocks(z, pattern):
        row, col, weight = pattern.row[part], pattern.col[part], slope[part, None]
        by_row, by_col = by_ends(z[row], z[col])
        found.index_add_(0, row, weight * by_row).index_add_(0, col, weight * by_col)
    return found


def _opposite(by_row: Tensor) -> tuple[Tensor, Tensor]:
    return by_row, -by_row
