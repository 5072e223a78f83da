"""Handwritten digits as a graph: every image is joined to the images that look most like it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.arrays import as_data, public_split, symmetrise
from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data

BRIGHTEST = 16  # pixels are whole numbers from 0 to 16


def nearest(pixels: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Edges (2, n·k) from every image's ``k`` nearest other images to it, by Euclidean distance.

    Shapes: pixels (n, d), whole numbers, so that squared distances are exact and ties, which go to the
    lower index, fall the same way on every machine.
    """
    square = (pixels**2).sum(1)
    distance = square[:, None] + square[None, :] - 2 * pixels @ pixels.T  # (n, n)
    np.fill_diagonal(distance, np.inf)
    neighbours = np.argsort(distance, axis=1, kind="stable")[:, :k]  # (n, k)
    return np.stack([neighbours.reshape(-1), np.repeat(np.arange(len(pixels)), k)])


@datasets.register
class BuiltinDigitsConfig(DatasetConfig):
    """scikit-learn's handwritten digits, joined to their nearest neighbours."""

    title: ClassVar[str] = "Digits"
    card: ClassVar[Card] = Card(
        title="Digits",
        task="node classification",
        summary=(
            "1,797 images of 8 × 8 pixels, ten digits. A node is an image, its features are the pixels (0 to 1), and "
            "it is joined in both directions to the k images nearest to it. Twenty labelled images per digit, 500 for "
            "validation, 1,000 for the test, drawn once. Ready without a network."
        ),
        citation=(
            "Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, "
            "through scikit-learn. The graph and the split are the workbench's own."
        ),
        licence="CC BY 4.0",
        url="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        published={"nodes": 1797, "features": 64, "classes": 10},
        measured={
            "nodes": 1797,
            "edges": 19858,
            "features": 64,
            "classes": 10,
            "homophily": 0.9614,
            "train": 200,
            "val": 500,
            "test": 1000,
            "isolated_nodes": 0,
        },
    )

    name: Literal["builtin-digits"] = "builtin-digits"
    k: int = Option(8, help="How many nearest images every image is joined to.", ge=1, le=64)

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        from sklearn.datasets import load_digits

        images: Any = load_digits()
        edge_index = symmetrise(nearest(images.data, self.k), len(images.data))
        split = public_split(np.random.RandomState(0), images.target, per_class=20, validation=500, test=1000)
        return as_data(images.data / BRIGHTEST, edge_index, images.target, **split)
