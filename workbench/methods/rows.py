"""Rows of feature matrices, one per node: that two matrices fit together, and rows of length one."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.errors import UsageError


def check_same_nodes(student: Tensor, teacher: Tensor, loss: str, same_width: bool = False) -> None:
    """Refuse features (n, d) of different nodes, or of none; with ``same_width`` also of different widths.

    Raises UsageError.
    """
    if student.dim() != 2 or teacher.dim() != 2:
        raise UsageError(
            f"{loss} takes matrices with one row per node; got shapes {_shape(student)} and {_shape(teacher)}"
        )
    if student.shape[0] != teacher.shape[0]:
        raise UsageError(
            f"{loss} compares the same nodes in student and teacher; got {student.shape[0]} and {teacher.shape[0]} "
            f"rows: choose the same nodes in both"
        )
    check_some_nodes(student, loss)
    if same_width and student.shape[1] != teacher.shape[1]:
        raise UsageError(
            f"{loss} needs equal widths; got student {_shape(student)} and teacher {_shape(teacher)}: "
            f"project one onto the other first"
        )


def check_some_nodes(features: Tensor, loss: str) -> None:
    """Refuse features (n, d) of no node at all; raises UsageError."""
    if features.shape[0] == 0:
        raise UsageError(f"{loss} needs at least one node and got none: is the training mask empty?")


def unit_rows(features: Tensor) -> Tensor:
    """Rows of ``features`` (n, d) scaled to length one; a row of zeros stays zero, with a finite gradient."""
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True)  # (n, 1), zero subgradient at zero
    return features / length.masked_fill(length == 0, 1)


def accurate(features: Tensor) -> Tensor:
    """``features`` in float64, where the device has it: for differences of sums that nearly cancel."""
    return features if features.device.type == "mps" else features.double()


def _shape(features: Tensor) -> tuple[int, ...]:
    return tuple(features.shape)
