"""No distillation: the student alone, which every method has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.methods.base import Method, Objective, Terms, Widths
from workbench.registry import methods

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


@methods.register
class NoDistillation(Method):
    """The student learns from the labels alone."""

    title: ClassVar[str] = "Student alone"
    formula: ClassVar[str] = r"\mathrm{CE}(z_s, y)"
    control: ClassVar[bool] = True
    tasks: ClassVar[frozenset[Task]] = frozenset(get_args(Task))

    name: Literal["none"] = "none"

    def build(self, teacher: Widths, student: Widths) -> Objective:
        return NoObjective()

    def in_sum(self) -> Method:
        raise UsageError("method 'none' is the student alone and adds nothing to a sum: leave it out")


class NoObjective(Objective):
    def targets(self, teacher: Output, batch: Data) -> tuple[()]:
        return ()

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        return {}

    def weights(self) -> dict[str, float]:
        return {}
