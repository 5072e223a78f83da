"""The graphs that Shchur et al. (Pitfalls of Graph Neural Network Evaluation, 2018) published as npz archives.

An archive holds the adjacency and the bags of words as compressed rows and a label per node; there is no split.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workbench.datasets.archives import CSR_PARTS, arrays_of, csr_entries, damaged
from workbench.datasets.arrays import Array, as_data, per_class_split, symmetrise
from workbench.datasets.base import DatasetConfig, Progress
from workbench.datasets.raw_files import RawFiles
from workbench.errors import UsageError
from workbench.options import Option

if TYPE_CHECKING:
    from torch_geometric.data import Data

KEYS = (*(f"{matrix}_{part}" for matrix in ("adj", "attr") for part in CSR_PARTS), "labels")
TRAINING, VALIDATION = 20, 30  # nodes of every class
SPLIT = (
    "There is no published split: 20 nodes of every class for training and 30 for validation are drawn with split_seed "
    "and all others are for the test, in the manner of CPF (Yang, Liu and Shi, WWW 2021) and GLNN. Which nodes they "
    "drew is not known, so the draw is the workbench's own."
)


class NpzGraphConfig(DatasetConfig):
    """What they share; ``source`` is the address of the folder that holds ``file``, ``place`` where it belongs.

    As PyG does, links count in both directions, loops are left out, and a word is there or not.
    """

    source: ClassVar[str]
    place: ClassVar[str]
    file: ClassVar[str]

    split_seed: int = Option(
        0,
        help="Seed of the split (20 nodes of every class to train, 30 to validate, all others to test): no split was "
        "published, so this draw was decided here. The seed of a run does not change it.",
        ge=0,
        lt=2**31,
    )
    # Off, as PyG has it: with some hundred words per node a GCN learns Amazon Photo to 0.92 in 100 epochs, and to 0.79
    # in 150 where they add up to one (validation).
    normalise_features: bool = Option(False, help="Scale every node's words to a sum of one.")
    largest_component: bool = Option(
        False, help="Keep the largest connected part of the graph only, as CPF and GLNN do.", advanced=True
    )

    @property
    def files(self) -> RawFiles:
        return RawFiles(self.source, self.place, (self.file,), self._read)

    def is_ready(self, root: Path) -> bool:
        return not self.files.missing(root)

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        files = self.files
        files.fetch_missing(root, progress)
        words, edge_index, y = self._read(files.read(root, self.file), self.file, str(files.folder(root) / self.file))
        if self.largest_component:
            kept = largest_component(edge_index, len(y))
            words, edge_index, y = among(kept, words, ends=1), among(kept, edge_index, ends=2), y[kept]
        x = np.zeros((len(y), int(self.card.published["features"])), dtype=np.float32)  # a gigabyte for some
        x[words[0], words[1]] = 1 / np.bincount(words[0])[words[0]] if self.normalise_features else 1
        try:
            split = per_class_split(np.random.RandomState(self.split_seed), y, TRAINING, VALIDATION)
        except ValueError as error:
            raise UsageError(f"{self.card.title} cannot be split: {error}") from None
        return as_data(x, edge_index, y, **split)

    def _read(self, raw: bytes, name: str, where: str) -> tuple[Array, Array, Array]:
        """Node and word (2, W) of every word that is there, edges (2, E) and labels (N,), of the published counts."""
        arrays = arrays_of(raw, KEYS, where)
        source, target, _ = csr_entries(arrays, "adj", where)
        node, word, count = csr_entries(arrays, "attr", where)
        y, published = arrays["labels"], self.card.published
        nodes, features = (int(published[what]) for what in ("nodes", "features"))
        shapes = {"adj": (nodes, nodes), "attr": (nodes, features)}
        if any(tuple(arrays[f"{matrix}_shape"]) != shape for matrix, shape in shapes.items()) or y.shape != (nodes,):
            raise damaged(where, f"it is not of {nodes:,} nodes with {features:,} features")
        if y.dtype.kind not in "iu" or not np.array_equal(np.unique(y), np.arange(published["classes"])):
            raise damaged(where, f"its labels are not those of {published['classes']:.0f} classes")
        apart = source != target
        edge_index = symmetrise(np.stack([source[apart], target[apart]]), nodes)
        if edge_index.shape[1] != published["edges"]:
            raise damaged(where, f"it has {edge_index.shape[1]:,} edges in place of {published['edges']:,.0f}")
        words = np.unique((node * features + word)[count > 0])
        return np.stack(np.divmod(words, features)), edge_index, y.astype(np.int64)


def largest_component(edge_index: Array, num_nodes: int) -> Array:
    """The nodes of the largest connected part, in their order; of equally large ones that of the first node."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(edge_index.shape[1], dtype=np.int8)
    _, part = connected_components(coo_matrix((ones, tuple(edge_index)), (num_nodes, num_nodes)), directed=False)
    return np.flatnonzero(part == np.bincount(part).argmax())


def among(kept: Array, pairs: Array, ends: int) -> Array:
    """The ``pairs`` (2, M) whose first ``ends`` entries are in ``kept``, which become 0, 1, 2, … there."""
    place = np.full(int(max(pairs[:ends].max(initial=0), kept.max(initial=0))) + 1, -1)
    place[kept] = np.arange(len(kept))
    moved = pairs.copy()
    moved[:ends] = place[pairs[:ends]]
    return moved[:, (moved[:ends] >= 0).all(axis=0)]
