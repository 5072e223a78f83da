"""What the datasets of events in time share: how time is sliced, as options, and the way from a file to snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from workbench.datasets.base import DatasetConfig, Progress
from workbench.datasets.event_table import EventTable
from workbench.datasets.slices import DAY
from workbench.datasets.snapshot_presets import MEDIUM, Presets
from workbench.datasets.snapshots import SnapshotSequence
from workbench.options import Option


def days_option(default: float) -> Any:
    """The width of calendar slices; a century at most."""
    return Option(default, help="Calendar slices: so many days each, from the first event on (UTC).", gt=0, le=36_525)


def snapshots_option(default: int) -> Any:
    return Option(default, help="Equal-count slices: how many.", ge=3, le=1_000)


class EventConfig(DatasetConfig):
    """Events that come with their snapshot (``file``), or whose times are sliced."""

    presets: ClassVar[Presets] = MEDIUM

    slicing: Literal["file", "calendar", "equal-count"] = Option(
        "file",
        help="The snapshots in the file, slices of so many days, or slices with equally many events (events of the "
        "same time stay together).",
    )
    days: float = days_option(30.0)
    snapshots: int = snapshots_option(10)
    cumulative: bool = Option(False, help="Let a snapshot hold all links so far, not only those of its own slice.")

    def sequence(self, events: Mapping[str, NDArray[Any]], **nodes: Any) -> SnapshotSequence:
        """The snapshots of ``events``: columns src, dst, time, perhaps weight, and snapshot where they come with it.

        ``nodes``: ``num_nodes`` or ``node_ids``, as in :meth:`SnapshotSequence.from_events`.
        """
        ends, time, weight = (events["src"], events["dst"]), events["time"], events.get("weight")
        if self.slicing == "file":
            return SnapshotSequence.from_snapshot_column(
                events["snapshot"], *ends, time, weight, cumulative=self.cumulative, **nodes
            )
        return SnapshotSequence.from_events(
            *ends,
            time,
            weight,
            slicing=self.slicing,
            width=self.days * DAY,
            snapshots=self.snapshots,
            cumulative=self.cumulative,
            **nodes,
        )


class TimedConfig(EventConfig):
    """Events that come without snapshots."""

    slicing: Literal["calendar", "equal-count"] = Option(
        "calendar",
        help="Slices of so many days, or slices with equally many events (events of the same time stay together).",
    )


class EventFileConfig(EventConfig):
    """A file with snapshots of nodes 0 … N − 1."""

    table: ClassVar[EventTable]
    num_nodes: ClassVar[int]

    def is_ready(self, root: Path) -> bool:
        return self.table.is_ready(root)

    def wanted(self, root: Path) -> str:
        return self.table.wanted()

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        return self.sequence(self.table.read(root), num_nodes=self.num_nodes)


class TimedFileConfig(TimedConfig):
    """A file without snapshots; its nodes are those with an event."""

    table: ClassVar[EventTable]

    def is_ready(self, root: Path) -> bool:
        return self.table.is_ready(root)

    def wanted(self, root: Path) -> str:
        return self.table.wanted()

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        return self.sequence(self.table.read(root))
