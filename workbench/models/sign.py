"""SIGN: scalable inception graph networks (Frasca et al., 2020, arXiv 2004.11198)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from workbench.kernels.propagate import SparseOperator, propagate
from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.features import dropout
from workbench.models.layers.edge_weights import normalised
from workbench.models.layers.last_input import Graph, LastInput
from workbench.options import Option, Search
from workbench.registry import models


class FeedForward(nn.Module):
    """Linear layers with one learned PReLU and dropout between them."""

    def __init__(self, widths: list[int], rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.activation = nn.PReLU() if len(self.layers) > 1 else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What comes out of x (N, d), and what the layers after the first one read."""
        inner = []
        for layer in self.layers[:-1]:
            x = dropout(self.activation(layer(x)), self.rate, self.training)
            inner.append(x)
        return self.layers[-1](x), inner


class SIGN(GraphModel):
    r"""A feed-forward network for the features of every hop, and one more for all of them side by side:

    .. math:: Z = \mathrm{FF}\Big(\mathrm{Dropout}\big(\mathrm{PReLU}\big(
              \Vert_{k = 0}^{K} \mathrm{FF}_k(\hat A^k X)\big)\big)\Big)

    :math:`\hat A = D^{-1/2} (A + I) D^{-1/2}`. The features of the hops have no parameters and are computed once for
    a graph. Every network has ``num_layers`` linear layers; ``hidden`` holds what the last one has between them.
    Layers and activations as in the benchmark of G-CRD, whose model on ogbn-arxiv has 3,566,128 parameters.

    Shapes: x (N, in_channels), edge_index (2, E) -> logits (N, out_channels).
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        hops: int = 5,
        dropout: float = 0.5,
        input_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.sizes = (in_channels, hidden_channels, out_channels)
        self.hops, self.dropout, self.input_dropout = hops, dropout, input_dropout
        self.last_input = LastInput(normalised)
        inside = [hidden_channels] * (num_layers - 1)
        self.branches = nn.ModuleList(
            FeedForward([in_channels, *inside, hidden_channels], dropout) for _ in range(hops + 1)
        )
        self.activation = nn.PReLU()
        self.head = FeedForward([(hops + 1) * hidden_channels, *inside, out_channels], dropout)

    @property
    def same_in_training(self) -> bool:
        return self.dropout == 0 and self.input_dropout == 0

    def hop_features(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """The features (N, in_channels) of each hop, side by side: (N, (hops + 1) · in_channels)."""
        self.last_input.given(x)
        graph = self.last_input.graph(x, edge_index)
        if graph is None:  # no ordinary edge_index: nothing is kept
            return self._diffused(x, normalised(edge_index, x.shape[0], x.dtype))
        diffused = self.last_input.product(x, graph, lambda h: self._diffused(h, graph), x.shape[1])
        return self._diffused(x, graph) if diffused is None else diffused

    def _diffused(self, x: Tensor, graph: Graph) -> Tensor:
        found = [x]
        for _ in range(self.hops):
            found.append(_sums(graph, found[-1]))
        return torch.cat(found, dim=1)

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        hops = self.hop_features(x, edge_index).chunk(self.hops + 1, dim=1)
        branches = [
            branch(dropout(hop, self.input_dropout, self.training))[0]
            for branch, hop in zip(self.branches, hops, strict=True)
        ]
        joined = self.activation(torch.cat(branches, dim=1))  # (N, (hops + 1) · d)
        logits, hidden = self.head(dropout(joined, self.dropout, self.training))
        return Output(logits, hidden)

    def extra_repr(self) -> str:
        return f"{' → '.join(map(str, self.sizes))}, hops={self.hops}, dropout={self.dropout}"


def _sums(graph: Graph, h: Tensor) -> Tensor:
    """The weighted sums of h (N, d) over the in-neighbours of every node."""
    if isinstance(graph, SparseOperator):
        return propagate(graph, h)
    (source, target), weight = graph
    return torch.zeros_like(h).index_add(0, target, weight[:, None].to(h.dtype) * h[source])


@models.register
class SIGNConfig(ModelConfig):
    """Feed-forward networks on features that were averaged over ever wider neighbourhoods beforehand."""

    title: ClassVar[str] = "SIGN"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 256}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 32}
    training_defaults: ClassVar[dict[str, Any]] = {"learning_rate": 0.001}

    name: Literal["sign"] = "sign"
    hidden_channels: int = Option(
        512, help="Width of every hidden layer.", ge=1, le=8192, search=Search(16, 512, log=True)
    )
    num_layers: int = Option(2, help="Linear layers of the network of each hop, and of the last one.", ge=1, le=16)
    hops: int = Option(5, help="How far the features are averaged over the graph.", ge=0, le=32, search=Search(1, 5))
    dropout: float = Option(0.5, help="Dropout on every hidden layer.", ge=0, lt=1, search=Search(0, 0.8))
    input_dropout: float = Option(0.1, help="Dropout on the features of every hop.", ge=0, lt=1)

    def build(self, in_channels: int, out_channels: int) -> SIGN:
        return SIGN(
            in_channels,
            self.hidden_channels,
            out_channels,
            self.num_layers,
            self.hops,
            self.dropout,
            self.input_dropout,
        )
