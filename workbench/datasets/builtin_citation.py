"""A synthetic citation graph: a contextual stochastic block model with sparse words.

Classes are communities of unequal size, and a paper's words come partly from its class. Many weak
words make the features enough for a model that sees many labels, and not for one that sees twenty
per class: the graph carries the rest, so that a graph network can teach a plain MLP.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.arrays import as_data, public_split
from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data

CLASS_SIZES = (500, 425, 375, 350, 325, 275, 250)  # 2,500 papers
WORDS = 400
TOPIC_WORDS = 60  # words that a class prefers; topics overlap
LENGTHS = (12, 28)  # words written per paper, both ends included; a repeated word counts once
FROM_TOPIC = 0.27  # share of a paper's words that come from its topic, the rest from everyday language
EDGES = 5_000
LOYALTY = 0.8  # chance that a citation stays inside its class …
STRAYING = 0.2  # … and the same for the papers that cite anywhere
STRAY_PAPERS = 0.25
TRAIN_PER_CLASS, VALIDATION, TEST = 20, 500, 1000

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def citation_graph(seed: int) -> dict[str, NDArray[Any]]:
    r"""Draw the graph of one seed, the same on every machine.

    .. math:: P(w \mid y) = (1-s)\, p_0(w) + s\, [w \in T_y] / |T_y|, \qquad
              P(i \to j) \propto \theta_i\, \theta_j\, [y_i = y_j \text{ with chance } h_i]

    Returns x (2500, 400) float32 of zeros and ones, y (2500,), edge_index (2, 10000) with both directions
    of every citation and no loops, and the masks of a split with 20 training papers per class, 500 for
    validation and 1,000 for the test.
    """
    # RandomState's stream is frozen for good, and only its uniform draws and permutations are used: no
    # logarithm or exponential, whose last digit differs between machines.
    random = np.random.RandomState(seed)
    y = random.permutation(np.repeat(np.arange(len(CLASS_SIZES)), CLASS_SIZES)).astype(np.int64)
    x = _words(random, y)
    edge_index = _citations(random, y)
    return {"x": x, "y": y, "edge_index": edge_index, **public_split(random, y, TRAIN_PER_CLASS, VALIDATION, TEST)}


def _words(random: np.random.RandomState, y: Integers) -> NDArray[np.float32]:
    """Bag of words (N, WORDS): everyday language follows 1/√rank, a topic is uniform over its words."""
    everyday = (1 / np.sqrt(np.arange(1, WORDS + 1)))[random.permutation(WORDS)]
    topics = np.stack([random.permutation(WORDS)[:TOPIC_WORDS] for _ in CLASS_SIZES])  # (C, TOPIC_WORDS)
    shape = (len(y), LENGTHS[1])
    common = _choose(random, everyday, shape)  # (N, longest)
    special = topics[y[:, None], np.floor(random.random_sample(shape) * TOPIC_WORDS).astype(np.int64)]
    word = np.where(random.random_sample(shape) < FROM_TOPIC, special, common)
    length = random.randint(LENGTHS[0], LENGTHS[1] + 1, len(y))
    written = np.arange(LENGTHS[1]) < length[:, None]  # (N, longest)
    x = np.zeros((len(y), WORDS), dtype=np.float32)
    x[np.nonzero(written)[0], word[written]] = 1
    return x


def _citations(random: np.random.RandomState, y: Integers) -> Integers:
    """Citations (2, 2·EDGES): well-known papers are cited more, and some papers cite anywhere."""
    fame = 1 / (0.15 + random.random_sample(len(y)))  # a factor 7.7 between the least and the most cited
    loyalty = np.where(random.random_sample(len(y)) < STRAY_PAPERS, STRAYING, LOYALTY)
    drawn = 2 * EDGES  # loops and repeats are thrown away below
    source = _choose(random, fame, (drawn,))
    target = _choose(random, fame, (drawn,))
    inside = random.random_sample(drawn) < loyalty[source]
    for label in range(len(CLASS_SIZES)):
        members, here = np.flatnonzero(y == label), inside & (y[source] == label)
        target[here] = members[_choose(random, fame[members], (int(here.sum()),))]
    low, high = np.minimum(source, target), np.maximum(source, target)
    low, high = low[low != high], high[low != high]
    _, first = np.unique(low * len(y) + high, return_index=True)
    kept = np.sort(first)[:EDGES]  # in the order in which they were drawn
    return np.stack([np.concatenate([low[kept], high[kept]]), np.concatenate([high[kept], low[kept]])])


def _choose(random: np.random.RandomState, weight: Floats, shape: tuple[int, ...]) -> Integers:
    """Indices drawn in proportion to ``weight`` (n,), with repetition."""
    ends = np.cumsum(weight)
    drawn = np.searchsorted(ends, random.random_sample(shape) * ends[-1], side="right")
    return np.minimum(drawn, len(weight) - 1).astype(np.int64)


@datasets.register
class BuiltinCitationConfig(DatasetConfig):
    """A synthetic citation graph on which a graph network clearly beats a small one and a plain MLP."""

    title: ClassVar[str] = "Citation (synthetic)"
    card: ClassVar[Card] = Card(
        title="Citation (synthetic)",
        task="node classification",
        summary=(
            "A drawn, not collected, citation graph, made to show distillation: a graph attention network beats both "
            "a GCN four units wide and a plain MLP, and the MLP wins most of that gap back from the teacher's soft "
            "labels. Seven classes, sparse words, one paper in four citing outside its class. Accuracies on it say "
            "nothing about real data. Ready without a network."
        ),
        citation=(
            "Drawn by the workbench; the model follows Deshpande, Montanari, Mossel and Sen, "
            "Contextual Stochastic Block Models, NeurIPS 2018."
        ),
        licence="MIT, as the workbench",
        url="https://arxiv.org/abs/1807.09596",
        synthetic=True,
        measured={
            "nodes": 2500,
            "edges": 10000,
            "features": 400,
            "classes": 7,
            "homophily": 0.7094,
            "train": 140,
            "val": 500,
            "test": 1000,
            "isolated_nodes": 162,
        },
    )

    name: Literal["builtin-citation"] = "builtin-citation"
    graph_seed: int = Option(0, help="Which graph is drawn; the seed of a run does not change it.", ge=0, lt=2**31)

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        return as_data(**citation_graph(self.graph_seed))
