"""Toys of two methods that look at many things at once: ABKD at all pairs of layers, Distill2Vec at links over time.

Like :mod:`workbench.analysis.toys`, in float64, always from the same few numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.toys import divergence, softmax, unit_rows

Array = NDArray[np.float64]
COUNTERPARTS = (0, 2, 3)  # the teacher layer that each student layer comes to resemble
CONTEXTS = 3  # of the candidates, those that are links; the others are negatives


def layer_attention(teacher_pooled: Array, student_pooled: Array) -> Array:
    """ABKD's map, softmax over student layers of scaled products: (T, d) and (S, d) -> (T, S), rows sum to 1."""
    return softmax(teacher_pooled @ student_pooled.T / math.sqrt(teacher_pooled.shape[1]))


def layer_dissimilarity(teacher: Array, student: Array) -> Array:
    """Mean over nodes of squared distances of rows of length one: (T, n, d) and (S, n, d) -> (T, S)."""
    t, s = (np.stack([unit_rows(layer) for layer in layers]) for layers in (teacher, student))
    found: Array = ((t[:, None] - s[None]) ** 2).sum(axis=3).mean(axis=2)
    return found


def paired_layers(alignment: float, scale: float, nodes: int = 10, width: int = 8) -> tuple[Array, Array]:
    """Projected features of four teacher layers and three student layers, (T, n, d) and (S, n, d).

    With ``alignment`` 1 every student layer is one of the teacher's, with 0 it has nothing to do with any. ``scale``
    is how long the features are, which is how sharp attention gets: it has no temperature.
    """
    rng = np.random.default_rng(3)
    means = np.linalg.qr(rng.normal(size=(width, width)))[0] * math.sqrt(width)  # one direction for every layer
    teacher = means[:4, None] + 0.8 * rng.normal(size=(4, nodes, width))
    own = means[4:7, None] + 0.8 * rng.normal(size=(3, nodes, width))
    student = alignment * teacher[list(COUNTERPARTS)] + (1 - alignment) * own
    return scale * teacher, scale * student


def candidate_scores(lag: float, known: float, snapshots: int = 8) -> tuple[Array, Array]:
    """Scores of one node with six candidates, three of them links, over time: teacher and student, (t, 6).

    A first friendship fades while another one grows. The student sees all ``lag`` snapshots late and ``known`` (0..1)
    of its teacher's contrasts.
    """
    time = np.arange(snapshots, dtype=np.float64)
    return _friends(time), known * _friends(time - lag)


def _friends(time: Array) -> Array:
    grows = 1 / (1 + np.exp(-(time - 3.5)))
    flat = np.ones_like(time)
    return np.stack(
        [3.2 - 3.4 * grows, 0.4 + 2.9 * grows, 1.2 * flat, -0.6 * flat, -1.4 + 0.9 * grows, -2.0 * flat], axis=1
    )


def candidate_divergence(student: Array, teacher: Array, temperature: float) -> Array:
    """KL(teacher ‖ student) over the candidates at every snapshot: scores (t, m) twice -> (t,)."""
    return divergence(softmax(teacher, temperature), softmax(student, temperature))


def link_loss(scores: Array, contexts: int = CONTEXTS) -> float:
    """Mean of −log σ(s) over the links plus that of −log σ(−s) over the negatives, of scores (t, m)."""
    links, negatives = scores[:, :contexts], scores[:, contexts:]
    return float(np.logaddexp(0, -links).mean() + np.logaddexp(0, negatives).mean())
