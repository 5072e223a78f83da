"""One epoch's work on the device: a training step, what the student then gives, and its numbers, fetched together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.parametrize import is_parametrized

from workbench.models.features import is_watched
from workbench.training.optimiser import make_optimiser, step_if
from workbench.training.state import Learner
from workbench.training.terms import backward

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.methods.base import Terms
    from workbench.models.base import Output
    from workbench.spec import Training
    from workbench.training.distiller import Distiller

PICTURE_LIMIT = 1024  # numbers
DIFFERING = (_DropoutNd, _NormBase, nn.RReLU)  # draw, or keep statistics, in training


class Packed:
    """Small tensors end to end in one, so that one transfer brings them all to the host."""

    def __init__(self, parts: Mapping[str, Tensor]) -> None:
        self.shapes = {name: part.shape for name, part in parts.items()}
        self.flat = torch.cat([part.detach().reshape(-1).float() for part in parts.values()])

    def fetch(self) -> dict[str, Any]:
        """Every part as (nested) lists of numbers; waits for the device."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        parts = zip(self.shapes.items(), torch.split(self.flat.cpu(), sizes), strict=True)
        return {name: part.view(shape).tolist() for (name, shape), part in parts}


@dataclass
class Done:
    """What one epoch gave.

    ``numbers`` holds ``terms`` (terms, 3), the rows of :func:`~workbench.training.terms.backward` in the order of
    ``weights``; ``train`` and ``val``, the metrics of the task; and small pictures under ``picture-<name>``.
    ``output`` is the student's in evaluation mode after the step, without gradients.
    """

    numbers: Packed
    weights: dict[str, float]
    output: Output
    pictures: dict[str, Tensor]


class Step:
    """Training steps on one graph, each followed by an evaluation.

    Where the student :func:`computes the same in training <same_in_training>` as in evaluation, the evaluation
    after a step is the forward pass of the next one: it is done once, with gradients. ``reuse=False`` forgoes that.
    """

    def __init__(
        self, distiller: Distiller, batch: Data, targets: Any, training: Training, *, reuse: bool = True
    ) -> None:
        self.distiller = distiller
        self.batch = batch
        self.targets = targets
        self.training = training
        self.learner = Learner(distiller, make_optimiser(distiller, training), batch.x.device)
        self._reuses = reuse and same_in_training(distiller.student)
        self._ahead: Output | None = None  # the forward pass of the next step, where it has been done

    def run(self, lens: bool) -> Done:
        """One epoch; on CUDA nothing in it waits for the device, unless the optimiser is RMSprop."""
        weights, rows = self._train(lens)
        pictures = self.distiller.objective.pictures() if self.distiller.objective else {}
        output = self._evaluate()
        task: Any = self.distiller.task  # of one graph, with splits
        batch = self.batch
        numbers = {"terms": rows, **{split: task.measure(output.logits, batch, split) for split in ("train", "val")}}
        small = {f"picture-{name}": value for name, value in pictures.items() if value.numel() <= PICTURE_LIMIT}
        return Done(Packed(numbers | small), weights, output, pictures)

    def _train(self, lens: bool) -> tuple[dict[str, float], Tensor]:
        """A step; returns the weight of every term, and their rows of numbers."""
        distiller = self.distiller
        distiller.train()
        output, self._ahead = self._ahead, None
        with autocast(self.batch.x.device, self.training):
            terms = distiller(self.batch, self.targets, output)
        return take_step(terms, self.learner, self.training, lens)

    def _evaluate(self) -> Output:
        output = encode(self.distiller.student, self.batch, self.training, gradients=self._reuses)
        if self._reuses:
            self._ahead = output
        return output.detach()


def take_step(
    terms: Terms, learner: Learner, training: Training, lens: bool, before: Callable[[], None] | None = None
) -> tuple[dict[str, float], Tensor]:
    """Learn from ``terms``; returns the weight of each, and their rows of numbers (terms, 3).

    ``before`` is called when the gradients are clipped.
    """
    distiller = learner.distiller
    every = distiller.weights()
    weights = {name: every[name] for name in terms}
    # A step that is not finite would destroy the weights: it is left out, and the watch warns.
    rows, finite = backward(terms, weights, distiller, distiller.student, lens)
    if training.gradient_clip is not None:
        torch.nn.utils.clip_grad_norm_(distiller.parameters(), training.gradient_clip)
    if before is not None:
        before()
    step_if(finite, learner.optimiser)
    return weights, rows


def same_in_training(student: nn.Module) -> bool:
    """Whether the student says that it computes the same in training as in evaluation, and no part of it speaks
    against that: its layers may have been replaced, hooked or parametrised since it was made."""
    if not getattr(student, "same_in_training", False):
        return False
    return not any(_may_differ(module) for module in student.modules())


def _may_differ(module: nn.Module) -> bool:
    """Whether a pass of training mode may be another than one of evaluation, or is counted by somebody."""
    rate = getattr(module, "dropout", 0.0)  # PyG's convolutions drop attention without a module for it
    drops = isinstance(module, DIFFERING) or (isinstance(rate, (int, float)) and rate > 0)
    return drops or is_parametrized(module) or is_watched(module)


def encode(model: nn.Module, batch: Data, training: Training, *, gradients: bool = False) -> Output:
    """The model's output on the whole graph in evaluation mode, without gradients unless they are asked for."""
    model.eval()
    with torch.set_grad_enabled(gradients), autocast(batch.x.device, training):
        output: Output = model.encode(batch.x, batch.edge_index)  # type: ignore[operator]
    return output


def autocast(device: torch.device, training: Training) -> torch.autocast:
    """The number format of the forward pass; a CUDA graph cannot hold autocast's cache of converted weights."""
    enabled, cached = training.precision == "bfloat16", not training.cuda_graph
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled, cache_enabled=cached)
