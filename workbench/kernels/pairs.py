"""How far the similarities of all pairs of nodes are apart in two feature matrices, without a matrix of all pairs."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.blocks import row_blocks
from workbench.kernels.edge_numbers import COINCIDENT
from workbench.kernels.precision import accurate, at_least_single, without_autocast
from workbench.kernels.rows import rows_and_lengths, unit_rows

PairKernel = Literal["cosine", "poly", "l2", "rbf"]

ENTRIES = 2**18  # numbers in one block: a dozen sweeps over it find it in the cache
GRAM_ROWS = 1024  # rows that are added to a Gram matrix at a time
# Largest squared length of a centred row for which rbf is taken in float32. Its value keeps six digits or more; its
# gradient does too while the student is far from its teacher, and four where their features differ by a thousandth.
SINGLE = (0.01, 2.0)


def cosine_gap(student: Tensor, teacher: Tensor, teacher_energy: Tensor | None = None) -> Tensor:
    r"""Σ over all pairs of the squared difference of cosines, :math:`\|\hat S \hat S^\top - \hat T \hat T^\top\|_F^2`.

    By the Gram identity :math:`\|\hat S^\top \hat S\|^2 - 2 \|\hat S^\top \hat T\|^2 + \|\hat T^\top \hat T\|^2`, which
    costs O(n d²). Near the teacher it cancels, so it is accumulated in float64. ``teacher_energy`` is its last
    term where it is known (:func:`gram_energy`). Shapes: student (n, d_s), teacher (n, d_t) -> float64 scalar; the
    gradient goes to the student only.
    """
    if teacher_energy is None:
        teacher_energy = gram_energy(teacher)
    return _CosineGap.apply(at_least_single(student), at_least_single(teacher.detach()), teacher_energy)  # type: ignore[no-untyped-call]


def gram_energy(features: Tensor) -> Tensor:
    r""":math:`\|\hat F^\top \hat F\|_F^2` of features (n, d) with their rows scaled to length one; float64."""
    return _gram(features.detach(), features.detach()).square().sum()


class _CosineGap(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, student: Tensor, teacher: Tensor, teacher_energy: Tensor) -> Tensor:
        own, cross = _gram(student, student), _gram(student, teacher)  # (d_s, d_s), (d_s, d_t)
        ctx.save_for_backward(student, teacher, own, cross)
        return (own.square().sum() - 2 * cross.square().sum() + teacher_energy).clamp_min(0)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        student, teacher, own, cross = ctx.saved_tensors
        found, dtype = torch.empty_like(student), student.dtype
        own, cross = own.to(dtype), cross.T.to(dtype).contiguous()
        for start in range(0, student.shape[0], GRAM_ROWS):
            rows = slice(start, start + GRAM_ROWS)
            s, length = rows_and_lengths(student[rows])
            t, _ = rows_and_lengths(teacher[rows])
            pull = torch.addmm(t.to(dtype) @ cross, s, own, beta=-4, alpha=4)  # by the rows of length one
            # The length of a row does not change its cosines: what points along it is taken out.
            found[rows] = pull.addcmul_(s, (pull * s).sum(1, keepdim=True), value=-1).div_(length)
        return found.mul_(gradient.to(dtype)), None, None


def _gram(left: Tensor, right: Tensor) -> Tensor:
    """L̂ᵀ R̂ (d_l, d_r) in float64, of features whose rows are scaled to length one on the way."""
    found = accurate(left.new_zeros(left.shape[1], right.shape[1]))
    for start in range(0, left.shape[0], GRAM_ROWS):
        rows = slice(start, start + GRAM_ROWS)
        block, _ = rows_and_lengths(accurate(left[rows]))
        other = block if left is right else rows_and_lengths(accurate(right[rows]))[0]
        found.addmm_(block.T, other)
    return found


def kernel_gap(student: Tensor, teacher: Tensor, kernel: PairKernel) -> Tensor:
    """Σ over all pairs of the squared difference of another kernel, in blocks of rows: memory O(n · block).

    Shapes: student (n, d_s), teacher (n, d_t) -> float64 scalar; the gradient goes to the student only and is taken
    in the forward sweep. ``poly`` is the square of the cosine.
    """
    student, teacher = at_least_single(student), at_least_single(teacher)
    if kernel == "poly":
        student, teacher = unit_rows(student), unit_rows(teacher)
    return _KernelGap.apply(student, teacher.detach(), kernel)  # type: ignore[no-untyped-call]


class _KernelGap(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, student: Tensor, teacher: Tensor, kernel: PairKernel) -> Tensor:
        s, t = _prepared(student, kernel), _prepared(teacher, kernel)
        lengths = [z.square().sum(1) for z in (s, t)]  # (n,) each
        found = torch.zeros_like(s) if ctx.needs_input_grad[0] else None
        total = accurate(s.new_zeros(()))
        n = s.shape[0]
        for rows in row_blocks(n, n, ENTRIES):
            # The matrices are symmetric: of each block of rows, what stands left of it was seen already.
            seen, height = rows.start, rows.stop - rows.start
            own, slope = _block(s, lengths[0], rows, kernel, found is not None)  # (b, n − seen)
            other, _ = _block(t, lengths[1], rows, kernel, False)
            gap = own.sub_(other)
            square = gap[:, :height]
            total += 2 * gap.square().sum() - square.square().sum()
            if found is not None and slope is not None:
                pull = gap.mul_(slope)  # derivative by the products or squared distances of these pairs
                found[rows].addmm_(pull, s[seen:])
                found[rows.stop :].addmm_(pull[:, height:].T, s[rows])
                if kernel != "poly":  # a squared distance pulls as far as its nodes are apart
                    found[rows].addcmul_(s[rows], pull.sum(1, keepdim=True), value=-1)
                    found[rows.stop :].addcmul_(s[rows.stop :], pull[:, height:].sum(0)[:, None], value=-1)
        ctx.save_for_backward(None if found is None else found.mul_(8 if kernel == "poly" else -16).to(student.dtype))
        return total

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (found,) = ctx.saved_tensors
        return gradient.to(found.dtype) * found, None, None


def _prepared(features: Tensor, kernel: PairKernel) -> Tensor:
    """Features as the blocks take them: of distances the mean is taken off, which they do not see, so that their
    expansion loses fewer digits; in float64 where float32 would lose too many."""
    if kernel == "poly":
        return features
    centred = accurate(features)
    centred = centred - centred.mean(0)
    if kernel == "l2" or features.dtype == torch.float64 or features.device.type != "cpu":
        return centred  # the root of a small distance shows every digit that was lost
    # Long rows lose the digits of small distances, short ones those of the difference of two kernels near one.
    largest = float(centred.square().sum(1).max())
    return centred.float() if SINGLE[0] <= largest <= SINGLE[1] else centred


def _block(
    z: Tensor, lengths: Tensor, rows: slice, kernel: PairKernel, with_slope: bool
) -> tuple[Tensor, Tensor | None]:
    """Rows of the kernel matrix, from the diagonal on, and half their derivative by product or squared distance."""
    rest = z[rows.start :]
    if kernel == "poly":
        products = z[rows] @ rest.T
        return (products.square(), products) if with_slope else (products.square_(), None)
    both = lengths[rows, None] + lengths[rows.start :]
    squared = torch.addmm(both, z[rows], rest.T, alpha=-2)
    if kernel == "rbf":
        squared[:, : rows.stop - rows.start].fill_diagonal_(0)
        found = squared.mul_(-0.5).exp_()
        return found, (found * -0.25 if with_slope else None)
    squared.masked_fill_(squared <= COINCIDENT * torch.finfo(z.dtype).eps * both, 0)  # in one place: no direction
    root = squared.sqrt()
    if not with_slope:
        return root, None
    return root, (0.25 / root).masked_fill_(squared == 0, 0)
