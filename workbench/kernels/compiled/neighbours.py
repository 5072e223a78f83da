"""Who a point's nearest are, and the largest of their features with whose it is: one sweep over the points each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.kernels.compiled.threads import by_rows, compiled


def largest(features: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Values and givers, both (M, d), of features (N, d) and a table (M, k) of neighbours; of equal ones the first."""
    points, k = table.shape
    found = features.new_empty(points, features.shape[1])
    giver = torch.empty(found.shape, dtype=torch.long)
    arrays = [array.detach().contiguous().numpy() for array in (features, table)]
    by_rows(torch.arange(points + 1) * k, _largest, *arrays, found.numpy(), giver.numpy())
    return found, giver


def lowest(values: Tensor, k: int) -> Tensor:
    """Places (r, k) of the lowest of values (r, n), lowest first and equal ones in order."""
    found = torch.empty(values.shape[0], k, dtype=torch.long)
    rows = torch.arange(values.shape[0] + 1)
    by_rows(rows, _lowest, values.contiguous().numpy(), found.numpy())
    return found


@compiled
def _lowest(start: int, stop: int, values: Any, found: Any) -> None:
    k = found.shape[1]
    best = np.empty(k, values.dtype)
    for i in range(start, stop):
        best[:] = np.inf
        found[i] = np.arange(k)
        for j in range(values.shape[1]):
            value = values[i, j]
            if value < best[k - 1]:  # an equal one came first
                slot = k - 1
                while slot > 0 and value < best[slot - 1]:
                    best[slot], found[i, slot] = best[slot - 1], found[i, slot - 1]
                    slot -= 1
                best[slot], found[i, slot] = value, j


@compiled
def _largest(start: int, stop: int, features: Any, table: Any, found: Any, giver: Any) -> None:
    width, k = features.shape[1], table.shape[1]
    for i in range(start, stop):
        first = table[i, 0]
        for c in range(width):
            found[i, c] = features[first, c]
            giver[i, c] = first
        for slot in range(1, k):
            j = table[i, slot]
            for c in range(width):
                value, best = features[j, c], found[i, c]
                giver[i, c] = j if value > best else giver[i, c]
                found[i, c] = value if value > best else best
