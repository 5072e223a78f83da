"""Which nodes of one type of a heterogeneous graph are neighbours of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.datasets.hetero.features import HeteroFeatures

LIMIT = 20_000_000  # pairs that are looked at: more are not made


def target_neighbours(x: HeteroFeatures) -> Tensor:
    """Pairs (2, E) of neighbouring target nodes, both directions, each once, without loops, sorted by source.

    The edges between target nodes, in whatever relation, where there are some (papers that cite each other). Else
    two target nodes are neighbours when they share a node of another type: of the type that makes the fewest such
    pairs, as a node that very many share says little (papers of one author, not those of one subject). Decided here,
    as the papers on methods that compare neighbours are on graphs of one type. None (2, 0) where more than
    :data:`LIMIT` pairs would have to be made.
    """
    import torch

    count = x.counts[x.target]
    direct = [edges for (a, _, b), edges in x.relations.items() if a == b == x.target]
    if any(edges.shape[1] for edges in direct):
        pairs = torch.cat(direct, dim=1)
        pairs = torch.cat([pairs, pairs.flip(0)], dim=1)
        pairs = pairs[:, pairs[0] != pairs[1]]
        key = torch.unique(pairs[0] * count + pairs[1])
        return torch.stack([key // count, key % count])
    shared = [_incidence(x, name) for name in x.counts if name != x.target]
    costs = [float((np.diff(each.indptr).astype(float) ** 2).sum()) for each in shared]
    usable = [place for place, each in enumerate(shared) if each.nnz]
    if not usable or min(costs[place] for place in usable) > LIMIT:
        return torch.empty(2, 0, dtype=torch.long, device=x.device)
    joins = shared[min(usable, key=lambda place: costs[place])]
    found = (joins.T @ joins).tocoo()
    apart = found.row != found.col
    key = np.sort(found.row[apart].astype(np.int64) * count + found.col[apart])
    return torch.from_numpy(np.stack(np.divmod(key, count))).to(x.device)


def _incidence(x: HeteroFeatures, name: str) -> Any:
    """Which target nodes (columns) every node of the type ``name`` (rows) is joined to, in either direction."""
    from scipy.sparse import csr_matrix

    pairs = [edges.cpu().numpy() for (a, _, b), edges in x.relations.items() if (a, b) == (name, x.target)]
    pairs += [edges.flip(0).cpu().numpy() for (a, _, b), edges in x.relations.items() if (a, b) == (x.target, name)]
    row, col = np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), dtype=np.int64)
    found = csr_matrix((np.ones(len(row), dtype=np.int32), (row, col)), shape=(x.counts[name], x.counts[x.target]))
    found.sum_duplicates()
    found.data[:] = 1
    return found
