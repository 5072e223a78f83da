"""Student and method in one module whose forward returns the terms of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from workbench.methods.base import Objective

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.methods.base import Terms
    from workbench.models.base import Output
    from workbench.tasks import Task


class Distiller(nn.Module):
    """The trainable whole: a student, and the objective with its projectors.

    A teacher is trained by the same module with ``objective=None``: then the task is the only term.
    """

    def __init__(self, student: nn.Module, objective: Objective | None, task: Task) -> None:
        super().__init__()
        self.student = student
        self.objective = objective
        self.task = task

    def forward(self, batch: Data, targets: Any = None, output: Output | None = None) -> Terms:
        """Named, unweighted, scalar terms; ``task`` is the loss on the labels and comes first.

        ``output`` is the student's, where its forward pass has been done already.
        """
        if output is None:
            output = self.student.encode(batch.x, batch.edge_index)  # type: ignore[operator]
        terms = {"task": self.task.loss(output.logits, batch)}
        if self.objective is not None:
            terms |= self.objective(output, targets, batch)
        return terms

    def weights(self) -> dict[str, float]:
        """The weight of every term."""
        return {"task": 1.0} | (self.objective.weights() if self.objective is not None else {})
