"""What a dataset is: a name, a card, and a way to load its graph; and what can be measured on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import platformdirs

from workbench.options import Component
from workbench.paths import expanded

if TYPE_CHECKING:
    from torch_geometric.data import Data

DATA_ROOT = "WORKBENCH_DATA"
USUAL_PRESET = "usual"  # the one that is taken unless another one is named
Task = Literal["node classification", "graph classification", "link prediction"]
Metric = Literal["accuracy", "auc", "micro_f1"]
# One graph, one with several types of nodes, many graphs, point clouds, a graph over time.
Holds = Literal["graph", "hetero", "graphs", "clouds", "snapshots"]
USUAL_HOLDS: Mapping[Task, Holds] = {  # where a dataset does not say
    "node classification": "graph",
    "graph classification": "clouds",
    "link prediction": "snapshots",
}
Progress = Callable[[str, float], None]  # (what is happening, fraction done in 0..1)


@dataclass(frozen=True)
class Card:
    """What a person should know before using a dataset."""

    title: str
    task: Task
    summary: str
    citation: str
    licence: str
    url: str = ""
    synthetic: bool = False
    metric: Metric = "accuracy"  # what validation selects by and papers report; of links it is always the AUC
    published: Mapping[str, float] = field(default_factory=dict)  # nodes, edges (both directions), features, classes
    measured: Mapping[str, float] = field(default_factory=dict)  # what ``measure`` finds with the default options


class DatasetConfig(Component):
    """A dataset by name, with the options of its generator or loader, as data.

    ``load`` returns, for node classification, one PyG ``Data`` with ``x`` (N, F) float32, ``edge_index`` (2, E) int64,
    ``y`` (N,) int64 and boolean ``train_mask``, ``val_mask``, ``test_mask`` (N,); for link prediction a
    ``SnapshotSequence``, for graph classification ``PointClouds``. A dataset that ``holds`` many "graphs" gives a
    ``GraphCollection``, whether these or their nodes are classified; one that holds a "hetero" graph a ``HeteroGraph``.
    """

    card: ClassVar[Card]
    holds: ClassVar[Holds | None] = None  # what is loaded; None is what is usual for the task
    # Partial specs by name, for what a person leaves out; "usual" is taken where no other one is named.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        """Read (and, where needed, download) the graph below the data root ``root``."""
        raise NotImplementedError(f"{type(self).__name__} must define load(root, progress)")

    def is_ready(self, root: Path) -> bool:
        """Whether ``load`` needs no network."""
        return True

    def wanted(self, root: Path) -> str:
        """What to put where, of data that is never downloaded; empty for what ``load`` makes or fetches."""
        return ""

    def pinned(self) -> Self:
        """This config with everything filled in that names its contents; called when a run is launched.

        A dataset that is read from a person's own files adds their digest here, so that the identity of a
        run changes with them.
        """
        return self


def held_by(dataset: DatasetConfig | type[DatasetConfig]) -> Holds:
    """What ``load`` of a dataset returns."""
    return dataset.holds or USUAL_HOLDS[dataset.card.task]


def data_root() -> Path:
    """``WORKBENCH_DATA``, or the platform's user data folder. Nothing is created here."""
    given = os.environ.get(DATA_ROOT)
    return expanded(given) if given else Path(platformdirs.user_data_dir("gnn-distillation-workbench", False))
