"""Divergence of softened class distributions, in one sweep that also takes its gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.blocks import row_blocks
from workbench.kernels.precision import accurate_zero, at_least_single, without_autocast

NEAR = 0.5  # logarithm of a ratio
ENTRIES = 2**18  # numbers in one block, of which half a dozen stay in the cache


def soft_label_divergence(logits: Tensor, log_teacher: Tensor, temperature: float = 1.0) -> Tensor:
    r"""Σ_i of :math:`\mathrm{KL}(p_i \,\|\, \mathrm{softmax}(z_i / T))` in nats.

    Shapes: logits z (n, C) of the student, log_teacher (n, C) the logarithm of p -> scalar, in float32 at least. The
    gradient, :math:`(\mathrm{softmax}(z_i / T) - p_i) / T`, goes to the logits only.
    """
    logits, log_teacher = at_least_single(logits), at_least_single(log_teacher.detach())
    return _SoftLabelDivergence.apply(logits, log_teacher, temperature)  # type: ignore[no-untyped-call]


class _SoftLabelDivergence(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, logits: Tensor, log_teacher: Tensor, temperature: float) -> Tensor:
        found = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        total = accurate_zero(logits)
        for rows in row_blocks(logits.shape[0], logits.shape[1], ENTRIES):
            log_student, expected = (logits[rows] / temperature).log_softmax(1), log_teacher[rows]  # (b, C)
            teacher = expected.exp()
            gap, student = log_student - expected, log_student.exp()
            difference = student - teacher
            # p (log p − log q) cancels near the teacher. With q − p added, which sums to zero, no summand is negative;
            # where both are close it is p (e^gap − 1 − gap).
            plain = difference - teacher * gap.masked_fill(teacher == 0, 0)
            total += torch.where(gap.abs() < NEAR, teacher * (gap.expm1() - gap), plain).sum()
            if found is not None:
                torch.div(difference, temperature, out=found[rows])
        ctx.save_for_backward(found)
        return total.to(logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (found,) = ctx.saved_tensors
        return gradient * found, None, None
