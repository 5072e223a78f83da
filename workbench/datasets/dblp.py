"""DBLP with authors, papers, terms and conferences (Ji et al., 2010), as MAGNN prepared it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from workbench.datasets.archives import CSR_PARTS, arrays_of, csr_entries, damaged
from workbench.datasets.arrays import Array
from workbench.datasets.base import Card, Holds, Progress
from workbench.datasets.given_files import GivenFilesConfig
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.hetero.graph import HeteroGraph

FOLDER = "DBLP/raw"
COUNTS = {"author": 4057, "paper": 14328, "term": 7723, "conference": 20}  # in the order of the nodes
WIDTHS = {"author": 334, "paper": 4231, "term": 50}
JOINED = (("author", "paper"), ("paper", "term"), ("paper", "conference"))
SPLIT = {"train": 400, "val": 400, "test": 3257}
CLASSES = 4


@datasets.register
class DBLPConfig(GivenFilesConfig):
    """Researchers by their field, with their papers, the terms in these and where they appeared."""

    title: ClassVar[str] = "DBLP"
    card: ClassVar[Card] = Card(
        title="DBLP",
        task="node classification",
        summary=(
            "4,057 authors in four fields of research, with 14,328 papers, 7,723 terms and 20 conferences; the "
            "conferences have no features. 400 authors for training and 400 for validation, drawn by MAGNN. Two "
            "authors are neighbours when they wrote a paper together. Read from the files of PyG's DBLP below the "
            "data root, never downloaded."
        ),
        citation=(
            "Ji, Sun, Danilevsky, Han and Gao, Graph Regularized Transductive Classification on Heterogeneous "
            "Information Networks, ECML PKDD 2010; split: Fu, Zhang, Meng and King, MAGNN, WWW 2020."
        ),
        licence="none stated",
        url="https://arxiv.org/abs/2002.01680",
        published={"nodes": 26128, "edges": 239566, "features": 334, "classes": 4, "train": 400, "val": 400},
        measured={
            "nodes": 26128,
            "edges": 239566,
            "node_types": 4,
            "relations": 6,
            "target_nodes": 4057,
            "neighbours": 7056,
            "features": 334,
            "classes": 4,
            "homophily": 0.7988,
            "train": 400,
            "val": 400,
            "test": 3257,
        },
    )
    holds: ClassVar[Holds | None] = "hetero"
    files: ClassVar[tuple[str, ...]] = tuple(
        f"{FOLDER}/{name}"
        for name in ("adjM.npz", "features_0.npz", "features_1.npz", "features_2.npy", "labels.npy",
                     "train_val_test_idx.npz")
    )  # fmt: skip

    name: Literal["dblp"] = "dblp"

    def load(self, root: Path, progress: Progress | None = None) -> HeteroGraph:
        from workbench.datasets.hetero.arrays import hetero_graph

        self.require(root)
        folder = root / FOLDER
        features = {
            "author": _bag_of_words(folder / "features_0.npz", COUNTS["author"], WIDTHS["author"]),
            "paper": _bag_of_words(folder / "features_1.npz", COUNTS["paper"], WIDTHS["paper"]),
            "term": _plain(folder / "features_2.npy", (COUNTS["term"], WIDTHS["term"])),
        }
        labels = _plain(folder / "labels.npy", (COUNTS["author"],))
        if labels.dtype.kind not in "iu" or not np.array_equal(np.unique(labels), np.arange(CLASSES)):
            raise damaged(str(folder / "labels.npy"), f"its labels are not those of {CLASSES} classes")
        parts = _arrays(folder / "train_val_test_idx.npz", tuple(f"{name}_idx" for name in SPLIT))
        split = {name: parts[f"{name}_idx"] for name in SPLIT}
        if {name: len(nodes) for name, nodes in split.items()} != SPLIT:
            raise damaged(str(folder / "train_val_test_idx.npz"), "it is not a split of 400, 400 and 3,257 authors")
        return hetero_graph("author", COUNTS, features, _relations(folder / "adjM.npz"), labels, split, str(folder))


def _relations(path: Path) -> dict[tuple[str, str, str], Array]:
    """Edges (2, E) of the six relations, from the adjacency of all nodes, type after type."""
    nodes = sum(COUNTS.values())
    source, target = _entries(path, (nodes, nodes))[:2]
    begins = dict(zip(COUNTS, np.cumsum([0, *COUNTS.values()])[:-1], strict=True))
    ends = list(pairwise(np.cumsum([0, *COUNTS.values()])))
    kind_of = np.repeat(np.arange(len(COUNTS)), [end - begin for begin, end in ends])
    kinds, found = list(COUNTS), {}
    for a, b in JOINED:
        for one, other in ((a, b), (b, a)):
            chosen = (kind_of[source] == kinds.index(one)) & (kind_of[target] == kinds.index(other))
            found[one, "to", other] = np.stack([source[chosen] - begins[one], target[chosen] - begins[other]])
    if sum(edges.shape[1] for edges in found.values()) != len(source):
        raise damaged(str(path), "it joins types of nodes that have nothing to do with each other")
    return found


def _bag_of_words(path: Path, count: int, width: int) -> Array:
    row, column, value = _entries(path, (count, width))
    found = np.zeros((count, width), dtype=np.float32)
    found[row, column] = value
    return found


def _entries(path: Path, shape: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Rows, columns and values of a matrix that SciPy stored in compressed rows."""
    parts = _arrays(path, CSR_PARTS)
    if tuple(parts["shape"]) != shape:
        raise damaged(str(path), f"it is not of {shape[0]:,} rows and {shape[1]:,} columns")
    return csr_entries({f"matrix_{name}": part for name, part in parts.items()}, "matrix", str(path))


def _arrays(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    return arrays_of(path.read_bytes(), names, str(path))


def _plain(path: Path, shape: tuple[int, ...]) -> Array:
    try:
        found: Array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(str(path), str(error)) from None
    if getattr(found, "shape", None) != shape:
        raise damaged(str(path), f"it is not of the shape {shape}")
    return found
