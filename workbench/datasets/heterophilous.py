"""Graphs whose links join nodes of different classes as a rule (Platonov et al., ICLR 2023), with their ten splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from workbench.datasets.archives import arrays_of, damaged
from workbench.datasets.arrays import MASK_NAMES, Array, as_data, symmetrise
from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.datasets.raw_files import RawFiles
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data

SOURCE = "https://github.com/yandex-research/heterophilous-graphs/raw/main/data"  # also PyG's source
SPLITS = 10
KEYS = ("node_features", "node_labels", "edges", *(f"{name}s" for name in MASK_NAMES))

_CITATION = (
    "Platonov, Kuznedelev, Diskin, Babenko and Prokhorenkova, A Critical Look at the Evaluation of GNNs under "
    "Heterophily: Are We Really Making Progress?, ICLR 2023{more}."
)
_WIKIPEDIA = "; graph: Rozemberczki, Allen and Sarkar, Multi-Scale Attributed Node Embedding, 2021"
_LICENCE = "MIT (repository yandex-research/heterophilous-graphs)"
_URL = "https://arxiv.org/abs/2302.11640"


class HeterophilousConfig(DatasetConfig):
    """What they share; ``graph`` is the name of the file. Links count in both directions, as in the paper."""

    graph: ClassVar[str]

    split: int = Option(0, help="Which of the ten published splits.", ge=0, lt=SPLITS)

    @property
    def files(self) -> RawFiles:
        return RawFiles(SOURCE, f"HeterophilousGraph/{self.graph}/raw", (f"{self.graph}.npz",), self._read)

    def is_ready(self, root: Path) -> bool:
        return not self.files.missing(root)

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        files = self.files
        files.fetch_missing(root, progress)
        (name,) = files.names
        arrays, edge_index = self._read(files.read(root, name), name, str(files.folder(root) / name))
        masks = {name: arrays[f"{name}s"][self.split] for name in MASK_NAMES}
        return as_data(arrays["node_features"], edge_index, arrays["node_labels"], **masks)

    def _read(self, raw: bytes, name: str, where: str) -> tuple[dict[str, Array], Array]:
        """The arrays of the archive and the edges (2, E), of the published counts."""
        arrays = arrays_of(raw, KEYS, where)
        x, y, edges = (arrays[key] for key in KEYS[:3])
        nodes, features, classes, number = (
            int(self.card.published[what]) for what in ("nodes", "features", "classes", "edges")
        )
        if x.shape != (nodes, features) or x.dtype.kind not in "fiub" or y.shape != (nodes,):
            raise damaged(where, f"it is not of {nodes:,} nodes with {features:,} features")
        if y.dtype.kind not in "iu" or not np.array_equal(np.unique(y), np.arange(classes)):
            raise damaged(where, f"its labels are not those of {classes} classes")
        if any(arrays[key].shape != (SPLITS, nodes) or arrays[key].dtype != bool for key in KEYS[3:]):
            raise damaged(where, f"it does not hold {SPLITS} splits")
        if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu" or edges.size == 0:
            raise damaged(where, "its edges are no pairs of nodes")
        if edges.min() < 0 or edges.max() >= nodes:
            raise damaged(where, "an edge joins a node that is not there")
        edge_index = symmetrise(edges.T, nodes)
        if edge_index.shape[1] != number:
            raise damaged(where, f"it has {edge_index.shape[1]:,} edges in place of {number:,}")
        return arrays, edge_index


@datasets.register
class MinesweeperConfig(HeterophilousConfig):
    """Which fields of a board hide a mine."""

    title: ClassVar[str] = "Minesweeper"
    graph: ClassVar[str] = "minesweeper"
    card: ClassVar[Card] = Card(
        title="Minesweeper",
        task="node classification",
        metric="auc",
        summary=(
            "The 10,000 fields of a board of the game, joined to their up to eight neighbours; one in five hides a "
            "mine, which is what is to be found. Half of the fields tell how many mines are beside them. Made by a "
            "rule, and called a dataset by the paper. Judged by the area under the ROC curve, as there."
        ),
        citation=_CITATION.format(more=""),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 10000, "edges": 78804, "features": 7, "classes": 2},
        measured={
            "nodes": 10000,
            "edges": 78804,
            "features": 7,
            "classes": 2,
            "homophily": 0.6828,
            "train": 5000,
            "val": 2500,
            "test": 2500,
            "isolated_nodes": 0,
        },
    )

    name: Literal["minesweeper"] = "minesweeper"


@datasets.register
class TolokersConfig(HeterophilousConfig):
    """Which workers of a crowdsourcing platform were banned."""

    title: ClassVar[str] = "Tolokers"
    graph: ClassVar[str] = "tolokers"
    card: ClassVar[Card] = Card(
        title="Tolokers",
        task="node classification",
        metric="auc",
        summary=(
            "11,758 workers of the crowdsourcing platform Toloka, joined where they worked on the same task; 22 % were "
            "banned from a project, which is what is to be found from ten facts about each. Judged by the area under "
            "the ROC curve, as in the paper."
        ),
        citation=_CITATION.format(more="; data: Likhobaba, Pavlichenko and Ustalov, Toloker Graph, 2023"),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 11758, "edges": 1038000, "features": 10, "classes": 2},
        measured={
            "nodes": 11758,
            "edges": 1038000,
            "features": 10,
            "classes": 2,
            "homophily": 0.5945,
            "train": 5879,
            "val": 2939,
            "test": 2940,
            "isolated_nodes": 0,
        },
    )

    name: Literal["tolokers"] = "tolokers"


@datasets.register
class ChameleonFilteredConfig(HeterophilousConfig):
    """Articles of Wikipedia on chameleons, without the duplicates."""

    title: ClassVar[str] = "Chameleon (filtered)"
    graph: ClassVar[str] = "chameleon_filtered"
    card: ClassVar[Card] = Card(
        title="Chameleon (filtered)",
        task="node classification",
        summary=(
            "890 articles of Wikipedia that mention chameleons, joined by links, in five classes by how often they are "
            "read; the features say which of 2,325 nouns an article uses. Without the articles that occur twice in "
            "the older dataset, part of which were in training and test at once."
        ),
        citation=_CITATION.format(more=_WIKIPEDIA),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 890, "edges": 17708, "features": 2325, "classes": 5},
        measured={
            "nodes": 890,
            "edges": 17708,
            "features": 2325,
            "classes": 5,
            "homophily": 0.2361,
            "train": 409,
            "val": 287,
            "test": 194,
            "isolated_nodes": 0,
        },
    )

    name: Literal["chameleon-filtered"] = "chameleon-filtered"


@datasets.register
class SquirrelFilteredConfig(HeterophilousConfig):
    """Articles of Wikipedia on squirrels, without the duplicates."""

    title: ClassVar[str] = "Squirrel (filtered)"
    graph: ClassVar[str] = "squirrel_filtered"
    card: ClassVar[Card] = Card(
        title="Squirrel (filtered)",
        task="node classification",
        summary=(
            "2,223 articles of Wikipedia that mention squirrels, joined by links, in five classes by how often they "
            "are read; the features say which of 2,089 nouns an article uses. Without the articles that occur twice "
            "in the older dataset, part of which were in training and test at once."
        ),
        citation=_CITATION.format(more=_WIKIPEDIA),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 2223, "edges": 93996, "features": 2089, "classes": 5},
        measured={
            "nodes": 2223,
            "edges": 93996,
            "features": 2089,
            "classes": 5,
            "homophily": 0.2072,
            "train": 1053,
            "val": 718,
            "test": 452,
            "isolated_nodes": 0,
        },
    )

    name: Literal["squirrel-filtered"] = "squirrel-filtered"
