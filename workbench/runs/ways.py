"""How a run is carried out: one module for each kind of data, found by what the dataset holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from workbench.datasets.base import Holds

if TYPE_CHECKING:
    import torch

    from workbench.runs.live import Live
    from workbench.runs.recorder import RunRecorder
    from workbench.spec import Spec
    from workbench.training.checkpoint import Checkpoint

MODULES: dict[Holds, str] = {
    "graph": "workbench.runs.node_classification",
    "hetero": "workbench.runs.node_classification",
    "graphs": "workbench.runs.many_graphs",
    "clouds": "workbench.runs.graph_classification",
    "snapshots": "workbench.runs.online",
}


@dataclass
class Order:
    """A run that is to be carried out, with its data loaded and its device chosen."""

    spec: Spec
    recorder: RunRecorder
    live: Live
    data: Any  # what the dataset's ``load`` returned
    device: torch.device
    fingerprint: str = ""  # of the data
    checkpoint: Checkpoint | None = None


@dataclass
class Found:
    """What ``result.json`` says of both models, and what else of the task is put into it."""

    teacher: dict[str, Any]
    student: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)


class Way(Protocol):
    """What a module of :data:`MODULES` has."""

    def check(self, spec: Spec, data: Any, live: Live) -> list[str]:
        """Notes for the person; raises UsageError for anything that cannot work."""

    def carry_out(self, order: Order) -> Found: ...


def way_of(held: Holds) -> Way:
    """The module for data of a kind."""
    module: Any = import_module(MODULES[held])
    return module
