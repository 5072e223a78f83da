from __future__ import annotations

import pytest
import torch

from workbench.errors import RunError, UsageError
from workbench.training.device import memory_advice, resolve_device


def test_auto_is_a_device_of_this_machine() -> None:
    assert resolve_device("auto").type in {"cpu", "cuda", "mps"}


@pytest.mark.parametrize("name", ["cuda:99", "tpu", ""])
def test_a_device_that_is_not_here_is_refused_with_the_ones_that_are(name: str) -> None:
    with pytest.raises(UsageError, match=r"choose auto or one of cpu"):
        resolve_device(name)


def test_out_of_memory_becomes_advice() -> None:
    with pytest.raises(RunError, match="lower hidden_channels"), memory_advice(torch.device("cpu")):
        torch.empty(2**60)


def test_other_faults_pass_unchanged() -> None:
    with pytest.raises(RuntimeError, match="size"), memory_advice(torch.device("cpu")):
        torch.zeros(2) + torch.zeros(3)
