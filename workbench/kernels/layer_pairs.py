"""Squared distances between all layers of two models, without the difference of any two."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workbench.kernels.precision import accurate

COLUMNS = 2**16  # of a layer's numbers that are taken in float64 at a time


def layer_distances(teacher: Tensor, student: Tensor) -> Tensor:
    r""":math:`\|t_i - s_j\|^2` of every row t_i of teacher (T, m) and s_j of student (S, m) -> (T, S).

    By expansion, which cancels for equal layers and is therefore accumulated in float64. The gradient,
    :math:`2 (t_i - s_j)`, is a product of small matrices with the layers themselves.
    """
    return _LayerDistances.apply(teacher, student)  # type: ignore[no-untyped-call]


class _LayerDistances(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, teacher: Tensor, student: Tensor) -> Tensor:
        ctx.save_for_backward(teacher, student)
        found = accurate(teacher.new_zeros(teacher.shape[0], student.shape[0]))
        for start in range(0, teacher.shape[1], COLUMNS):
            t, s = (accurate(layers[:, start : start + COLUMNS]) for layers in (teacher, student))
            found += t.square().sum(1, keepdim=True) + s.square().sum(1)
            found.addmm_(t, s.T, alpha=-2)
        return found.clamp_min_(0).to(teacher.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        teacher, student = ctx.saved_tensors
        of_teacher = of_student = None
        if ctx.needs_input_grad[0]:
            of_teacher = torch.addmm(gradient.sum(1)[:, None] * teacher, gradient, student, alpha=-1).mul_(2)
        if ctx.needs_input_grad[1]:
            of_student = torch.addmm(gradient.sum(0)[:, None] * student, gradient.T, teacher, alpha=-1).mul_(2)
        return of_teacher, of_student
