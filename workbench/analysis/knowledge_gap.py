"""What one model knows and the other does not: node by node, in slices of the nodes, and class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.analysis.agreement import CASES
from workbench.analysis.node_bins import Bins
from workbench.errors import UsageError

CONFIDENT = 1.959963984540054  # standard normal deviations that hold 95 %
UNKNOWN = -1  # the case of a node whose class is not known


@dataclass(frozen=True)
class Slices:
    """The four cases in every bin that holds a node.

    ``labels`` and ``bins`` (B,): what a bin is called, and where it stands among those before the empty ones were
    left out; ``counts`` (B, 4) nodes by bin and position in :data:`~workbench.analysis.agreement.CASES`.
    """

    labels: tuple[str, ...]
    bins: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def total(self) -> NDArray[np.int64]:
        """Nodes (B,) in every bin."""
        return self.counts.sum(axis=1)

    @property
    def right(self) -> NDArray[np.int64]:
        """Nodes (B, 2) that the left and the right model have right."""
        return np.stack([self.counts[:, [0, 1]].sum(axis=1), self.counts[:, [0, 2]].sum(axis=1)], axis=1)


def slices(bins: Bins, cases: ArrayLike, chosen: ArrayLike) -> Slices:
    """Count cases (N,) in every bin, over the nodes ``chosen`` (N,) bool; nodes of no bin or case are left out."""
    cases = np.asarray(cases)
    own = np.asarray(chosen, dtype=bool) & (bins.index >= 0) & (cases >= 0)
    place = bins.index[own].astype(np.int64) * len(CASES) + cases[own]
    counts = np.bincount(place, minlength=len(bins.labels) * len(CASES)).reshape(-1, len(CASES))
    kept = np.flatnonzero(counts.sum(axis=1))
    return Slices(tuple(bins.labels[at] for at in kept), kept, counts[kept])


def wilson_interval(successes: ArrayLike, trials: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Bounds of a share with 95 % confidence (Wilson, JASA 1927, doi 10.1080/01621459.1927.10502953).

    .. math:: \frac{1}{1 + z^2/n} \Big( \hat p + \frac{z^2}{2n}
              \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}} \Big)

    Shapes: (…) and (…) of the same or of shapes that fit -> low and high (…) in [0, 1]; NaN for no trial.
    """
    n = np.asarray(trials, dtype=np.float64)
    n = np.where(n > 0, n, np.nan)
    share, z2 = np.asarray(successes) / n, CONFIDENT**2
    middle, spread = share + z2 / (2 * n), CONFIDENT * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    scale = 1 + z2 / n
    return np.maximum((middle - spread) / scale, 0.0), np.minimum((middle + spread) / scale, 1.0)


def divergence(left: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    r"""How much is lost, per node, when the right model's prediction stands for the left one's.

    .. math:: \mathrm{KL}(p \,\|\, q) = \sum_c p_c (\log p_c - \log q_c), \quad
              p = \mathrm{softmax}(z^{\text{left}}), \; q = \mathrm{softmax}(z^{\text{right}})

    at temperature 1 (Kullback and Leibler 1951). Shapes: logits (N, C) and (N, C) -> (N,) in nats, not negative;
    float64. Raises UsageError for logits of different shapes.
    """
    if np.shape(left) != np.shape(right):
        raise UsageError(f"predictions of shapes {np.shape(left)} and {np.shape(right)} cannot be compared")
    return relative_entropy(log_softmax(left), log_softmax(right))


def relative_entropy(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of logarithms of probabilities (N, C) and (N, C) -> (N,)."""
    return np.maximum(np.einsum("nc,nc->n", np.exp(log_p), log_p - log_q), 0.0)  # below zero by rounding only


def log_softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Logarithms of probabilities over the last axis, in float64 and without overflow."""
    z = np.asarray(logits, dtype=np.float64)
    z = z - z.max(axis=-1, keepdims=True)
    z -= np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return z


def confusion(labels: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Nodes by true class (rows) and predicted class (columns). Shapes: (N,) and (N,) -> (classes, classes)."""
    place = np.asarray(labels, dtype=np.int64) * classes + np.asarray(predicted)
    return np.bincount(place, minlength=classes**2).reshape(classes, classes)


def in_cell(labels: ArrayLike, left: ArrayLike, right: ArrayLike, true_class: int, predicted: int) -> NDArray[np.bool_]:
    """The nodes (N,) that make up a cell of the difference between two confusions.

    They are of class ``true_class``, and one of both models takes them for ``predicted``. Those that both take for
    it stand on both sides of the difference, and are none of them.
    """
    moved = (np.asarray(left) == predicted) != (np.asarray(right) == predicted)
    return (np.asarray(labels) == true_class) & moved
