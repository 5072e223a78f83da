"""A graph that is learnt in a second, and a recorder that remembers everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from workbench.training.checkpoint import Checkpoint


class ListRecorder:
    """Remembers everything; stops and stores a checkpoint when told to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.records: list[dict[str, Any]] = []
        self.kept: list[int] = []
        self.warnings: list[str] = []
        self.stop_after = stop_after
        self.saved: Checkpoint | None = None

    def epoch(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def keep(self, epoch: int, output: Any, pictures: dict[str, torch.Tensor]) -> None:
        output.logits.float().numpy()  # as the run folder stores it: refused while it carries gradients
        self.kept.append(epoch)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        if self.stop_requested():
            self.saved = make()

    def stop_requested(self) -> bool:
        return self.stop_after is not None and len(self.records) >= self.stop_after

    def numbers(self) -> list[dict[str, Any]]:
        """The records without the times."""
        return [{key: value for key, value in record.items() if key != "seconds"} for record in self.records]


@pytest.fixture
def make_recorder() -> Callable[..., ListRecorder]:
    return ListRecorder


@pytest.fixture
def small_graph() -> Data:
    """60 nodes, 3 classes, features that carry the class with noise, mostly edges within a class."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 3
    x = torch.nn.functional.one_hot(y, 3).float() + 0.8 * torch.randn(60, 3, generator=generator)
    source = torch.randint(0, 60, (200,), generator=generator)
    shift = 3 * torch.randint(1, 20, (200,), generator=generator)
    target = (source + shift) % 60
    masks = [(torch.arange(60) // 20) == part for part in range(3)]
    return Data(
        x=x,
        y=y,
        edge_index=torch.stack([torch.cat([source, target]), torch.cat([target, source])]),
        train_mask=masks[0],
        val_mask=masks[1],
        test_mask=masks[2],
    )
