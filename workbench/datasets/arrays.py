"""From NumPy arrays to the one shape in which the workbench knows a graph, and the steps on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch_geometric.data import Data

Array = NDArray[Any]
MASK_NAMES = ("train_mask", "val_mask", "test_mask")


def as_data(x: Array, edge_index: Array, y: Array, train_mask: Array, val_mask: Array, test_mask: Array) -> Data:
    """A PyG ``Data`` of x (N, F) float32, edge_index (2, E) int64, y (N,) int64 and three masks (N,) bool."""
    import torch
    from torch_geometric.data import Data

    masks = {"train_mask": train_mask, "val_mask": val_mask, "test_mask": test_mask}
    return Data(
        x=torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)),
        edge_index=torch.from_numpy(np.ascontiguousarray(edge_index, dtype=np.int64)),
        y=torch.from_numpy(np.ascontiguousarray(y, dtype=np.int64)),
        **{name: torch.from_numpy(np.ascontiguousarray(mask, dtype=bool)) for name, mask in masks.items()},
    )


def normalise_rows(x: Array) -> Array:
    """Rows of ``x`` (N, F) with a positive sum, divided by it; others as they are.

    The sum is taken in float64, so that the float32 result does not depend on the order of addition.
    """
    total = x.sum(axis=1, dtype=np.float64, keepdims=True)  # (N, 1)
    return np.where(total > 0, x / np.where(total > 0, total, 1), x).astype(np.float32)


def symmetrise(edge_index: Array, num_nodes: int) -> Array:
    """Both directions of every edge of ``edge_index`` (2, E), each once, sorted by source and target."""
    source, target = edge_index.astype(np.int64)
    both = np.concatenate([source * num_nodes + target, target * num_nodes + source])
    return np.stack(np.divmod(np.unique(both), num_nodes))


def masks_of(split: Array) -> dict[str, Array]:
    """The three masks (N,) of ``split`` (N,): 0 none, 1 train, 2 validation, 3 test."""
    return {name: split == number for number, name in enumerate(MASK_NAMES, start=1)}


def public_split(
    random: np.random.RandomState, y: Array, per_class: int, validation: int, test: int
) -> dict[str, Array]:
    """Masks (N,) in the manner of Planetoid: so many training nodes per class, then validation and test at random."""
    order = random.permutation(len(y))
    train = np.concatenate([order[y[order] == label][:per_class] for label in np.unique(y)])
    rest = order[~np.isin(order, train)]
    split = np.zeros(len(y), dtype=np.int64)
    split[train], split[rest[:validation]], split[rest[validation : validation + test]] = 1, 2, 3
    return masks_of(split)


def per_class_split(random: np.random.RandomState, y: Array, training: int, validation: int) -> dict[str, Array]:
    """Masks (N,): of every class so many nodes drawn for training and for validation, all others for the test.

    Raises ValueError for a class that would have no node left.
    """
    order = random.permutation(len(y))
    split = np.full(len(y), 3)
    for label in np.unique(y):
        drawn = order[y[order] == label]
        if len(drawn) <= training + validation:
            raise ValueError(f"class {label} has {len(drawn)} nodes, and {training} + {validation} are drawn of each")
        split[drawn[:training]], split[drawn[training : training + validation]] = 1, 2
    return masks_of(split)
