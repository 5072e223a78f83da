"""InfoNCE over all pairs of nodes without a matrix of all pairs: its gradient is taken in the forward sweep."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workbench.kernels.blocks import row_blocks
from workbench.kernels.precision import at_least_single, without_autocast

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
        total = queries.new_zeros((), dtype=torch.float32 if queries.device.type == "mps" else torch.float64)
        scaled = queries / temperature
        for block in row_blocks(queries.shape[0], keys.shape[0], ENTRIES):
            q, positives = scaled[block], keys[block]  # (b, d)
            scores = q @ keys.T  # (b, n)
            right = (q * positives).sum(1)
            if 1 / temperature > LARGEST_EXPONENT:
                top = scores.amax(1)
                scores -= top[:, None]
                right -= top
            mass = scores.exp_().sum(1, keepdim=True)  # (b, 1)
            total += (mass.log().view(-1) - right).sum()
            if of_queries is not None:
                torch.mm(scores, keys, out=of_queries[block])
                of_queries[block].div_(mass).sub_(positives).div_(temperature)
            if of_keys is not None:
                of_keys.addmm_(scores.T, q / mass)
                of_keys[block] -= q
        ctx.gradients = of_queries, of_keys
        return total.to(queries.dtype)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return *(None if found is None else gradient * found for found in ctx.gradients), None
