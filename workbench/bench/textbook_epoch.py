"""A GCN as one writes it with PyG's layers: edges in a list, features in full, a dropout decision for every number."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


class TextbookGCN(nn.Module):
    """Graph convolutions with ReLU between them and dropout in front of each; weights are called as in our GCN."""

    def __init__(self, widths: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        from torch_geometric.nn import GCNConv

        self.dropout = dropout
        self.convs = nn.ModuleList(GCNConv(a, b) for a, b in pairwise(widths))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        for conv in self.convs:
            h = conv(F.dropout(x, self.dropout, self.training), edge_index)
            x = h.relu()
        return h
