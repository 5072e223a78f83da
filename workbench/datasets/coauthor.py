"""Coauthor CS and Coauthor Physics: people who wrote papers together (Shchur et al., 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.datasets.amazon import CITATION, LICENCE, SOURCE, URL
from workbench.datasets.base import Card
from workbench.datasets.npz_graphs import SPLIT, NpzGraphConfig
from workbench.registry import datasets

_CITATION = f"{CITATION}; graph: Microsoft Academic Graph of the KDD Cup 2016."


@datasets.register
class CoauthorCSConfig(NpzGraphConfig):
    """Computer scientists who wrote papers together."""

    title: ClassVar[str] = "Coauthor CS"
    source: ClassVar[str] = SOURCE
    place: ClassVar[str] = "Coauthor/CS/raw"
    file: ClassVar[str] = "ms_academic_cs.npz"
    card: ClassVar[Card] = Card(
        title="Coauthor CS",
        task="node classification",
        summary=(
            "18,333 computer scientists by their most active field of 15, joined where they wrote a paper together; "
            f"the features say which of 6,805 keywords their papers have. {SPLIT}"
        ),
        citation=_CITATION,
        licence=LICENCE,
        url=URL,
        published={"nodes": 18333, "edges": 163788, "features": 6805, "classes": 15},
        measured={
            "nodes": 18333,
            "edges": 163788,
            "features": 6805,
            "classes": 15,
            "homophily": 0.8081,
            "train": 300,
            "val": 450,
            "test": 17583,
            "isolated_nodes": 0,
        },
    )

    name: Literal["coauthor-cs"] = "coauthor-cs"


@datasets.register
class CoauthorPhysicsConfig(NpzGraphConfig):
    """Physicists who wrote papers together."""

    title: ClassVar[str] = "Coauthor Physics"
    source: ClassVar[str] = SOURCE
    place: ClassVar[str] = "Coauthor/Physics/raw"
    file: ClassVar[str] = "ms_academic_phy.npz"
    card: ClassVar[Card] = Card(
        title="Coauthor Physics",
        task="node classification",
        summary=(
            "34,493 physicists by their most active field of five, joined where they wrote a paper together; the "
            f"features say which of 8,415 keywords their papers have (1.2 GB in memory). {SPLIT}"
        ),
        citation=_CITATION,
        licence=LICENCE,
        url=URL,
        published={"nodes": 34493, "edges": 495924, "features": 8415, "classes": 5},
        measured={
            "nodes": 34493,
            "edges": 495924,
            "features": 8415,
            "classes": 5,
            "homophily": 0.9314,
            "train": 100,
            "val": 150,
            "test": 34243,
            "isolated_nodes": 0,
        },
    )

    name: Literal["coauthor-physics"] = "coauthor-physics"
