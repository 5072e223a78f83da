"""Squared distances between all layers of two models, without the difference of any two."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.precision import accurate, at_least_single, without_autocast

COLUMNS = 2**16  # of a layer's numbers that are taken in float64 at a time


def layer_distances(teacher: Tensor, student: Tensor) -> Tensor:
    r""":math:`\|t_i - s_j\|^2` of every row t_i of teacher (T, m) and s_j of student (S, m) -> (T, S).

    By expansion, which cancels for equal layers and is therefore taken in float64, as is the gradient,
    :math:`2 (t_i - s_j)`: a product of small matrices with the layers themselves. In float32 at least.
    """
    return _LayerDistances.apply(at_least_single(teacher), at_least_single(student))  # type: ignore[no-untyped-call]


class _LayerDistances(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, teacher: Tensor, student: Tensor) -> Tensor:
        ctx.save_for_backward(teacher, student)
        found = accurate(teacher.new_zeros(teacher.shape[0], student.shape[0]))
        for start in range(0, teacher.shape[1], COLUMNS):
            t, s = (accurate(layers[:, start : start + COLUMNS]) for layers in (teacher, student))
            found += t.square().sum(1, keepdim=True) + s.square().sum(1)
            found.addmm_(t, s.T, alpha=-2)
        return found.clamp_min_(0).to(teacher.dtype)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        teacher, student = ctx.saved_tensors
        sides = ctx.needs_input_grad
        found = [
            torch.empty_like(side) if wanted else None for side, wanted in zip((teacher, student), sides, strict=True)
        ]
        pull = 2 * accurate(gradient)
        for start in range(0, teacher.shape[1], COLUMNS):
            columns = slice(start, start + COLUMNS)
            t, s = (accurate(layers[:, columns]) for layers in (teacher, student))
            if found[0] is not None:
                found[0][:, columns] = torch.addmm(pull.sum(1)[:, None] * t, pull, s, alpha=-1)
            if found[1] is not None:
                found[1][:, columns] = torch.addmm(pull.sum(0)[:, None] * s, pull.T, t, alpha=-1)
        return tuple(found)
