"""Zachary's karate club: 34 people, the smallest graph that everybody knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from workbench.datasets.arrays import as_data
from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data

VALIDATION = 10  # the remaining 20 of 34 people are the test set


@datasets.register
class BuiltinKarateConfig(DatasetConfig):
    """Zachary's karate club with the four communities of the GCN paper and one training person in each."""

    title: ClassVar[str] = "Karate club"
    card: ClassVar[Card] = Card(
        title="Karate club",
        task="node classification",
        summary=(
            "Friendships in a karate club. The features say only who is who (one-hot), the classes are the four "
            "communities of the GCN paper, and one person of each is labelled for training. Too small for a "
            "comparison, small enough to look at every node. Ready without a network."
        ),
        citation=(
            "Zachary, An Information Flow Model for Conflict and Fission in Small Groups, Journal of Anthropological "
            "Research 33(4), 1977; classes and training nodes as in Kipf and Welling, ICLR 2017, through PyTorch "
            "Geometric. Validation and test nodes are the workbench's own choice."
        ),
        licence="none stated; the graph is printed in the paper",
        url="https://www.journals.uchicago.edu/doi/abs/10.1086/jar.33.4.3629752",
        published={"nodes": 34, "edges": 156, "features": 34, "classes": 4},
        measured={
            "nodes": 34,
            "edges": 156,
            "features": 34,
            "classes": 4,
            "homophily": 0.7564,
            "train": 4,
            "val": 10,
            "test": 20,
            "isolated_nodes": 0,
        },
    )

    name: Literal["builtin-karate"] = "builtin-karate"

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        from torch_geometric.datasets import KarateClub

        club = KarateClub()[0]
        train = club.train_mask.numpy()
        rest = np.random.RandomState(0).permutation(np.flatnonzero(~train))
        val, test = np.zeros_like(train), np.zeros_like(train)
        val[rest[:VALIDATION]], test[rest[VALIDATION:]] = True, True
        return as_data(club.x.numpy(), club.edge_index.numpy(), club.y.numpy(), train, val, test)
