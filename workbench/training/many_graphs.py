"""Epochs of a model of many graphs: steps on mini-batches of whole graphs, which are the same in every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor

from workbench.models.base import Output
from workbench.training.batches import BatchStep, Part
from workbench.training.optimiser import make_optimiser
from workbench.training.state import Learner
from workbench.training.whole_graphs import encode_batch, predict, shuffled_batches

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection
    from workbench.spec import Training
    from workbench.training.distiller import Distiller
    from workbench.training.teacher_outputs import TeacherOutputs


class GraphStep(BatchStep):
    """Epochs over the training graphs of ``graphs``, which are on the device already.

    Targets are made of the ``teacher``'s outputs for every mini-batch: methods that compare nodes act on the nodes of
    all its graphs together (decided here: the papers do not say), soft labels on whatever has a label. An epoch ends
    with the logits of the validation graphs.
    """

    def __init__(
        self, distiller: Distiller, graphs: GraphCollection, teacher: TeacherOutputs | None, training: Training
    ) -> None:
        super().__init__(distiller, Learner(distiller, make_optimiser(distiller, training), graphs.x.device), training)
        self.graphs = graphs
        self.teacher = teacher
        self._train_graphs = graphs.of_split("train")
        self._val_graphs = graphs.of_split("val")
        self._val_labels = graphs.labels_of(self._val_graphs)

    def parts(self) -> Sequence[Part]:
        """Mini-batches in random order."""
        several = self.graphs.level == "graph"
        batches = shuffled_batches(self._train_graphs, self.training, several)
        return [partial(self._batch, chosen) for chosen in batches]

    def _batch(self, chosen: Tensor) -> tuple[Any, Any, Output]:
        batch = self.graphs.mini_batch(chosen)
        output = encode_batch(self.distiller.student, batch)
        if self.teacher is None or self.distiller.objective is None:
            return batch, None, output
        return batch, self.distiller.objective.targets(self.teacher.of(chosen, batch), batch), output

    def evaluate(self) -> tuple[dict[str, Tensor], Output]:
        task: Any = self.distiller.task
        logits = predict(self.distiller.student, self.graphs, self._val_graphs, self.training)
        return {"val": task.measure(logits, self._val_labels)}, Output(logits, [])
