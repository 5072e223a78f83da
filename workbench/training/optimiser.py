"""The optimiser, and a step that is left out where the loss or a gradient is not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from workbench.spec import Training

FUSED = ("adam", "adamw", "sgd")  # have a form that leaves out a step on the device


def make_optimiser(module: nn.Module, training: Training, fused: bool | None = None) -> torch.optim.Optimizer:
    """The optimiser of every parameter of ``module`` that is trained.

    ``fused`` (by default on CUDA) takes torch's fused form where there is one (:data:`FUSED`).
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    if fused is None:
        fused = all(p.device.type == "cuda" for p in trained)
    parameters = _groups(module, trained)
    options: dict[str, Any] = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
    if training.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, **options)
    options["fused"] = fused or None  # None lets torch choose among the forms that are not fused
    if training.optimizer == "sgd":
        return _with_momentum(torch.optim.SGD(parameters, momentum=0.9, **options))
    kind: Any = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    optimiser: torch.optim.Optimizer = kind(parameters, **options)
    return optimiser


def decides_on_the_device(optimiser: torch.optim.Optimizer) -> bool:
    """Whether :func:`step_if` does without the host."""
    return bool(optimiser.defaults.get("fused"))


def step_if(finite: Tensor, optimiser: torch.optim.Optimizer) -> None:
    """Take a step where ``finite`` (), a boolean on the device, says so.

    A fused optimiser reads it on the device, by the attribute that torch's own GradScaler sets; any other waits
    for it, which costs nothing on the CPU.
    """
    if decides_on_the_device(optimiser):
        optimiser.found_inf = (~finite).float()  # type: ignore[attr-defined]
        optimiser.step()
    elif finite.item():
        optimiser.step()


def _groups(module: nn.Module, trained: list[nn.Parameter]) -> list[Any]:
    """The parameters as they are; or in two groups where a part of the module names some that do not decay."""
    spared = {id(p) for part in module.modules() for p in getattr(part, "undecayed", list)()}
    if not spared:
        return list(trained)
    decaying = [p for p in trained if id(p) not in spared]
    return [{"params": decaying}, {"params": [p for p in trained if id(p) in spared], "weight_decay": 0.0}]


def _with_momentum(optimiser: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """SGD whose momentum is there before the first step; from zero, that step is the usual one.

    The fused form would make it without filling it, and leave it so where the first step is left out.
    """
    if decides_on_the_device(optimiser):
        for group in optimiser.param_groups:
            for p in group["params"]:
                optimiser.state[p]["momentum_buffer"] = torch.zeros_like(p)
    return optimiser
