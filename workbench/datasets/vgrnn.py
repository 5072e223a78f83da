"""The three small graphs of VGRNN (Hajiramezanali et al., NeurIPS 2019): snapshots without times."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.datasets.event_table import EventTable
from workbench.datasets.snapshot_presets import SMALL, Presets
from workbench.datasets.snapshots import SnapshotSequence
from workbench.options import Option
from workbench.registry import datasets

_COLUMNS = ("snapshot", "src", "dst")
_SOURCE = "https://github.com/VGraphRNN/VGRNN"
_CITATION = (
    "Hajiramezanali, Hasanzadeh, Narayanan, Duffield, Zhou and Qian, Variational Graph Recurrent Neural Networks, "
    "NeurIPS 2019."
)
_URL = "https://arxiv.org/abs/1908.09710"


class VGRNNConfig(DatasetConfig):
    """What the three share: a link is there or not, and some nodes never have one (they come last)."""

    table: ClassVar[EventTable]
    num_nodes: ClassVar[int]
    presets: ClassVar[Presets] = SMALL

    cumulative: bool = Option(False, help="Let a snapshot hold all links so far, not only its own.")

    def is_ready(self, root: Path) -> bool:
        return self.table.is_ready(root)

    def wanted(self, root: Path) -> str:
        return self.table.wanted()

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        columns = self.table.read(root)
        return SnapshotSequence.from_snapshot_column(
            columns["snapshot"], columns["src"], columns["dst"], num_nodes=self.num_nodes, cumulative=self.cumulative
        )


@datasets.register
class VGRNNEnron10Config(VGRNNConfig):
    """E-mails between the employees of a company, as VGRNN sliced them."""

    title: ClassVar[str] = "Enron (VGRNN)"
    table: ClassVar[EventTable] = EventTable("Dynamic/VGRNN-enron10/edges.csv.gz", _SOURCE, _COLUMNS)
    num_nodes: ClassVar[int] = 184
    card: ClassVar[Card] = Card(
        title="Enron (VGRNN)",
        task="link prediction",
        summary=(
            "E-mails between employees of Enron in the 11 snapshots of the VGRNN paper: other slices and another "
            "choice of people than in DySAT's. 41 of the 184 nodes never have a link."
        ),
        citation=_CITATION,
        licence="none stated",
        url=_URL,
        published={"nodes": 184, "snapshots": 11},
        measured={
            "nodes": 184,
            "snapshots": 11,
            "links": 2392,
            "distinct_links": 790,
            "events": 2392,
            "new_links": 59.9,
        },
    )

    name: Literal["vgrnn-enron10"] = "vgrnn-enron10"


@datasets.register
class VGRNNDBLPConfig(VGRNNConfig):
    """Co-authors in computer science, year by year."""

    title: ClassVar[str] = "DBLP (VGRNN)"
    table: ClassVar[EventTable] = EventTable("Dynamic/VGRNN-dblp/edges.csv.gz", _SOURCE, _COLUMNS)
    num_nodes: ClassVar[int] = 315
    card: ClassVar[Card] = Card(
        title="DBLP (VGRNN)",
        task="link prediction",
        summary="315 authors who wrote papers together, in ten snapshots. 12 of them never have a link.",
        citation=_CITATION,
        licence="none stated",
        url=_URL,
        published={"nodes": 315, "snapshots": 10},
        measured={
            "nodes": 315,
            "snapshots": 10,
            "links": 2552,
            "distinct_links": 943,
            "events": 2552,
            "new_links": 71.0,
        },
    )

    name: Literal["vgrnn-dblp"] = "vgrnn-dblp"


@datasets.register
class VGRNNFacebookConfig(VGRNNConfig):
    """Posts on each other's walls."""

    title: ClassVar[str] = "Facebook (VGRNN)"
    table: ClassVar[EventTable] = EventTable("Dynamic/VGRNN-fb/edges.csv.gz", _SOURCE, _COLUMNS)
    num_nodes: ClassVar[int] = 663
    card: ClassVar[Card] = Card(
        title="Facebook (VGRNN)",
        task="link prediction",
        summary=(
            "663 users of Facebook who wrote on each other's walls, in nine snapshots. 4 of them never have a link."
        ),
        citation=_CITATION,
        licence="none stated",
        url=_URL,
        published={"nodes": 663, "snapshots": 9},
        measured={
            "nodes": 663,
            "snapshots": 9,
            "links": 11697,
            "distinct_links": 5271,
            "events": 11697,
            "new_links": 488.125,
        },
    )

    name: Literal["vgrnn-fb"] = "vgrnn-fb"
