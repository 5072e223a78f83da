"""PyG's convolutions on a graph that is prepared once: the same weights, names and results, in fewer steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric import nn as pyg

from workbench.kernels.propagate import SparseOperator, propagate
from workbench.models.features import dense, is_plain, is_watched, project_first
from workbench.models.layers.edge_weights import WeightedEdges
from workbench.models.layers.last_input import Graph, LastInput


class _Summing(Protocol):
    def __call__(self, h: Tensor, bias: Tensor | None = None) -> Tensor: ...


def _summing(graph: Graph | None, send_messages: Callable[[Tensor, Any], Tensor]) -> _Summing:
    """What sums h (N, d) over the in-neighbours of every node and adds a bias: by the matrix, where there is one."""

    def neighbours(h: Tensor, bias: Tensor | None = None) -> Tensor:
        if isinstance(graph, SparseOperator):
            return propagate(graph, h, bias)
        sums = send_messages(h, graph)
        return sums if bias is None else sums + bias

    return neighbours


def _edges(graph: Graph | None, edge_index: Any) -> Any:
    """What messages are sent along: the edges of a graph that came with its weights, or what the layer was given."""
    return graph.edge_index if isinstance(graph, WeightedEdges) else edge_index


class GCNConv(pyg.GCNConv):
    r""":math:`\hat A X W + b`, where :math:`\hat A X` is computed once if it is constant; else the sums are taken of
    the narrower of X and X W.
    """

    def __init__(self, last_input: LastInput, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.last_input = last_input

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        last, plain = self.last_input, is_plain(self.lin)
        x = x if plain else dense(x)
        graph = None if self.explain or edge_weight is not None else last.graph(x, edge_index)
        if graph is None:
            return super().forward(x, edge_index, edge_weight)
        neighbours = _summing(graph, lambda h, edges: self.propagate(edges.edge_index, x=h, edge_weight=edges.weight))
        if not plain:
            return neighbours(self.lin(x), self.bias)
        sums = last.product(x, graph, neighbours, self.out_channels)
        if sums is None and x.layout == torch.strided and self.in_channels < self.out_channels:
            sums = neighbours(x)
        if sums is not None:
            return F.linear(sums, self.lin.weight, self.bias)
        return neighbours(last.linear(x, self.lin.weight), self.bias)


class SAGEConv(pyg.SAGEConv):
    r""":math:`W_1 x_i + W_2 \, \mathrm{mean}_{j \in N(i)} x_j + b`, the mean taken of the narrower of x and W₂ x."""

    def __init__(self, last_input: LastInput, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.last_input = last_input

    def forward(self, x: Any, edge_index: Any, size: Any = None) -> Tensor:
        if not isinstance(x, Tensor) or size is not None:
            return super().forward(x, edge_index, size)
        last = self.last_input
        graph = None if self.explain else last.graph(x, edge_index)
        neighbours = _summing(graph, lambda h, edges: self.propagate(_edges(edges, edge_index), x=(h, h)))
        own = last.apply(self.lin_r, x)
        plain = is_plain(self.lin_l)
        x = x if plain else dense(x)
        means = None if graph is None else last.product(x, graph, neighbours, self.out_channels)
        if means is None and plain and project_first(x, self.out_channels):
            return neighbours(last.linear(x, self.lin_l.weight), self.lin_l.bias) + own
        return self.lin_l(neighbours(x) if means is None else means) + own


class GINConv(pyg.GINConv):
    r""":math:`\mathrm{MLP}((1 + \epsilon) x_i + \sum_{j \in N(i)} x_j)`, the sum of the narrower of x and W x.

    W are the weights of the perceptron's first layer.
    """

    def __init__(self, last_input: LastInput, mlp: nn.Sequential, train_eps: bool) -> None:
        super().__init__(mlp, train_eps=train_eps)
        self.last_input = last_input

    def forward(self, x: Any, edge_index: Any, size: Any = None) -> Tensor:
        if not isinstance(x, Tensor) or size is not None:
            return super().forward(x, edge_index, size)
        layers: list[Any] = [*self.nn] if type(self.nn) is nn.Sequential else [self.nn]  # whatever was put there
        last, (first, *rest) = self.last_input, layers
        plain = is_plain(first) and not is_watched(self.nn)
        x = x if plain else dense(x)
        graph = None if self.explain else last.graph(x, edge_index)
        neighbours = _summing(graph, lambda h, edges: self.propagate(_edges(edges, edge_index), x=(h, h)))
        width = getattr(first, "out_features", 0)  # 0: nothing is kept for a layer that does not say how wide it is
        sums = None if graph is None else last.product(x, graph, neighbours, width)
        if sums is None and plain and project_first(x, first.out_features):
            x = last.linear(x, first.weight)  # (N, width)
            x = neighbours(x, first.bias) + (1 + self.eps) * x
            for layer in rest:
                x = layer(x)
            return x
        return self.nn((neighbours(x) if sums is None else sums) + (1 + self.eps) * x)


class GCN2Conv(pyg.GCN2Conv):
    r""":math:`((1-\alpha) \hat A X + \alpha X_0) ((1-\beta) I + \beta W)`, or each summand with a W of its own."""

    def __init__(self, last_input: LastInput, *sizes: Any) -> None:
        super().__init__(*sizes)
        self.last_input = last_input

    def forward(self, x: Tensor, x_0: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        graph = None if self.explain or edge_weight is not None else self.last_input.graph(x, edge_index)
        if graph is None:
            return super().forward(x, x_0, edge_index, edge_weight)
        neighbours = _summing(graph, lambda h, edges: self.propagate(edges.edge_index, x=h, edge_weight=edges.weight))
        sums = neighbours(x)
        if self.weight2 is None:
            return self._map(torch.lerp(sums, x_0, self.alpha), self.weight1)
        return self._map((1 - self.alpha) * sums, self.weight1) + self._map(self.alpha * x_0, self.weight2)

    def _map(self, h: Tensor, weight: Tensor) -> Tensor:
        return torch.addmm(h, h, weight, beta=1 - self.beta, alpha=self.beta)
