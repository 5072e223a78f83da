"""What is done to point clouds in training, anew in every step: random scale, shift, rotation and jitter."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from workbench.errors import UsageError

Rotation = Literal["none", "vertical", "any"]


def augmented(
    points: Tensor,
    scale: float = 1.5,
    shift: float = 0.2,
    rotation: Rotation = "none",
    jitter: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Clouds (B, n, 3) turned, scaled, moved and jittered, each in its own way; random numbers are torch's.

    The defaults are those of DGCNN's authors on ModelNet40: every axis of a cloud is scaled by a factor drawn
    uniformly from 1 / ``scale`` to ``scale`` and moved by up to ``shift``, without rotation or jitter.
    Raises UsageError for a scale below one and for negative amounts.
    """
    if scale < 1 or shift < 0 or jitter < 0:
        raise UsageError(
            f"augmentation takes a scale from 1 and amounts from 0; got scale {scale}, shift {shift}, jitter {jitter}"
        )
    points = rotated(points, rotation, generator)
    points = points * _uniform(points, 1 / scale, scale, generator) + _uniform(points, -shift, shift, generator)
    return jittered(points, jitter, generator) if jitter else points


def rotated(points: Tensor, how: Rotation, generator: torch.Generator | None = None) -> Tensor:
    """Clouds (B, n, 3), each turned by its own rotation: any, or one around the third axis.

    Rotations are drawn uniformly. Raises UsageError for another ``how``.
    """
    if how not in ("none", "vertical", "any"):
        raise UsageError(f"unknown rotation {how!r}: choose one of none, vertical, any")
    return points if how == "none" else points @ _rotations(points, how, generator).mT


def jittered(points: Tensor, deviation: float, generator: torch.Generator | None = None) -> Tensor:
    """Clouds (B, n, 3) with Gaussian noise on every coordinate, cut off at five standard deviations."""
    noise = torch.randn(points.shape, generator=generator, device=points.device, dtype=points.dtype)
    return points + deviation * noise.clamp_(-5, 5)


def _uniform(points: Tensor, low: float, high: float, generator: torch.Generator | None) -> Tensor:
    """One number per cloud and axis (B, 1, 3)."""
    shape = (points.shape[0], 1, 3)
    return torch.empty(shape, device=points.device, dtype=points.dtype).uniform_(low, high, generator=generator)


def _rotations(points: Tensor, how: Rotation, generator: torch.Generator | None) -> Tensor:
    """Matrices (B, 3, 3), from quaternions whose direction is uniform."""
    drawn = torch.randn(points.shape[0], 4, generator=generator, device=points.device, dtype=points.dtype)
    if how == "vertical":
        drawn[:, 1:3] = 0
    w, x, y, z = (drawn / drawn.norm(dim=1, keepdim=True)).unbind(1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], dim=1),
        torch.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], dim=1),
        torch.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)
