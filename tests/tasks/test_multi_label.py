"""Independent labels: the loss and both scores, against OGB's evaluator and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from workbench.tasks.multi_label import MultiLabel, label_loss, mean_auc, micro_f1

ROWS = 60


def drawn(labels: int, missing: float = 0.0, seed: int = 0):
    """Logits, many of them equal, and labels, a share of which is missing."""
    random = np.random.RandomState(seed)
    logits = np.round(random.standard_normal((ROWS, labels)), 1)
    y = (random.random_sample((ROWS, labels)) < 0.3).astype(np.float64)
    y[random.random_sample(y.shape) < missing] = np.nan
    return torch.from_numpy(logits).float(), torch.from_numpy(y).float()


@pytest.mark.parametrize(("labels", "missing", "dataset"), [(1, 0.0, "ogbg-molhiv"), (12, 0.4, "ogbg-moltox21")])
@pytest.mark.parametrize("seed", range(3))
def test_the_auc_is_that_of_ogb(labels, missing, dataset, seed):
    evaluator = pytest.importorskip("ogb.graphproppred", reason="OGB is not installed").Evaluator(dataset)
    logits, y = drawn(labels, missing, seed)
    expected = evaluator.eval({"y_true": y.numpy(), "y_pred": logits.numpy()})["rocauc"]
    assert float(mean_auc(logits, y)) == pytest.approx(expected, abs=1e-6)


def test_a_label_that_is_always_there_is_left_out_of_the_mean():
    logits, y = drawn(2)
    y[:, 1] = 1.0
    assert float(mean_auc(logits, y)) == float(mean_auc(logits[:, :1], y[:, :1]))
    assert torch.isnan(mean_auc(logits[:, 1:], y[:, 1:]))


@pytest.mark.parametrize("seed", range(3))
def test_micro_f1_is_that_of_scikit_learn(seed):
    logits, y = drawn(7, seed=seed)
    expected = f1_score(y.numpy(), (logits > 0).numpy(), average="micro")
    assert float(micro_f1(logits, y)) == pytest.approx(expected, abs=1e-6)


def test_missing_labels_count_neither_in_the_loss_nor_in_the_score():
    logits, y = drawn(3, 0.5)
    known = ~torch.isnan(y)
    z, t = logits[known].double().numpy(), y[known].double().numpy()
    expected = np.mean(np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - z * t)
    assert float(label_loss(logits, y)) == pytest.approx(expected, rel=1e-5)
    predicted, true = z > 0, t == 1
    expected = 2 * (predicted & true).sum() / (predicted.sum() + true.sum())
    assert float(micro_f1(logits, y)) == pytest.approx(expected, rel=1e-6)


def test_a_missing_label_pulls_at_nothing():
    logits, y = drawn(2)
    y[5, 1] = torch.nan
    logits.requires_grad_()
    label_loss(logits, y).backward()
    assert logits.grad[5, 1] == 0
    assert logits.grad.isfinite().all()
    assert logits.grad.count_nonzero() == logits.numel() - 1


@pytest.mark.parametrize(("score", "function"), [("auc", mean_auc), ("micro_f1", micro_f1)])
def test_an_epoch_is_selected_by_the_score(score, function):
    logits, y = drawn(4)
    task = MultiLabel(score)
    assert task.selection_metric == score
    found = task.evaluate(logits, y)
    assert found == pytest.approx({score: float(function(logits, y)), "loss": float(label_loss(logits, y))})
