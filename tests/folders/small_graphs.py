"""Four small graphs of different sizes, one of them without an edge, in every layout that collections come in."""

import numpy as np
import torch

from workbench.datasets import GraphCollection

SIZES = (3, 1, 4, 2)
EDGES = ([(0, 1), (1, 0), (1, 2)], [], [(3, 0), (0, 3)], [(1, 0)])  # of every graph, its own nodes numbered from 0
X = np.arange(20, dtype=np.float32).reshape(10, 2)
LABELS = (0, 1, 1, 0)
EDGE_ATTR = np.arange(6, dtype=np.float32)[:, None] * 10


def graphs(**changes) -> GraphCollection:
    """The four of them; two train, one validates and one tests."""
    own = {
        "x": torch.from_numpy(X.copy()),
        "edge_index": torch.tensor([pair for pairs in EDGES for pair in pairs]).T.contiguous(),
        "node_slices": torch.tensor([0, 3, 4, 8, 10]),
        "edge_slices": torch.tensor([0, 3, 3, 5, 6]),
        "y": torch.tensor(LABELS),
        "split": torch.tensor([1, 1, 2, 3], dtype=torch.int8),
        "edge_attr": torch.from_numpy(EDGE_ATTR.copy()),
    }
    return GraphCollection(**{**own, **changes})
