"""Checkpoints: tensors and random states in one safetensors file with a JSON header; never a pickle."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.errors import RunError


@dataclass
class Checkpoint:
    """Everything that training needs to go on as if it had not been interrupted."""

    header: dict[str, Any]  # plain data: stage, epoch, selection, seconds …
    tensors: dict[str, Tensor]

    def section(self, prefix: str) -> dict[str, Tensor]:
        """The tensors below ``prefix/``, with the prefix taken off."""
        return {key[len(prefix) + 1 :]: value for key, value in self.tensors.items() if key.startswith(prefix + "/")}


def sections(**parts: dict[str, Tensor]) -> dict[str, Tensor]:
    """Several named groups of tensors as one flat mapping, the inverse of :meth:`Checkpoint.section`."""
    return {f"{prefix}/{key}": value for prefix, group in parts.items() for key, value in group.items()}


def save_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any] | None = None) -> None:
    """Write ``path`` in one step: a reader sees the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    ready = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    try:
        save_file(ready, temporary, metadata={"header": json.dumps(header or {})})
        os.replace(temporary, path)
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be written: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def load_tensors(path: Path) -> Checkpoint:
    """Read what :func:`save_tensors` wrote; raises RunError for a damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("header", "{}"))
            return Checkpoint(header, {key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}): delete it and run again") from error


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, ``<parameter>.<name>``."""
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, group in optimiser.state_dict()["state"].items()
        for name, value in group.items()
        if value is not None
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def cloned_state(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the module's weights and buffers."""
    return {key: value.detach().clone() for key, value in module.state_dict().items()}
