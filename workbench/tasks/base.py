"""What the training loop asks of a task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from torch import Tensor

Metrics = dict[str, float]


class Task(Protocol):
    """A loss on what a model gives for a batch, and the names of the numbers that validation gives."""

    @property
    def metrics(self) -> tuple[str, ...]: ...
    @property
    def selection_metric(self) -> str: ...
    def loss(self, logits: Tensor, batch: Any) -> Tensor: ...
    def named(self, values: Iterable[float]) -> Metrics: ...
