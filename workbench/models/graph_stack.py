"""Models that classify whole graphs: an encoder, layers on the nodes, pooling, and a linear layer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.datasets.base import Holds, Task
from workbench.datasets.channels import edge_channels
from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.layers.edge_messages import Encoder, sum_at
from workbench.models.layers.virtual_node import VirtualNode
from workbench.options import Option, Search

Pooling = Literal["mean", "sum"]


class GraphStack(GraphModel):
    r"""Layers :math:`H' = \mathrm{Dropout}(\mathrm{ReLU}(\mathrm{BatchNorm}(\mathrm{conv}(H))))`, the last one without
    the ReLU as in OGB's models, then the mean (or sum) over the nodes of every graph and a linear layer.

    Subclasses write ``make_conv(width, edge_channels)``, a module of (x, edge_index, edge_attr). With ``virtual_node``
    every graph has one more node, joined to all, before each layer (Gilmer et al., ICML 2017).

    Shapes: x (N, in_channels) or (N, K) categories, edge_index (2, E), ``batch`` (N,) the graph of every node in rising
    order (None: one graph), ``edge_attr`` (E, …) -> logits (graphs, out_channels). ``in_channels`` is a
    :class:`~workbench.datasets.channels.Channels` where edges have features. ``hidden`` holds the features (N, d) of
    the nodes after every layer.
    """

    takes_batch = True  # encode(x, edge_index, batch=…, edge_attr=…)
    takes_edge_attr = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 3,
        dropout: float = 0.5,
        pooling: Pooling = "mean",
        virtual_node: bool = False,
    ) -> None:
        super().__init__()
        width, edges = hidden_channels, edge_channels(in_channels)
        self.widths = (int(in_channels), *[width] * num_layers, out_channels)
        self.dropout = dropout
        self.pooling = pooling
        self.encoder = Encoder(in_channels, width)
        self.convs = nn.ModuleList(self.make_conv(width, edges) for _ in range(num_layers))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(num_layers))
        self.virtual = VirtualNode(width, num_layers - 1, dropout) if virtual_node else None
        self.out = nn.Linear(width, out_channels)

    def make_conv(self, width: int, edge_channels: int) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} must define make_conv(width, edge_channels)")

    def encode(
        self, x: Tensor, edge_index: Tensor, batch: Tensor | None = None, edge_attr: Tensor | None = None
    ) -> Output:
        batch = torch.zeros(x.shape[0], dtype=torch.long, device=x.device) if batch is None else batch
        graphs = int(batch[-1]) + 1
        hidden, x = [], self.encoder(x)  # (N, d)
        beside = None if self.virtual is None else self.virtual.start(graphs)  # (graphs, d)
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = x if beside is None else x + beside[batch]
            last = layer == len(self.convs) - 1
            found = norm(conv(x, edge_index, edge_attr))
            if self.virtual is not None and beside is not None and not last:
                beside = self.virtual(layer, beside, sum_at(x, batch, graphs))
            x = F.dropout(found if last else found.relu(), self.dropout, self.training)
            hidden.append(x)
        return Output(self.out(self._pooled(x, batch, graphs)), hidden)

    def forward(
        self, x: Tensor, edge_index: Tensor, batch: Tensor | None = None, edge_attr: Tensor | None = None
    ) -> Tensor:
        """Logits (graphs, out_channels) of nodes x (N, …)."""
        return self.encode(x, edge_index, batch, edge_attr).logits

    def _pooled(self, x: Tensor, batch: Tensor, graphs: int) -> Tensor:
        sums = sum_at(x, batch, graphs)
        return sums if self.pooling == "sum" else sums / torch.bincount(batch, minlength=graphs)[:, None]

    def extra_repr(self) -> str:
        virtual = ", virtual_node=True" if self.virtual is not None else ""
        return f"{' → '.join(map(str, self.widths))}, dropout={self.dropout}, pooling={self.pooling}{virtual}"


class GraphStackConfig(ModelConfig):
    """The sizes that all of these have."""

    task: ClassVar[Task] = "graph classification"
    takes: ClassVar[frozenset[Holds] | None] = frozenset({"graphs"})
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64, "num_layers": 4}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 16, "num_layers": 2}
    training_defaults: ClassVar[dict[str, Any]] = {"learning_rate": 0.001, "weight_decay": 0.0, "epochs": 100}

    hidden_channels: int = Option(64, help="Width of every layer.", ge=1, le=8192, search=Search(8, 512, log=True))
    num_layers: int = Option(3, help="Number of layers on the nodes, before pooling.", ge=1, le=64)
    dropout: float = Option(0.5, help="Dropout after every layer.", ge=0, lt=1, search=Search(0, 0.8))
    pooling: Pooling = Option("mean", help="What a graph is of its nodes: their mean, or their sum.")
    virtual_node: bool = Option(False, help="One more node in every graph, joined to all others.")

    def sizes(self) -> dict[str, Any]:
        """These options as constructor arguments."""
        return {key: getattr(self, key) for key in GraphStackConfig.model_fields if key != "name"}
