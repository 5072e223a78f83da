"""Amazon Photo and Amazon Computers: goods that are bought together (Shchur et al., 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.datasets.base import Card
from workbench.datasets.npz_graphs import SPLIT, NpzGraphConfig
from workbench.registry import datasets

CITATION = "Shchur, Mumme, Bojchevski and Günnemann, Pitfalls of Graph Neural Network Evaluation, 2018"
LICENCE = "MIT (repository shchur/gnn-benchmark)"
URL = "https://arxiv.org/abs/1811.05868"
SOURCE = "https://github.com/shchur/gnn-benchmark/raw/master/data/npz"  # also PyG's source

_CITATION = (
    f"{CITATION}; graph: McAuley, Targett, Shi and van den Hengel, Image-Based Recommendations on Styles and "
    "Substitutes, SIGIR 2015."
)


@datasets.register
class AmazonPhotoConfig(NpzGraphConfig):
    """Cameras and what goes with them, joined where they are bought together."""

    title: ClassVar[str] = "Amazon Photo"
    source: ClassVar[str] = SOURCE
    place: ClassVar[str] = "Amazon/Photo/raw"
    file: ClassVar[str] = "amazon_electronics_photo.npz"
    card: ClassVar[Card] = Card(
        title="Amazon Photo",
        task="node classification",
        summary=(
            "7,650 photographic goods in eight categories, joined where they are often bought together; the features "
            f"say which of 745 words stand in their reviews. {SPLIT}"
        ),
        citation=_CITATION,
        licence=LICENCE,
        url=URL,
        published={"nodes": 7650, "edges": 238162, "features": 745, "classes": 8},
        measured={
            "nodes": 7650,
            "edges": 238162,
            "features": 745,
            "classes": 8,
            "homophily": 0.8272,
            "train": 160,
            "val": 240,
            "test": 7250,
            "isolated_nodes": 115,
        },
    )

    name: Literal["amazon-photo"] = "amazon-photo"


@datasets.register
class AmazonComputersConfig(NpzGraphConfig):
    """Computers and what goes with them, joined where they are bought together."""

    title: ClassVar[str] = "Amazon Computers"
    source: ClassVar[str] = SOURCE
    place: ClassVar[str] = "Amazon/Computers/raw"
    file: ClassVar[str] = "amazon_electronics_computers.npz"
    card: ClassVar[Card] = Card(
        title="Amazon Computers",
        task="node classification",
        summary=(
            "13,752 computers and parts in ten categories, joined where they are often bought together; the features "
            f"say which of 767 words stand in their reviews. {SPLIT}"
        ),
        citation=_CITATION,
        licence=LICENCE,
        url=URL,
        published={"nodes": 13752, "edges": 491722, "features": 767, "classes": 10},
        measured={
            "nodes": 13752,
            "edges": 491722,
            "features": 767,
            "classes": 10,
            "homophily": 0.7772,
            "train": 200,
            "val": 300,
            "test": 13252,
            "isolated_nodes": 281,
        },
    )

    name: Literal["amazon-computers"] = "amazon-computers"
