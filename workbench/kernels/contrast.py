"""InfoNCE over all pairs of nodes without a matrix of all pairs: its gradient is taken in the forward sweep."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import softplus

from workbench.kernels.blocks import row_blocks
from workbench.kernels.precision import accurate_zero, at_least_single, without_autocast

ENTRIES = 2**21  # numbers in one block
LARGEST_EXPONENT = 60.0  # e^60 times any number of nodes is finite in float32


def contrast(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    r"""Σ_i of :math:`\log \sum_j e^{s_{ij}} - s_{ii}` with :math:`s_{ij} = \langle q_i, k_j \rangle / \tau`.

    Shapes: queries and keys (n, d) with rows of length at most one -> scalar (nats), in float32 at least. Memory
    O(n · (d + block)): a block of rows of s is made, used for the value and both gradients, and forgotten. The
    backward pass only scales.
    """
    return _Contrast.apply(at_least_single(queries), at_least_single(keys), temperature)  # type: ignore[no-untyped-call]


class _Contrast(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
        of_queries = torch.empty_like(queries) if ctx.needs_input_grad[0] else None
        of_keys = torch.zeros_like(keys) if ctx.needs_input_grad[1] else None
        total = accurate_zero(queries)
        for block in row_blocks(queries.shape[0], keys.shape[0], ENTRIES):
            q = queries[block] / temperature  # (b, d)
            scores = q @ keys.T  # (b, n)
            if 1 / temperature > LARGEST_EXPONENT:
                scores -= scores.amax(1, keepdim=True)
            positives = scores.diagonal(block.start)  # (b,), where they stand
            right = positives.clone()
            scores.exp_()
            own = positives.clone()
            positives.zero_()
            others = scores.sum(1)
            # log(own + others) − right, and softmax minus one at the positive, without a difference of near equals.
            total += softplus(others.log() - right).sum()
            positives.copy_(-others)
            mass = (others + own)[:, None]  # (b, 1)
            if of_queries is not None:
                torch.mm(scores, keys, out=of_queries[block])
                of_queries[block].div_(mass).div_(temperature)
            if of_keys is not None:
                of_keys.addmm_(scores.T, q / mass)
        ctx.save_for_backward(of_queries, of_keys)
        return total.to(queries.dtype)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return *(None if found is None else gradient * found for found in ctx.saved_tensors), None
