"""ACM with papers, authors and subjects, as HeCo (Wang et al., KDD 2021) prepared it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from workbench.datasets.archives import CSR_PARTS, arrays_of, csr_entries, damaged
from workbench.datasets.arrays import Array
from workbench.datasets.base import Card, Holds, Progress
from workbench.datasets.given_files import GivenFilesConfig
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.hetero.graph import HeteroGraph

FILE = "ACM/acm.npz"
COUNTS = {"paper": 4019, "author": 7167, "subject": 60}
WORDS = 1902
CLASSES = 3
PER_CLASS = (20, 40, 60)
SPLITS = ("train", "val", "test")
KEYS = (
    *(f"{name}_{part}" for name in ("paper", "author") for part in CSR_PARTS),
    *("paper_author", "paper_subject", "labels"),
    *(f"{split}_{number}" for split in SPLITS for number in PER_CLASS),
)


@datasets.register
class ACMConfig(GivenFilesConfig):
    """Papers by their field, with their authors and subjects."""

    title: ClassVar[str] = "ACM"
    card: ClassVar[Card] = Card(
        title="ACM",
        task="node classification",
        summary=(
            "4,019 papers in three fields (database, wireless communication, data mining), with 7,167 authors and 60 "
            "subjects, which have no features. 20, 40 or 60 papers of every field for training and 1,000 for "
            "validation, drawn by HeCo. Two papers are neighbours when they share an author. Read from a file below "
            "the data root, never downloaded."
        ),
        citation=(
            "Zhao, Wang, Shi, Liu and Ye, Network Schema Preserving Heterogeneous Information Network Embedding, "
            "IJCAI 2020; split: Wang, Liu, Han and Shi, Self-supervised Heterogeneous Graph Neural Network with "
            "Co-contrastive Learning (HeCo), KDD 2021."
        ),
        licence="none stated",
        url="https://arxiv.org/abs/2105.09111",
        published={"nodes": 11246, "edges": 34852, "features": 1902, "classes": 3, "train": 60, "val": 1000},
        measured={
            "nodes": 11246,
            "edges": 34852,
            "node_types": 3,
            "relations": 4,
            "target_nodes": 4019,
            "neighbours": 53834,
            "features": 1902,
            "classes": 3,
            "homophily": 0.8085,
            "train": 60,
            "val": 1000,
            "test": 1000,
        },
    )
    holds: ClassVar[Holds | None] = "hetero"
    files: ClassVar[tuple[str, ...]] = (FILE,)

    name: Literal["acm"] = "acm"
    labels_per_class: Literal[20, 40, 60] = Option(20, help="Papers of every class for training: 20, 40 or 60.")

    def load(self, root: Path, progress: Progress | None = None) -> HeteroGraph:
        from workbench.datasets.hetero.arrays import hetero_graph

        self.require(root)
        path = root / FILE
        arrays = arrays_of(path.read_bytes(), KEYS, str(path))
        labels = arrays["labels"]
        if labels.shape != (COUNTS["paper"],) or labels.dtype.kind not in "iu":
            raise damaged(str(path), f"it is not of {COUNTS['paper']:,} papers")
        if not np.array_equal(np.unique(labels), np.arange(CLASSES)):
            raise damaged(str(path), f"its labels are not those of {CLASSES} classes")
        relations = {("paper", "to", other): _edges(arrays[f"paper_{other}"], path) for other in ("author", "subject")}
        features = {name: _bag_of_words(arrays, name, path) for name in ("paper", "author")}
        split = {name: arrays[f"{name}_{self.labels_per_class}"] for name in SPLITS}
        return hetero_graph("paper", COUNTS, features, relations, labels, split, str(path))


def _bag_of_words(arrays: dict[str, Array], name: str, path: Path) -> Array:
    row, column, value = csr_entries(arrays, name, str(path))
    if tuple(arrays[f"{name}_shape"]) != (COUNTS[name], WORDS):
        raise damaged(str(path), f"it is not of {COUNTS[name]:,} {name}s with {WORDS:,} words")
    found = np.zeros((COUNTS[name], WORDS), dtype=np.float32)
    found[row, column] = value
    return found


def _edges(pairs: Array, path: Path) -> Array:
    if pairs.ndim != 2 or len(pairs) != 2 or pairs.dtype.kind not in "iu":
        raise damaged(str(path), "its edges are no pairs of nodes")
    return pairs
