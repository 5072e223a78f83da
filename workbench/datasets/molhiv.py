"""ogbg-molhiv (Hu et al., NeurIPS 2020) from OGB's own text files, with its scaffold split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import Card, Holds, Progress
from workbench.datasets.given_files import GivenFilesConfig, read_table
from workbench.datasets.point_clouds import SPLITS
from workbench.errors import UsageError
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection

FOLDER = "OGB/ogbg_molhiv"
RAW = ("node-feat", "edge-feat", "edge", "num-node-list", "num-edge-list", "graph-label")
SPLIT_FILES = {"train": "train", "val": "valid", "test": "test"}
# How many values each feature of an atom and of a bond has, the last one standing for all others: the 173 and 13
# embeddings of the models of OGB's first releases, which published counts of parameters are of.
ATOMS = (119, 4, 12, 12, 10, 6, 6, 2, 2)
BONDS = (5, 6, 2)


@datasets.register
class MolHIVConfig(GivenFilesConfig):
    """Molecules: does one inhibit the replication of HIV?"""

    title: ClassVar[str] = "ogbg-molhiv"
    card: ClassVar[Card] = Card(
        title="ogbg-molhiv",
        task="graph classification",
        summary=(
            "41,127 molecules, of which 3.5 % inhibit the replication of HIV, from MoleculeNet. Atoms and bonds have "
            "categories as features. Split by scaffold, so that the molecules of the test are built unlike those of "
            "the training; judged by the area under the ROC curve. Read from OGB's files below the data root, never "
            "downloaded."
        ),
        citation=(
            "Hu, Fey, Zitnik, Dong, Ren, Liu, Catasta and Leskovec, Open Graph Benchmark: Datasets for Machine "
            "Learning on Graphs, NeurIPS 2020."
        ),
        licence="MIT",
        url="https://ogb.stanford.edu/docs/graphprop",
        metric="auc",
        published={"graphs": 41127, "train": 32901, "val": 4113, "test": 4113},
        measured={
            "graphs": 41127,
            "nodes": 1049163,
            "edges": 2259376,
            "features": 173,
            "classes": 1,
            "train": 32901,
            "val": 4113,
            "test": 4113,
        },
    )
    holds: ClassVar[Holds | None] = "graphs"
    files: ClassVar[tuple[str, ...]] = (
        *(f"{FOLDER}/raw/{name}.csv.gz" for name in RAW),
        *(f"{FOLDER}/split/scaffold/{name}.csv.gz" for name in SPLIT_FILES.values()),
    )
    # Sizes of the G-CRD paper (GIN-E 5 × 300 to GCN 2 × 100) with OGB's training; soft labels as of PPI, decided here.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "usual": {
            "teacher": {"name": "gine", "hidden_channels": 300, "num_layers": 5, "virtual_node": True},
            "student": {"name": "gcn-graph", "hidden_channels": 100, "num_layers": 2},
            "method": {"name": "kd", "alpha": 0.5, "temperature": 1.0},
            "teacher_training": {"learning_rate": 0.001, "epochs": 100, "patience": 0, "batch_size": 32},
            "training": {"learning_rate": 0.001, "epochs": 100, "patience": 0, "batch_size": 32},
        },
        "quick": {
            "teacher": {"name": "gine", "hidden_channels": 64, "num_layers": 3},
            "teacher_training": {"learning_rate": 0.003, "epochs": 4, "batch_size": 256},
            "training": {"learning_rate": 0.003, "epochs": 4, "batch_size": 256},
        },
    }

    name: Literal["molhiv"] = "molhiv"

    def load(self, root: Path, progress: Progress | None = None) -> GraphCollection:
        from workbench.datasets.graph_collection import GraphCollection

        self.require(root)
        columns = {"node-feat": len(ATOMS), "edge-feat": len(BONDS), "edge": 2}
        raw = {name: read_table(root / FOLDER / "raw" / f"{name}.csv.gz", columns.get(name, 1)) for name in RAW[:-1]}
        labels = read_table(root / FOLDER / "raw" / "graph-label.csv.gz", 1, np.float32)
        sizes, bonds = raw["num-node-list"][:, 0], raw["num-edge-list"][:, 0]
        split = _split(root, len(labels))
        if len(sizes) != len(labels) or sizes.sum() != len(raw["node-feat"]) or bonds.sum() != len(raw["edge"]):
            raise UsageError(f"the files in {root / FOLDER} do not fit together: they count other atoms or bonds")
        pairs = raw["edge"].T + np.repeat(np.cumsum(sizes) - sizes, bonds)  # (2, bonds) with the atoms numbered through
        kinds = numbered_through(raw["edge-feat"], BONDS, "bond")
        return GraphCollection.of_arrays(
            numbered_through(raw["node-feat"], ATOMS, "atom"),
            np.concatenate([pairs, pairs[::-1]], axis=1),
            np.repeat(np.arange(len(sizes)), sizes),
            labels,
            split,
            edge_attr=np.concatenate([kinds, kinds]),
            node_categories=sum(ATOMS),
            edge_categories=sum(BONDS),
        )


def numbered_through(features: NDArray[Any], sizes: tuple[int, ...], what: str) -> NDArray[np.int64]:
    """Categories (n, K), of which column k has ``sizes[k]``, numbered through all columns: from 0 to sum(sizes) − 1.

    Raises UsageError for a category that there is not.
    """
    if (features < 0).any() or (features >= np.array(sizes)).any():
        raise UsageError(f"a feature of an {what} is out of range: expected categories of {sizes} values, from 0")
    return features + np.cumsum([0, *sizes[:-1]])


def _split(root: Path, count: int) -> NDArray[np.int8]:
    split = np.zeros(count, dtype=np.int8)
    for name, file in SPLIT_FILES.items():
        path = root / FOLDER / "split/scaffold" / f"{file}.csv.gz"
        chosen = read_table(path, 1)[:, 0]
        if (chosen < 0).any() or (chosen >= count).any() or split[chosen].any():
            raise UsageError(f"{path} names molecules that there are not, or that another split has already")
        split[chosen] = SPLITS[name]
    return split
