"""Cora ML and DBLP, the full citation graphs of Bojchevski and Günnemann (ICLR 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.datasets.base import Card
from workbench.datasets.npz_graphs import SPLIT, NpzGraphConfig
from workbench.registry import datasets

_SOURCE = "https://github.com/abojchevski/graph2gauss/raw/master/data"  # also PyG's source
_CITATION = (
    "Bojchevski and Günnemann, Deep Gaussian Embedding of Graphs: Unsupervised Inductive Learning via Ranking, "
    "ICLR 2018{more}."
)
_LICENCE = "MIT (repository abojchevski/graph2gauss)"
_URL = "https://arxiv.org/abs/1707.03815"


@datasets.register
class CoraMLConfig(NpzGraphConfig):
    """Machine learning papers and their citations: another extract than Cora."""

    title: ClassVar[str] = "Cora ML"
    source: ClassVar[str] = _SOURCE
    place: ClassVar[str] = "CitationFull/cora_ml/raw"
    file: ClassVar[str] = "cora_ml.npz"
    card: ClassVar[Card] = Card(
        title="Cora ML",
        task="node classification",
        summary=(
            "2,995 machine learning papers in seven subjects, joined by citations; the features say which of 2,879 "
            f"words a paper uses. {SPLIT}"
        ),
        citation=_CITATION.format(more="; graph: McCallum, Nigam, Rennie and Seymore, Information Retrieval 3, 2000"),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 2995, "edges": 16316, "features": 2879, "classes": 7},
        measured={
            "nodes": 2995,
            "edges": 16316,
            "features": 2879,
            "classes": 7,
            "homophily": 0.7886,
            "train": 140,
            "val": 210,
            "test": 2645,
            "isolated_nodes": 0,
        },
    )

    name: Literal["cora-ml"] = "cora-ml"


@datasets.register
class DBLPCitationConfig(NpzGraphConfig):
    """Computer science papers and their citations: not the network of authors that is also called DBLP."""

    title: ClassVar[str] = "DBLP citations"
    source: ClassVar[str] = _SOURCE
    place: ClassVar[str] = "CitationFull/dblp/raw"
    file: ClassVar[str] = "dblp.npz"
    card: ClassVar[Card] = Card(
        title="DBLP citations",
        task="node classification",
        summary=(
            "17,716 computer science papers in four fields, joined by citations; the features say which of 1,639 "
            f"words a title uses. {SPLIT}"
        ),
        citation=_CITATION.format(more="; graph: Pan, Wu, Zhu, Zhang and Wang, Tri-Party Deep Network, IJCAI 2016"),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 17716, "edges": 105734, "features": 1639, "classes": 4},
        measured={
            "nodes": 17716,
            "edges": 105734,
            "features": 1639,
            "classes": 4,
            "homophily": 0.8279,
            "train": 80,
            "val": 120,
            "test": 17516,
            "isolated_nodes": 0,
        },
    )

    name: Literal["dblp-citation"] = "dblp-citation"
