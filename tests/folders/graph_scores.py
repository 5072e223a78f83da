"""What tests of runs that classify graphs compare: a term's curve, and the metrics by an independent formula."""

import numpy as np
import torch

from workbench.runs.folder import Run


def values(found: Run, role: str, term: str) -> list[float]:
    return [record["terms"][term]["value"] for record in found.metrics(role)]


def expected_metrics(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """Accuracies and cross-entropy, in float64."""
    logits, labels = logits.double().numpy(), labels.numpy()
    right = logits.argmax(1) == labels
    shares = [right[labels == label].mean() for label in np.unique(labels)]
    highest = logits.max(1, keepdims=True)
    log_total = highest[:, 0] + np.log(np.exp(logits - highest).sum(1))
    loss = (log_total - logits[np.arange(len(labels)), labels]).mean()
    return {"accuracy": right.mean(), "mean_class_accuracy": np.mean(shares), "loss": loss}
