"""Link prediction from embeddings: the loss on walks, and how well new links are told from pairs without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from workbench.tasks.base import Metrics

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Candidates:
    """Rows of candidates in a mini-batch: row r belongs to a node and a snapshot of the window.

    ``step`` (R,) is the snapshot's place in the window, the first ``positives`` of a row's candidates are contexts
    of its node and the others negatives. ``known`` (R, C) says where the teacher knows both nodes; None for everywhere.
    """

    step: Tensor
    positives: int
    known: Tensor | None = None


class LinkPrediction:
    """Contexts of walks against negatives; the area under the ROC curve selects the epoch."""

    metrics = ("auc", "average_precision", "loss")
    selection_metric = "auc"

    def __init__(self, negative_weight: float = 1.0) -> None:
        self.negative_weight = negative_weight

    def loss(self, logits: Tensor, batch: Candidates) -> Tensor:
        r"""Mean over the window's snapshots of the mean over a snapshot's rows (nats) of logits (R, C):

        .. math:: -\overline{\log \sigma(z^+)} - w_n\, \overline{\log \sigma(-z^-)}
        """
        split = batch.positives
        rows = softplus(-logits[:, :split]).mean(1) + self.negative_weight * softplus(logits[:, split:]).mean(1)
        steps = int(batch.step.max()) + 1
        sums, counts = (rows.new_zeros(steps).index_add(0, batch.step, each) for each in (rows, torch.ones_like(rows)))
        return (sums / counts.clamp(min=1)).sum() / (counts > 0).sum()  # a snapshot without rows does not count

    def named(self, values: Iterable[float]) -> Metrics:
        return dict(zip(self.metrics, values, strict=True))


def link_metrics(scores: Scores, links: NDArray[np.bool_]) -> Metrics:
    """Area under the ROC curve and average precision of scores (m,) for pairs that are ``links`` (m,) or not."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    return {
        "auc": float(roc_auc_score(links, scores)),
        "average_precision": float(average_precision_score(links, scores)),
    }


def hadamard(embeddings: Tensor, pairs: Tensor) -> Tensor:
    """Element-wise products (m, d) of the embeddings (N, d) of both ends of pairs (2, m)."""
    return embeddings[pairs[0]] * embeddings[pairs[1]]


@dataclass(frozen=True)
class LinkClassifier:
    """Logistic regression on pair features, with scikit-learn's defaults.

    Features are divided by their root mean square in the training pairs first: the penalty of the regression would
    otherwise see the scale of the embeddings, which means nothing.
    """

    regression: LogisticRegression
    scale: float

    @classmethod
    def fit(cls, features: Scores, links: NDArray[np.bool_]) -> LinkClassifier:
        """From pair features (m, d), and which of the pairs are links (m,)."""
        from sklearn.linear_model import LogisticRegression

        scale = float(np.sqrt(np.mean(np.square(features)))) or 1.0
        return cls(LogisticRegression(max_iter=1000).fit(features / scale, links), scale)

    def chances(self, features: Scores) -> Scores:
        """Probability of a link (m,) for pair features (m, d)."""
        found: Scores = self.regression.predict_proba(features / self.scale)[:, 1]
        return found
