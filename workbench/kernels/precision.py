"""Which number format a sum that nearly cancels is taken in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

Step = TypeVar("Step", bound=Callable[..., Any])


def accurate(features: Tensor) -> Tensor:
    """``features`` in float64, where the device has it."""
    return features if features.device.type == "mps" else features.double()


def accurate_zero(like: Tensor) -> Tensor:
    """A zero () to add to, in the format of :func:`accurate`, on the device of ``like``."""
    return accurate(like.new_zeros(()))


def at_least_single(features: Tensor) -> Tensor:
    """``features`` in float32 where they are in half precision: squares and sums over all nodes overflow there."""
    return features.float() if features.dtype in (torch.float16, torch.bfloat16) else features


def without_autocast(step: Step) -> Step:
    """``step`` of an autograd function, which then keeps the number format of its tensors also under autocast."""

    @wraps(step)
    def run(ctx: Any, tensor: Tensor, *others: Any) -> Any:
        with torch.autocast(tensor.device.type, enabled=False):
            return step(ctx, tensor, *others)

    return cast(Step, run)
