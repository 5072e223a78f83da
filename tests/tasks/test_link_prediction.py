"""The loss on walks against its formula; link metrics counted by hand; a regression that no scale changes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from workbench.tasks import LinkPrediction
from workbench.tasks.link_prediction import Candidates, LinkClassifier, hadamard, link_metrics


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def formula(logits: np.ndarray, step: list[int], positives: int, negative_weight: float) -> float:
    """Mean over snapshots of the mean over rows of the mean over contexts and the weighted mean over negatives."""
    total = 0.0
    for snapshot in set(step):
        rows = []
        for row in (row for row, at in zip(logits, step, strict=True) if at == snapshot):
            attract = [-math.log(1 / (1 + math.exp(-z))) for z in row[:positives]]
            repel = [-math.log(1 / (1 + math.exp(z))) for z in row[positives:]]
            rows.append(sum(attract) / len(attract) + negative_weight * sum(repel) / len(repel))
        total += sum(rows) / len(rows)
    return total / len(set(step))


@pytest.mark.parametrize("step", [[0, 0, 0, 0, 0, 0], [0, 0, 1, 2, 2, 2], [2, 0, 2, 2, 0, 0], [3, 1, 1, 3, 1, 1]])
@pytest.mark.parametrize("negative_weight", [0.0, 1.0, 2.5])
def test_every_snapshot_counts_the_same_however_many_rows_it_has(step: list[int], negative_weight: float) -> None:
    """Also where a snapshot of the window has no row."""
    logits = 2 * drawn(6, 5)
    batch = Candidates(torch.tensor(step), 2)
    found = LinkPrediction(negative_weight).loss(logits, batch).item()
    assert found == pytest.approx(formula(logits.numpy(), step, 2, negative_weight), rel=1e-9)


def test_the_losss_gradient_is_right_by_finite_differences() -> None:
    batch = Candidates(torch.tensor([0, 1, 1, 0]), 3)
    assert torch.autograd.gradcheck(lambda z: LinkPrediction(0.5).loss(z, batch), (drawn(4, 7).requires_grad_(),))


@pytest.mark.parametrize("value", [1e4, -1e4])
def test_scores_of_any_size_have_a_finite_loss(value: float) -> None:
    logits = torch.full((2, 4), value, requires_grad=True)
    loss = LinkPrediction().loss(logits, Candidates(torch.tensor([0, 0]), 2))
    loss.backward()
    assert loss.item() == pytest.approx(1e4)  # of the contexts or of the negatives
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_scores_in_half_precision_have_about_the_same_loss(half: torch.dtype) -> None:
    logits, batch = drawn(6, 4), Candidates(torch.tensor([0, 0, 1, 1, 2, 2]), 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = LinkPrediction().loss(logits.to(half), batch)
    assert found.item() == pytest.approx(LinkPrediction().loss(logits, batch).item(), rel=0.02)


def test_the_metrics_have_names_and_the_area_selects() -> None:
    task = LinkPrediction()
    assert task.named([0.9, 0.8, 0.3]) == {"auc": 0.9, "average_precision": 0.8, "loss": 0.3}
    assert task.selection_metric == "auc"


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_the_share_of_pairs_in_the_right_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, links = rng.integers(0, 6, 15).astype(float), np.arange(15) < 6  # with ties, which count half
    pairs = list(itertools.product(scores[links], scores[~links]))
    expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    assert link_metrics(scores, links)["auc"] == pytest.approx(expected)


def test_average_precision_is_what_one_computes_by_hand() -> None:
    # From the top: link, none, link, none. Precision at the links: 1 and 2/3; each is half of the recall.
    found = link_metrics(np.array([0.9, 0.7, 0.6, 0.1]), np.array([True, False, True, False]))
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["auc"] == pytest.approx(3 / 4)


def test_a_perfect_order_and_its_reverse() -> None:
    links = np.array([True, True, False, False])
    assert link_metrics(np.array([4.0, 3.0, 2.0, 1.0]), links) == {"auc": 1.0, "average_precision": 1.0}
    assert link_metrics(np.array([1.0, 2.0, 3.0, 4.0]), links)["auc"] == 0.0


def test_hadamard_multiplies_the_ends_of_every_pair() -> None:
    embeddings = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, -6.0]])
    pairs = torch.tensor([[0, 1, 2], [1, 2, 2]])
    assert hadamard(embeddings, pairs).tolist() == [[3, 8], [15, -24], [25, 36]]


def features(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Products of 200 pairs; those of links are larger in the first coordinates, by about their noise."""
    rng = np.random.default_rng(seed)
    links = np.arange(200) % 2 == 0
    return rng.normal(size=(200, 6)) + links[:, None] * [1.0, 0.5, 0, 0, 0, 0], links


@pytest.mark.parametrize("scale", [1e-4, 0.1, 30.0, 1e5])
def test_the_regression_does_not_see_the_scale_of_the_embeddings(scale: float) -> None:
    x, links = features()
    expected = LinkClassifier.fit(x, links).chances(x)
    found = LinkClassifier.fit(scale**2 * x, links).chances(scale**2 * x)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_regression_is_the_minimum_of_its_loss() -> None:
    """Cross-entropy summed over the pairs and half the squared weights, of features of root mean square one."""
    x, links = features()
    classifier = LinkClassifier.fit(x, links)
    scaled = x / math.sqrt((x**2).mean())
    weights, bias = classifier.regression.coef_[0], classifier.regression.intercept_[0]
    off = 1 / (1 + np.exp(-(scaled @ weights + bias))) - links
    assert np.abs(off @ scaled + weights).max() < 0.02  # where it stops, against gradients of tens elsewhere
    assert abs(off.sum()) < 0.02
    np.testing.assert_allclose(classifier.chances(x), links + off, atol=1e-12)


def test_the_regression_tells_links_it_has_not_seen() -> None:
    classifier = LinkClassifier.fit(*features(0))
    x, links = features(1)
    assert 0.7 < link_metrics(classifier.chances(x), links)["auc"] < 1.0


def test_features_of_zeros_tell_nothing() -> None:
    links = np.array([True, False, True, False])
    assert LinkClassifier.fit(np.zeros((4, 3)), links).chances(np.zeros((2, 3))) == pytest.approx(0.5)
