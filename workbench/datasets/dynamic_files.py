"""Three graphs that change in the snapshots of the papers: Enron, UCI messages and ML-10M."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import ClassVar, Literal

from workbench.datasets.base import Card, Progress
from workbench.datasets.event_config import EventFileConfig, days_option, snapshots_option
from workbench.datasets.event_table import EventTable
from workbench.datasets.snapshot_presets import ML_10M, SMALL, Presets
from workbench.datasets.snapshots import SnapshotSequence
from workbench.errors import UsageError
from workbench.registry import datasets

_DYSAT = "slices as in Sankar, Wu, Gou, Zhang and Yang, DySAT, WSDM 2020"


@datasets.register
class EnronConfig(EventFileConfig):
    """E-mails between the employees of a company, in slices of about two months."""

    title: ClassVar[str] = "Enron"
    presets: ClassVar[Presets] = SMALL
    table: ClassVar[EventTable] = EventTable("Dynamic/Enron/edges.csv.gz", "https://github.com/aravindsankar28/DySAT")
    num_nodes: ClassVar[int] = 143
    card: ClassVar[Card] = Card(
        title="Enron",
        task="link prediction",
        summary=(
            "E-mails between 143 employees of Enron from November 1998 to June 2002, in 16 snapshots of about two "
            "months (the first and the last are longer). A link is a pair that wrote to each other in a snapshot, its "
            "weight the number of messages; one link in ten is a person writing to themselves."
        ),
        citation=f"Klimt and Yang, Introducing the Enron Corpus, CEAS 2004; {_DYSAT}.",
        licence="none stated",
        url="https://arxiv.org/abs/1812.09430",
        published={"nodes": 143, "snapshots": 16, "links": 2347},
        measured={
            "nodes": 143,
            "snapshots": 16,
            "links": 2347,
            "distinct_links": 879,
            "events": 22784,
            "new_links": 41.6,
        },
    )

    name: Literal["enron"] = "enron"
    days: float = days_option(60.0)
    snapshots: int = snapshots_option(16)


@datasets.register
class UCIConfig(EventFileConfig):
    """Messages between students of a university, in slices of ten days."""

    title: ClassVar[str] = "UCI messages"
    table: ClassVar[EventTable] = EventTable(
        "Dynamic/UCI/edges.csv.gz",
        "https://github.com/aravindsankar28/DySAT (raw messages: https://snap.stanford.edu/data/CollegeMsg.html)",
    )
    num_nodes: ClassVar[int] = 1809
    card: ClassVar[Card] = Card(
        title="UCI messages",
        task="link prediction",
        summary=(
            "Private messages between 1,809 students of the University of California, Irvine, from April to August "
            "2004, in 13 snapshots of ten days. Most of the messages are from the first two months. A link's weight "
            "is the number of messages."
        ),
        citation=(
            "Panzarasa, Opsahl and Carley, Patterns and Dynamics of Users' Behavior and Interaction: Network Analysis "
            f"of an Online Community, JASIST 60(5), 2009; {_DYSAT}."
        ),
        licence="none stated",
        url="https://arxiv.org/abs/1812.09430",
        published={"nodes": 1809, "snapshots": 13, "links": 16822},
        measured={
            "nodes": 1809,
            "snapshots": 13,
            "links": 16822,
            "distinct_links": 13228,
            "events": 56459,
            "new_links": 449.0833,
        },
    )

    name: Literal["uci"] = "uci"
    days: float = days_option(10.0)
    snapshots: int = snapshots_option(13)


@datasets.register
class ML10MConfig(EventFileConfig):
    """Users of MovieLens and the tags that they gave, in slices of 90 days."""

    presets: ClassVar[Presets] = ML_10M
    title: ClassVar[str] = "ML-10M"
    table: ClassVar[EventTable] = EventTable(
        "Dynamic/ML-10M/edges.csv.gz", "https://github.com/stefanosantaris/Distill2Vec"
    )
    nodes_file: ClassVar[str] = "Dynamic/ML-10M/nodes.csv.gz"
    num_nodes: ClassVar[int] = 20537
    card: ClassVar[Card] = Card(
        title="ML-10M",
        task="link prediction",
        summary=(
            "4,009 users of MovieLens and the 16,528 tags that they gave to films from December 2005 to January 2009, "
            "in 13 slices of 90 days in UTC. Links join a user and a tag; their weight is how often the tag was given. "
            "The graph is bipartite, so a user and a tag never have common neighbours. It is that of the Distill2Vec "
            "paper."
        ),
        citation=(
            "Harper and Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), 2015; slices as in "
            "Antaris and Rafailidis, Distill2Vec, ASONAM 2020."
        ),
        licence="Apache-2.0 (repository stefanosantaris/Distill2Vec)",
        url="https://arxiv.org/abs/2011.05664",
        published={"nodes": 20537, "snapshots": 13, "distinct_links": 43760},
        measured={
            "nodes": 20537,
            "snapshots": 13,
            "links": 49271,
            "distinct_links": 43760,
            "events": 95580,
            "new_links": 781.5,
        },
    )

    name: Literal["ml-10m"] = "ml-10m"
    days: float = days_option(90.0)
    snapshots: int = snapshots_option(13)

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        """As every file of events; where ``nodes.csv.gz`` lies beside it, nodes are called user … and tag …."""
        names = self._names(root / self.nodes_file)
        return self.sequence(self.table.read(root), num_nodes=self.num_nodes, node_ids=names)

    def _names(self, path: Path) -> list[str] | None:
        if not path.is_file():
            return None
        try:
            with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
                rows = {int(row["node"]): f"{row['type']} {row['raw_id']}" for row in csv.DictReader(lines)}
            return [rows[node] for node in range(self.num_nodes)]
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise UsageError(
                f"{path} cannot be read ({type(error).__name__}: {error}): expected the columns node,type,raw_id and "
                f"a line for each of {self.num_nodes:,} nodes; take it away to go without the names"
            ) from None
