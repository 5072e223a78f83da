"""Who is right: every node is a case of teacher and student, both, one or none of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

CASES = ("both right", "teacher only", "student only", "both wrong")


def agreement(teacher: ArrayLike, student: ArrayLike, labels: ArrayLike) -> NDArray[np.int8]:
    """Positions in :data:`CASES`. Shapes: predicted classes (N,), (N,) and true classes (N,) -> (N,)."""
    labels = np.asarray(labels)
    teacher_right, student_right = np.asarray(teacher) == labels, np.asarray(student) == labels
    return (2 * ~teacher_right + ~student_right).astype(np.int8)


def shares(cases: NDArray[np.int8]) -> dict[str, float]:
    """The share of nodes in every case; they add up to 1 (all zero for no nodes)."""
    counts = np.bincount(cases, minlength=len(CASES))
    return {case: float(count) / max(len(cases), 1) for case, count in zip(CASES, counts, strict=True)}
