"""Epochs of a model of point clouds: steps on mini-batches of shapes, augmented anew each time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.datasets.point_clouds import mini_batch
from workbench.models.base import Output
from workbench.training.augmentation import augmented
from workbench.training.batches import BatchStep, Part
from workbench.training.optimiser import make_optimiser
from workbench.training.state import Learner
from workbench.training.whole_graphs import encode_batch, predict, shuffled_batches

if TYPE_CHECKING:
    from workbench.datasets.point_clouds import PointClouds
    from workbench.spec import Training
    from workbench.training.distiller import Distiller


class CloudStep(BatchStep):
    """Epochs over the training shapes of ``clouds``, which are on the device already.

    The frozen ``teacher`` sees every augmented mini-batch that the student sees, so it runs in every step. An
    epoch ends with the logits of the validation shapes as they are.
    """

    def __init__(
        self, distiller: Distiller, clouds: PointClouds, teacher: nn.Module | None, training: Training
    ) -> None:
        super().__init__(
            distiller, Learner(distiller, make_optimiser(distiller, training), clouds.points.device), training
        )
        self.clouds = clouds
        self.teacher = teacher
        self._train_shapes = clouds.of_split("train")
        self._val_shapes = clouds.of_split("val")

    def parts(self) -> Sequence[Part]:
        """Mini-batches of shapes in random order; a last one of a single shape, which has nothing to normalise over,
        is left for another epoch."""
        return [partial(self._batch, shapes) for shapes in shuffled_batches(self._train_shapes, self.training)]

    def _batch(self, shapes: Tensor) -> tuple[Any, Any, Output]:
        batch = mini_batch(augmented(self.clouds.points[shapes]), self.clouds.labels[shapes])
        output = encode_batch(self.distiller.student, batch)
        if self.teacher is None or self.distiller.objective is None:
            return batch, None, output
        with torch.no_grad():
            seen = encode_batch(self.teacher, batch)
        return batch, self.distiller.objective.targets(seen, batch), output

    def evaluate(self) -> tuple[dict[str, Tensor], Output]:
        task: Any = self.distiller.task
        logits = predict(self.distiller.student, self.clouds, self._val_shapes, self.training)
        return {"val": task.measure(logits, self.clouds.labels[self._val_shapes])}, Output(logits, [])
