"""Node classification with one label per node: loss, accuracy, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch_geometric.data import Data

Split = Literal["train", "val", "test"]
Metrics = dict[str, float]


class NodeClassification:
    """Cross-entropy on the labelled training nodes; accuracy selects the epoch."""

    selection_metric = "accuracy"

    def loss(self, logits: Tensor, batch: Data) -> Tensor:
        """Mean cross-entropy (nats) of logits (N, C) on the training nodes."""
        return F.cross_entropy(logits[batch.train_mask], batch.y[batch.train_mask])

    def evaluate(self, logits: Tensor, batch: Data, split: Split) -> Metrics:
        """Accuracy in 0..1 and cross-entropy (nats) of logits (N, C) on one split."""
        mask = batch[f"{split}_mask"]
        chosen, labels = logits[mask].float(), batch.y[mask]  # (n, C), (n,)
        found = torch.stack([(chosen.argmax(1) == labels).float().mean(), F.cross_entropy(chosen, labels)])
        accuracy, loss = found.tolist()  # one transfer from the device for both
        return {"accuracy": accuracy, "loss": loss}
