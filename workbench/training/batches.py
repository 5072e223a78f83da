"""An epoch of many steps, one on every mini-batch; its numbers are their means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.training.step import Done, Packed, autocast, take_step

if TYPE_CHECKING:
    from workbench.models.base import Output
    from workbench.spec import Training
    from workbench.training.distiller import Distiller
    from workbench.training.state import Learner

Part = Callable[[], tuple[Any, Any, "Output"]]  # makes (batch, targets, the student's output on it)


class BatchStep(ABC):
    """Epochs over mini-batches. Subclasses say what these are and how an epoch is judged."""

    def __init__(self, distiller: Distiller, learner: Learner, training: Training) -> None:
        self.distiller = distiller
        self.learner = learner
        self.training = training
        self.mean_loss = 0.0  # of the epoch that was trained last

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """The mini-batches of an epoch, in the order in which they are learned from."""

    @abstractmethod
    def evaluate(self) -> tuple[dict[str, Tensor], Output]:
        """The task's metrics by split, and an output that was kept of it, in evaluation mode without gradients."""

    def run(self, lens: bool) -> Done:
        """One epoch. Values and gradient norms are means over the mini-batches; the lens looks at the last one."""
        parts = self.parts()
        rows: list[Tensor] = []  # (terms, 3) of each mini-batch
        weights: dict[str, float] = {}
        for number, make in enumerate(parts, 1):
            weights, found = self._train(make, lens and number == len(parts))
            rows.append(found)
        stacked = torch.stack(rows)  # (mini-batches, terms, 3)
        means = torch.cat([stacked[:, :, :2].mean(0), stacked[-1, :, 2:]], dim=1)
        self.mean_loss = float(
            sum(weights[name] * value for name, value in zip(weights, means[:, 0].tolist(), strict=True))
        )
        pictures = self.distiller.objective.pictures() if self.distiller.objective else {}
        numbers, output = self.evaluate()
        together = {name: found.to(means.device) for name, found in {"terms": means, **numbers}.items()}
        return Done(Packed(together), weights, output, pictures)

    def before_step(self) -> None:  # noqa: B027 - most have nothing to do
        """What else is done to the gradients, once they are clipped."""

    def _train(self, make: Part, lens: bool) -> tuple[dict[str, float], Tensor]:
        """A step on one mini-batch; returns the weight of every term, and their rows of numbers."""
        distiller = self.distiller
        distiller.train()
        with autocast(self.learner.device, self.training):
            batch, targets, output = make()
            terms = distiller(batch, targets, output)
        return take_step(terms, self.learner, self.training, lens, self.before_step)
