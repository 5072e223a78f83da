"""Which nodes a split holds: their indices are found once per graph, not once per step."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from workbench.methods.base import PREPARED, SplitNodes, prepared_nodes

if TYPE_CHECKING:
    from torch_geometric.data import Data

Split = Literal["train", "val", "test"]
SEEN_IN_TRAINING: tuple[Split, ...] = ("train", "val")


def with_split_nodes(batch: Data) -> Data:
    """A shallow copy of ``batch`` that carries the indices of its training and validation nodes.

    How many entries of a mask are set is known on the device alone: each look at a mask makes the host
    wait for it, an index does not.
    """
    prepared = copy.copy(batch)
    setattr(prepared, PREPARED, SplitNodes({split: _of_mask(batch, split) for split in SEEN_IN_TRAINING}))
    return prepared


def split_nodes(batch: Data, split: Split) -> Tensor:
    """Indices (n,) of the nodes of one split; prepared ones where ``batch`` carries them."""
    prepared = prepared_nodes(batch)
    return prepared[split] if split in prepared else _of_mask(batch, split)


def _of_mask(batch: Data, split: Split) -> Tensor:
    return batch[f"{split}_mask"].nonzero().view(-1)
