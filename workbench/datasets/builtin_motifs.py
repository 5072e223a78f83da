"""Synthetic graphs, each with one of several motifs hidden in it: which one is to be found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import Card, DatasetConfig, Holds, Progress
from workbench.datasets.point_clouds import SPLITS
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection

Random = np.random.RandomState  # its stream is frozen for good
Pairs = list[tuple[int, int]]
OF_TEN = (6, 2, 2)  # of ten graphs of a class, how many train, validate and test
MOST_DEGREE = 8  # features tell degrees up to this one apart

# Six nodes each, so that sizes tell nothing.
MOTIFS: Mapping[str, Pairs] = {
    "house": [(0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 4), (4, 5)],  # with a chimney
    "cycle": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)],
    "grid": [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)],
    "star": [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)],
    "clique": [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (3, 4), (4, 5)],  # of four, with a tail
}


@datasets.register
class BuiltinMotifsConfig(DatasetConfig):
    """Trees, each joined to a house, a cycle, a grid, a star or a clique."""

    title: ClassVar[str] = "Motifs (synthetic)"
    card: ClassVar[Card] = Card(
        title="Motifs (synthetic)",
        task="graph classification",
        summary=(
            "Drawn, not collected: random trees, or graphs grown by preferential attachment, each joined by one edge "
            "to a motif of six nodes: house, cycle, grid, star or clique. Which motif it is, is the class. The "
            "features of a node are the same for all, or tell its degree. Of every class 60 % train, 20 % validate "
            "and 20 % test. Accuracies on it say nothing about real data. Ready without a network."
        ),
        citation="Drawn by the workbench, after the motif graphs of Ying et al., GNNExplainer, NeurIPS 2019.",
        licence="MIT, as the workbench",
        synthetic=True,
        measured={
            "graphs": 1000,
            "nodes": 26251,
            "edges": 53702,
            "features": 1,
            "classes": 5,
            "train": 600,
            "val": 200,
            "test": 200,
        },
    )
    holds: ClassVar[Holds | None] = "graphs"
    # Decided here, so that teacher and student take seconds on a CPU.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "usual": {
            "teacher": {"name": "gine", "hidden_channels": 32, "num_layers": 4, "dropout": 0.0, "pooling": "sum"},
            "student": {"name": "gin-graph", "hidden_channels": 8, "num_layers": 3, "dropout": 0.0, "pooling": "sum"},
            "teacher_training": {"learning_rate": 0.01, "epochs": 30, "batch_size": 64},
            "training": {"learning_rate": 0.01, "epochs": 30, "batch_size": 64},
        }
    }

    name: Literal["builtin-motifs"] = "builtin-motifs"
    graphs_per_class: int = Option(200, help="How many graphs of every class are drawn.", ge=5, le=100_000)
    base: Literal["tree", "preferential"] = Option(
        "tree", help="What a motif is joined to: a random tree, or a graph grown by preferential attachment (m = 2)."
    )
    smallest: int = Option(10, help="Fewest nodes beside the motif.", ge=3, le=10_000)
    largest: int = Option(30, help="Most nodes beside the motif.", ge=3, le=10_000)
    features: Literal["constant", "degree"] = Option(
        "constant", help="Features of a node: the number one, or its degree as a one-hot vector."
    )
    graph_seed: int = Option(0, help="Which graphs are drawn; the seed of a run does not change them.", ge=0, lt=2**31)

    def load(self, root: Path, progress: Progress | None = None) -> GraphCollection:
        from workbench.datasets.graph_collection import GraphCollection

        random = Random(self.graph_seed)
        labels = np.repeat(np.arange(len(MOTIFS)), self.graphs_per_class)
        drawn = [self._draw(random, motif) for motif in MOTIFS.values() for _ in range(self.graphs_per_class)]
        sizes = np.array([int(pairs.max()) + 1 for pairs in drawn])
        first = np.cumsum(sizes) - sizes
        pairs = np.concatenate([pairs + begin for pairs, begin in zip(drawn, first, strict=True)], axis=1)
        edge_index = np.concatenate([pairs, pairs[::-1]], axis=1)
        part = np.repeat(list(SPLITS.values()), OF_TEN)[np.arange(self.graphs_per_class) * 10 // self.graphs_per_class]
        graph = np.repeat(np.arange(len(labels)), sizes)
        x = self._features(np.bincount(edge_index[0], minlength=int(sizes.sum())))
        return GraphCollection.of_arrays(x, edge_index, graph, labels, np.tile(part, len(MOTIFS)))

    def _draw(self, random: Random, motif: Pairs) -> NDArray[np.int64]:
        """Pairs (2, e) of joined nodes, each pair once: a base, a motif after it, and what joins them."""
        low, high = sorted((self.smallest, self.largest))
        size = int(random.randint(low, high + 1))
        pairs = _tree(random, size) if self.base == "tree" else _preferential(random, size)
        pairs += [(size + a, size + b) for a, b in motif]
        pairs.append((int(random.randint(size)), size + int(random.randint(6))))
        return np.array(pairs, dtype=np.int64).T

    def _features(self, degree: NDArray[Any]) -> NDArray[np.float32]:
        if self.features == "constant":
            return np.ones((len(degree), 1), dtype=np.float32)
        return np.eye(MOST_DEGREE + 1, dtype=np.float32)[np.minimum(degree, MOST_DEGREE)]


def _tree(random: Random, size: int) -> Pairs:
    """A tree, each of whose nodes is joined to an earlier one at random."""
    return [(int(random.randint(node)), node) for node in range(1, size)]


def _preferential(random: Random, size: int) -> Pairs:
    """A graph in which every new node is joined to two earlier ones, with a chance by their degree (Barabási and
    Albert, Science 1999)."""
    pairs, ends = [(0, 1), (0, 2), (1, 2)], [0, 1, 0, 2, 1, 2]
    for node in range(3, size):
        first = ends[random.randint(len(ends))]
        second = first
        while second == first:
            second = ends[random.randint(len(ends))]
        pairs += [(first, node), (second, node)]
        ends += [first, node, second, node]
    return pairs
