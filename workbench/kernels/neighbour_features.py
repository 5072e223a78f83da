"""The largest and the sum of the features of every point's neighbours, without a feature vector per edge."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.blocks import row_blocks
from workbench.kernels.csr import row_pointer
from workbench.kernels.neighbours import compiled_sweeps
from workbench.kernels.propagate import SparseOperator, propagate, short_csr

ENTRIES = {"cpu": 2**17, "cuda": 2**27}  # numbers gathered at a time, by kind of device
COMPILED_FROM = 2**20  # edges × width from which compiled code on the CPU pays for its start


def neighbour_max(features: Tensor, table: Tensor) -> Tensor:
    """The largest of every point's neighbours, feature by feature.

    Shapes: features (N, d), table (M, k) numbers of the neighbours of every point -> (M, d). The gradient goes to the
    neighbour that gave the value, to the first of equal ones.
    """
    return _Max.apply(features, table)  # type: ignore[no-untyped-call]


class _Max(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, table: Tensor) -> Tensor:
        large = features.device.type == "cpu" and table.numel() * features.shape[1] >= COMPILED_FROM
        sweeps = compiled_sweeps() if large else None
        found, giver = sweeps.largest(features, table) if sweeps else _largest(features, table)
        ctx.save_for_backward(giver)
        ctx.points = features.shape[0]
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (giver,) = ctx.saved_tensors
        return gradient.new_zeros(ctx.points, gradient.shape[1]).scatter_add_(0, giver, gradient), None


def _largest(features: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Values and givers, both (M, d)."""
    found = features.new_empty(table.shape[0], features.shape[1])
    giver = torch.empty(found.shape, dtype=torch.long, device=table.device)
    entries = ENTRIES.get(features.device.type, ENTRIES["cpu"])
    for rows in row_blocks(table.shape[0], table.shape[1] * features.shape[1], entries):
        found[rows], slot = features[table[rows]].max(dim=1)  # of (r, k, d)
        torch.gather(table[rows], 1, slot, out=giver[rows])
    return found, giver


def neighbour_sum(features: Tensor, table: Tensor) -> Tensor:
    """Sum of every point's neighbours. Shapes: features (N, d), table (N, k) -> (N, d), float32 or float64."""
    if features.device.type == "cpu" and torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]
        return propagate(_adjacency(table, features), features)
    return _Sum.apply(features, table)  # type: ignore[no-untyped-call]


def _adjacency(table: Tensor, like: Tensor) -> SparseOperator:
    """The matrix (N, N) with a one for every neighbour; its transpose is made where a gradient needs it."""
    points, k = table.shape
    ones, col = like.new_ones(table.numel()), table.view(-1)

    def transposed() -> Tensor:
        by_neighbour, order = col.sort(stable=True)
        return short_csr(row_pointer(by_neighbour, points), order // k, ones, points)

    return SparseOperator(short_csr(torch.arange(points + 1) * k, col, ones, points), transposed)


class _Sum(torch.autograd.Function):
    """By gathering one neighbour of every point at a time, where there are no fast sparse products."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, table: Tensor) -> Tensor:
        ctx.save_for_backward(table)
        total = torch.zeros_like(features)
        for slot in table.unbind(1):  # (N,)
            total += features[slot]
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (table,) = ctx.saved_tensors
        found = torch.zeros_like(gradient)
        for slot in table.unbind(1):
            found.index_add_(0, slot, gradient)
        return found, None
