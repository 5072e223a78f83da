"""What is done to point clouds in training, anew in every step: random scale and shift."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.errors import UsageError


def augmented(
    points: Tensor, scale: float = 1.5, shift: float = 0.2, generator: torch.Generator | None = None
) -> Tensor:
    """Clouds (B, n, 3) scaled and moved, each in its own way; random numbers are torch's.

    The defaults are those of DGCNN's authors on ModelNet40: every axis of a cloud is scaled by a factor drawn
    uniformly from 1 / ``scale`` to ``scale`` and moved by up to ``shift``.
    Raises UsageError for a scale below one and for a negative shift.
    """
    if scale < 1 or shift < 0:
        raise UsageError(f"augmentation takes a scale from 1 and a shift from 0; got scale {scale}, shift {shift}")
    return points * _uniform(points, 1 / scale, scale, generator) + _uniform(points, -shift, shift, generator)


def _uniform(points: Tensor, low: float, high: float, generator: torch.Generator | None) -> Tensor:
    """One number per cloud and axis (B, 1, 3)."""
    shape = (points.shape[0], 1, 3)
    return torch.empty(shape, device=points.device, dtype=points.dtype).uniform_(low, high, generator=generator)
