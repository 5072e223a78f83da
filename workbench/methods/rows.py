"""Rows of feature matrices, one per node: that there are some, and that two matrices fit together."""

from __future__ import annotations

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
    check_as_many_nodes(student.shape[0], teacher.shape[0], loss)
    check_some_nodes(student, loss)
    if same_width and student.shape[1] != teacher.shape[1]:
        raise UsageError(
            f"{loss} needs equal widths; got student {_shape(student)} and teacher {_shape(teacher)}: "
            f"project one onto the other first"
        )


def check_as_many_nodes(student: int, teacher: int, loss: str) -> None:
    """Refuse other numbers of rows in student and teacher; raises UsageError."""
    if student != teacher:
        raise UsageError(
            f"{loss} compares the same nodes in student and teacher; got {student} and {teacher} rows: "
            f"choose the same nodes in both"
        )


def check_some_nodes(features: Tensor, loss: str) -> None:
    """Refuse features (n, d) of no node at all; raises UsageError."""
    if features.shape[0] == 0:
        raise UsageError(f"{loss} needs at least one node and got none: is the training mask empty?")


def _shape(features: Tensor) -> tuple[int, ...]:
    return tuple(features.shape)
