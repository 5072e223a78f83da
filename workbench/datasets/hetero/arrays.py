"""From NumPy arrays to the graph of the target nodes of a heterogeneous graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from workbench.datasets.arrays import MASK_NAMES, Array
from workbench.datasets.hetero.features import HeteroFeatures, Relation
from workbench.datasets.hetero.graph import HeteroGraph, both_ways
from workbench.errors import UsageError


def hetero_graph(
    target: str,
    counts: Mapping[str, int],
    features: Mapping[str, Array],
    relations: Mapping[Relation, Array],
    labels: Array,
    split: Mapping[str, Array],
    where: str,
) -> HeteroGraph:
    """Of ``counts`` nodes of every type, ``features`` (n, F), edges (2, E), ``labels`` (N,) of the target nodes and
    the numbers of those in ``train``, ``val`` and ``test``. Relations back are added where there are none.

    Raises UsageError, headed by ``where``, for a split that names nodes that there are not.
    """
    masks = {}
    for mask, name in zip(MASK_NAMES, ("train", "val", "test"), strict=True):
        nodes = split[name]
        if nodes.size and (nodes.min() < 0 or nodes.max() >= counts[target]):
            raise UsageError(f"{where}: the {name} split names nodes that there are not: get the files again")
        masks[mask] = torch.zeros(counts[target], dtype=torch.bool)
        masks[mask][torch.from_numpy(nodes.astype(np.int64))] = True
    edges = {key: torch.from_numpy(np.ascontiguousarray(pairs, dtype=np.int64)) for key, pairs in relations.items()}
    rows = {name: torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)) for name, x in features.items()}
    y = torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64))
    return HeteroGraph.of(HeteroFeatures(target, dict(counts), rows, both_ways(edges)), y, masks)
