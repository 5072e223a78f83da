"""A user's own objects as parts of a run: recorded by class and hash, trained in the calling process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor, nn

from workbench.datasets.base import Card, DatasetConfig, Holds, Progress
from workbench.datasets.graph_collection import GraphCollection
from workbench.datasets.hetero.features import HeteroFeatures
from workbench.datasets.measure import check, fingerprint
from workbench.datasets.point_clouds import PointClouds
from workbench.datasets.snapshots import SnapshotSequence
from workbench.errors import RunError, UsageError
from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.taps import Tapped
from workbench.options import Option

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass
class Live:
    """The objects themselves; they never leave the calling process."""

    data: Any = None  # a PyG Data, a HeteroGraph, a GraphCollection, a SnapshotSequence or PointClouds
    teacher: nn.Module | None = None
    student: nn.Module | None = None
    train_teacher: bool = True

    @property
    def any(self) -> bool:
        return any(part is not None for part in (self.data, self.teacher, self.student))


class LiveModel(ModelConfig):
    """Stands in a spec for a module that a user passed."""

    title: ClassVar[str] = "own module"
    takes: ClassVar[frozenset[Holds] | None] = frozenset({"graph"})

    name: Literal["live"] = "live"
    module: str = Option("", help="The module's class.")
    sha256: str = Option("", help="Hash of its weights when the run was made.")
    trained: bool = Option(False, help="Whether it was used as it came, without training it here.")

    def build(self, in_channels: int, out_channels: int) -> GraphModel:
        raise RunError(f"{self.module} was passed as a live object: pass it again to wb.distill")


class LiveDataset(DatasetConfig):
    """Stands in a spec for a ``Data`` that a user passed."""

    title: ClassVar[str] = "own data"
    card: ClassVar[Card] = Card(
        title="Own data", task="node classification", summary="A Data object.", citation="", licence="the owner's"
    )

    name: Literal["live"] = "live"
    fingerprint: str = Option("", help="Hash of the graph.")

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        raise RunError("this graph was passed as a live object: pass it again to wb.distill")


class LiveHetero(LiveDataset):
    """Stands in a spec for a ``HeteroData`` that a user passed."""

    title: ClassVar[str] = "own graph of several types of nodes"
    card: ClassVar[Card] = replace(LiveDataset.card, summary="A HeteroData object.")
    holds: ClassVar[Holds | None] = "hetero"


class LiveSnapshots(LiveDataset):
    """Stands in a spec for a ``SnapshotSequence`` that a user passed."""

    title: ClassVar[str] = "own snapshots"
    card: ClassVar[Card] = replace(LiveDataset.card, task="link prediction", summary="A SnapshotSequence object.")


class LiveClouds(LiveDataset):
    """Stands in a spec for ``PointClouds`` that a user passed."""

    title: ClassVar[str] = "own point clouds"
    card: ClassVar[Card] = replace(LiveDataset.card, task="graph classification", summary="A PointClouds object.")


class LiveGraphs(LiveDataset):
    """Stands in a spec for a ``GraphCollection`` that a user passed, whose graphs are classified."""

    title: ClassVar[str] = "own graphs"
    card: ClassVar[Card] = replace(LiveDataset.card, task="graph classification", summary="A GraphCollection object.")
    holds: ClassVar[Holds | None] = "graphs"


class LiveNodesOfGraphs(LiveDataset):
    """Likewise, of one whose nodes are classified."""

    title: ClassVar[str] = "own graphs"
    card: ClassVar[Card] = replace(LiveDataset.card, summary="A GraphCollection object.")
    holds: ClassVar[Holds | None] = "graphs"


def is_data(value: object) -> bool:
    """Whether a dataset was passed itself, not by its name."""
    return any((hasattr(value, "edge_index"), isinstance(value, PointClouds), _is_temporal(value), _is_hetero(value)))


def as_live(value: Any) -> Any:
    """A user's data as a run takes it: of a ``HeteroData`` the graph of the nodes that have labels."""
    if not _is_hetero(value):
        return value
    from workbench.datasets.hetero.graph import HeteroGraph

    return HeteroGraph.from_hetero_data(value)


def _is_hetero(value: object) -> bool:
    """Whether it is a ``HeteroData`` of PyG."""
    return hasattr(value, "node_types") and hasattr(value, "edge_types")


def _is_temporal(value: object) -> bool:
    """Whether it is a list of events, such as PyG's ``TemporalData``; a ``Data`` has features too."""
    return all(hasattr(value, name) for name in ("src", "dst", "t")) and not hasattr(value, "x")


def live_dataset(data: Any) -> LiveDataset:
    """The record of a user's graph, snapshots or clouds. Raises UsageError for what cannot be learned from."""
    if _is_temporal(data):
        raise UsageError(
            f"a {type(data).__name__} is a list of events, and a run takes snapshots: cut it into slices with "
            f"workbench.datasets.SnapshotSequence.from_temporal_data(data, width=30 * 86400), in seconds, and pass that"
        )
    check(data, "the data you passed")
    kinds: dict[type, type[LiveDataset]] = {SnapshotSequence: LiveSnapshots, PointClouds: LiveClouds}
    kind = next((found for of, found in kinds.items() if isinstance(data, of)), LiveDataset)
    if isinstance(getattr(data, "x", None), HeteroFeatures):
        kind = LiveHetero
    if isinstance(data, GraphCollection):
        kind = LiveGraphs if data.level == "graph" else LiveNodesOfGraphs
    return kind(fingerprint=fingerprint(data))


def live_model(module: nn.Module, trained: bool = False) -> LiveModel:
    """The record of a user's module: its class and a hash of its weights."""
    own = module.module if isinstance(module, Tapped) else module  # the user's, not our wrapper
    kind = f"{type(own).__module__}.{type(own).__qualname__}"
    digest = hashlib.sha256(repr(module).encode())
    for key, value in sorted(module.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return LiveModel(module=kind, sha256=digest.hexdigest()[:12], trained=trained)


class LogitsOnly(nn.Module):
    """Gives a plain module that returns logits an ``encode`` without hidden states."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        return Output(self.module(x, edge_index), [])

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        logits: Tensor = self.module(x, edge_index)
        return logits


def with_encode(module: nn.Module) -> nn.Module:
    """The module itself where it can ``encode``, otherwise in a wrapper that taps nothing."""
    return module if hasattr(module, "encode") else LogitsOnly(module)
