"""ENZYMES (Borgwardt et al., Bioinformatics 2005) in the text files of TUDataset (Morris et al., 2020)."""

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
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection

FOLDER = "TUDataset/ENZYMES/raw"
PARTS = ("A", "graph_indicator", "graph_labels", "node_labels", "node_attributes")
ATTRIBUTES = 18
SHARES = (0.8, 0.1)  # of every class train and validate; the rest tests


@datasets.register
class EnzymesConfig(GivenFilesConfig):
    """Proteins as graphs of their secondary structure: which of six classes of enzymes is it?"""

    title: ClassVar[str] = "ENZYMES"
    card: ClassVar[Card] = Card(
        title="ENZYMES",
        task="graph classification",
        summary=(
            "600 proteins of six classes of enzymes. Nodes are helices, sheets and turns with 18 measured attributes "
            "and their kind; edges join neighbours along the chain and in space. There is no published split: of every "
            "class 80 % train, 10 % validate and 10 % test, drawn here by split_seed, so accuracies are not comparable "
            "with those of ten-fold cross-validation. Read from files below the data root, never downloaded."
        ),
        citation=(
            "Borgwardt, Ong, Schönauer, Vishwanathan, Smola and Kriegel, Protein function prediction via graph "
            "kernels, Bioinformatics 2005; Morris et al., TUDataset, 2020."
        ),
        licence="none stated",
        url="https://chrsmrrs.github.io/datasets",
        published={"graphs": 600, "classes": 6},
        measured={
            "graphs": 600,
            "nodes": 19580,
            "edges": 74564,
            "features": 21,
            "classes": 6,
            "train": 480,
            "val": 60,
            "test": 60,
        },
    )
    holds: ClassVar[Holds | None] = "graphs"
    files: ClassVar[tuple[str, ...]] = tuple(f"{FOLDER}/ENZYMES_{part}.txt" for part in PARTS)
    # Decided here, so that both train in a minute or two on a CPU.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "usual": {
            "teacher": {"name": "gine", "hidden_channels": 64, "num_layers": 4, "dropout": 0.2, "pooling": "sum"},
            "student": {"name": "gin-graph", "hidden_channels": 8, "num_layers": 2, "dropout": 0.0, "pooling": "sum"},
            "teacher_training": {"learning_rate": 0.003, "epochs": 100, "patience": 40},
            "training": {"learning_rate": 0.003, "epochs": 100, "patience": 40},
        },
        "quick": {"teacher_training": {"epochs": 15}, "training": {"epochs": 15}},
    }

    name: Literal["enzymes"] = "enzymes"
    split_seed: int = Option(0, help="Which graphs train, validate and test.", ge=0, lt=2**31)
    standardise: bool = Option(
        True, help="Subtract the mean of the training nodes from every attribute, and divide by their deviation."
    )

    def load(self, root: Path, progress: Progress | None = None) -> GraphCollection:
        from workbench.datasets.graph_collection import GraphCollection

        self.require(root)
        paths = {part: root / name for part, name in zip(PARTS, self.files, strict=True)}
        columns = {"A": 2, "node_attributes": ATTRIBUTES}
        found = {
            part: read_table(path, columns.get(part, 1), np.float32 if part == "node_attributes" else np.int64)
            for part, path in paths.items()
        }
        graph, labels = found["graph_indicator"][:, 0] - 1, found["graph_labels"][:, 0]
        kinds = found["node_labels"][:, 0]
        counts = {len(graph), len(kinds), len(found["node_attributes"])}
        if len(counts) > 1 or (np.diff(graph) < 0).any() or graph[0] != 0 or graph[-1] != len(labels) - 1:
            raise UsageError(f"{paths['graph_indicator']} does not fit the other files: expected a line per node")
        y = np.unique(labels, return_inverse=True)[1].reshape(-1)
        split = stratified_split(y, self.split_seed)
        attributes = found["node_attributes"]
        if self.standardise:
            attributes = standardised(attributes, split[graph] == SPLITS["train"])
        x = np.concatenate([attributes, np.equal.outer(kinds, np.unique(kinds))], axis=1).astype(np.float32)
        return GraphCollection.of_arrays(x, found["A"].T - 1, graph, y, split)


def stratified_split(y: NDArray[Any], seed: int) -> NDArray[np.int8]:
    """The split (M,) of graphs with the classes y (M,): :data:`SHARES` of every class, drawn by ``seed``."""
    random = np.random.RandomState(seed)
    split = np.full(len(y), SPLITS["test"], dtype=np.int8)
    for label in np.unique(y):
        members = random.permutation(np.flatnonzero(y == label))
        train, val = (round(share * len(members)) for share in SHARES)
        split[members[:train]] = SPLITS["train"]
        split[members[train : train + val]] = SPLITS["val"]
    return split


def standardised(features: NDArray[Any], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Features (N, F) with mean 0 and deviation 1 in the rows that are ``seen`` (N,); a constant column stays at 0."""
    mean, deviation = features[seen].mean(0, dtype=np.float64), features[seen].std(0, dtype=np.float64)
    return ((features - mean) / np.where(deviation > 0, deviation, 1)).astype(np.float32)
