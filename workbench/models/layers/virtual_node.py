"""One more node in every graph, joined to all others, as OGB's models have it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class VirtualNode(nn.Module):
    """What the virtual nodes know: a learned start, from zero, and after each of ``num_updates`` layers a perceptron.

    The perceptron reads the sum of the graph's nodes and of what its virtual node was: Linear to twice the width,
    BatchNorm, ReLU, Linear, BatchNorm, ReLU; dropout after it (Hu et al., NeurIPS 2020, arXiv 2005.00687).
    """

    def __init__(self, width: int, num_updates: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.first = nn.Parameter(torch.zeros(1, width))
        self.updates = nn.ModuleList(_perceptron(width) for _ in range(num_updates))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.first)
        for update in self.updates.modules():
            if isinstance(update, (nn.Linear, nn.BatchNorm1d)):
                update.reset_parameters()

    def start(self, graphs: int) -> Tensor:
        """The virtual nodes (graphs, d) before the first layer."""
        return self.first.expand(graphs, -1)

    def forward(self, layer: int, before: Tensor, nodes: Tensor) -> Tensor:
        """The virtual nodes (graphs, d) after ``layer``, of what they were and of the sums over their graphs' nodes."""
        return F.dropout(self.updates[layer](before + nodes), self.dropout, self.training)


def _perceptron(width: int) -> nn.Sequential:
    wide = 2 * width
    return nn.Sequential(
        nn.Linear(width, wide),
        nn.BatchNorm1d(wide),
        nn.ReLU(),
        nn.Linear(wide, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
    )
