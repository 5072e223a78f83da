"""Layers whose messages know the edge that they go along, as OGB's models of molecules have them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Encoder(nn.Module):
    """Features to ``out_channels`` numbers by one matrix (in_channels, out_channels) without bias.

    Of categories, (n, K) whole numbers below ``in_channels``, it is the sum of K embeddings; of real numbers
    (n, in_channels) it is a linear layer. Weights are drawn as Glorot's; OGB draws each embedding table by itself.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        if features.is_floating_point():
            return features @ self.weight
        return F.embedding_bag(features, self.weight, mode="sum")


def sum_at(messages: Tensor, target: Tensor, count: int) -> Tensor:
    """Sums (count, d) of the messages (E, d) that have the same target (E,)."""
    return messages.new_zeros(count, messages.shape[1]).index_add(0, target, messages)


class _EdgeLayer(nn.Module):
    def __init__(self, width: int, edge_channels: int) -> None:
        super().__init__()
        self.edges = Encoder(edge_channels, width) if edge_channels else None

    def messages(self, x: Tensor, source: Tensor, edge_attr: Tensor | None) -> Tensor:
        """ReLU of every edge's source and of the edge itself, (E, d)."""
        sent = x[source]
        return (sent if self.edges is None or edge_attr is None else sent + self.edges(edge_attr)).relu()


class MoleculeGCN(_EdgeLayer):
    r"""Graph convolution with edge features, as in OGB's baseline (Hu et al., NeurIPS 2020, arXiv 2005.00687):

    .. math:: h'_i = \sum_{j \in N(i)} \frac{\mathrm{ReLU}(W h_j + e_{ji})}{\sqrt{d_i d_j}} +
        \frac{\mathrm{ReLU}(W h_i + r)}{d_i}

    with :math:`d` the in-degree plus one, a learned :math:`r`, and e the embedding of an edge.
    """

    def __init__(self, width: int, edge_channels: int) -> None:
        super().__init__(width, edge_channels)
        self.linear = nn.Linear(width, width)
        self.root = nn.Parameter(torch.empty(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        self.linear.reset_parameters()
        if self.edges is not None:
            self.edges.reset_parameters()
        nn.init.normal_(self.root)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None) -> Tensor:
        x = self.linear(x)
        source, target = edge_index
        degree = torch.bincount(target, minlength=x.shape[0]).to(x.dtype) + 1
        weight = (degree[source] * degree[target]).rsqrt()
        around = sum_at(weight[:, None] * self.messages(x, source, edge_attr), target, x.shape[0])
        return around + (x + self.root).relu() / degree[:, None]


class MoleculeGIN(_EdgeLayer):
    r"""Sums of messages through a perceptron: :math:`\mathrm{MLP}((1 + \epsilon) h_i + \sum_j m_{ji})`.

    The message is :math:`\mathrm{ReLU}(h_j + e_{ji})` with edge features (GINE: Hu et al., ICLR 2020, arXiv
    1905.12265), and :math:`h_j` without (GIN: Xu et al., ICLR 2019). The perceptron is Linear to twice the width,
    BatchNorm, ReLU, Linear; :math:`\epsilon` is learned from zero.
    """

    def __init__(self, width: int, edge_channels: int, rectified: bool) -> None:
        super().__init__(width, edge_channels)
        self.rectified = rectified
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )
        self.eps = nn.Parameter(torch.zeros(1))

    def reset_parameters(self) -> None:
        for part in (*self.mlp, self.edges):
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
        nn.init.zeros_(self.eps)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None) -> Tensor:
        source, target = edge_index
        sent = self.messages(x, source, edge_attr) if self.rectified else x[source]
        out: Tensor = self.mlp((1 + self.eps) * x + sum_at(sent, target, x.shape[0]))
        return out
