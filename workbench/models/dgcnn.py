"""Dynamic graph CNN for point clouds (Wang et al., ACM TOG 2019, arXiv 1801.07829)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.kernels.neighbours import as_edges, cloud_sizes, neighbour_table
from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.layers.edge_conv import SLOPE, EdgeConv
from workbench.options import Option, Search
from workbench.registry import models


class DGCNN(GraphModel):
    r"""Edge convolutions, each on the k-nearest-neighbour graph of its own input, and a perceptron on the whole cloud.

    The outputs of all edge convolutions side by side go through one shared linear layer (a 1×1 convolution) to
    ``embedding`` channels; their maximum and mean over the points of a cloud go through the perceptron ``head``.

    Shapes: x (N, in_channels) the points of all clouds, ``batch`` (N,) the cloud of every point -> logits
    (clouds, out_channels). The only graph is the one that the model builds itself: ``edge_index`` is taken, as every
    model takes it, and ignored. ``encode`` gives as ``hidden`` the points' features (N, d) after every edge
    convolution, as ``edges`` the graph (2, N·k) of each. Raises UsageError for clouds with fewer than k points, for a
    ``batch`` that does not fit, and in training for a single cloud, which has no batch to normalise over.
    """

    takes_batch = True  # encode(x, edge_index, batch=…)

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        out_channels: int,
        embedding: int = 1024,
        head: Sequence[int] = (512, 256),
        k: int = 20,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.k = k
        self.dropout = dropout
        self.convs = nn.ModuleList(EdgeConv(a, b) for a, b in pairwise([in_channels, *hidden_channels]))
        self.shared = nn.Linear(sum(hidden_channels), embedding, bias=False)
        self.shared_norm = nn.BatchNorm1d(embedding)
        widths = [2 * embedding, *head]
        # Only the first of them has no bias: so the published counts of parameters say, and the authors' code.
        self.linears = nn.ModuleList(nn.Linear(a, b, bias=i > 0) for i, (a, b) in enumerate(pairwise(widths)))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in head)
        self.out = nn.Linear(widths[-1], out_channels)

    def encode(self, x: Tensor, edge_index: Tensor | None = None, batch: Tensor | None = None) -> Output:
        sizes = cloud_sizes(batch, x.shape[0])
        if self.training and len(sizes) < 2:
            raise UsageError(
                "dgcnn normalises over the clouds of a mini-batch and got one: give at least two in training"
            )
        hidden, edges = [], []
        for conv in self.convs:
            table = neighbour_table(x, self.k, sizes)  # (N, k), in the space of what the layer reads
            x = conv(x, table)  # (N, d)
            hidden.append(x)
            edges.append(as_edges(table))
        points = F.leaky_relu(self.shared_norm(self.shared(torch.cat(hidden, dim=1))), SLOPE)  # (N, embedding)
        return Output(self._classify(_pooled(points, sizes)), hidden, edges=edges)

    def forward(self, x: Tensor, edge_index: Tensor | None = None, batch: Tensor | None = None) -> Tensor:
        """Logits (clouds, out_channels) of points x (N, in_channels)."""
        return self.encode(x, edge_index, batch).logits

    def _classify(self, clouds: Tensor) -> Tensor:
        for linear, norm in zip(self.linears, self.norms, strict=True):
            clouds = F.leaky_relu(norm(linear(clouds)), SLOPE)
            clouds = F.dropout(clouds, self.dropout, self.training)
        return self.out(clouds)

    def extra_repr(self) -> str:
        first: Any = self.convs[0]
        widths = [first.linear.in_features // 2] + [conv.linear.out_features for conv in self.convs]  # type: ignore[union-attr]
        head = [self.shared.out_features, *(norm.num_features for norm in self.norms), self.out.out_features]
        return f"{' → '.join(map(str, widths + head))}, k={self.k}, dropout={self.dropout}"


def _pooled(points: Tensor, sizes: Sequence[int]) -> Tensor:
    """Maximum and mean over the points of every cloud: (N, d) -> (clouds, 2 d)."""
    if len(set(sizes)) == 1:
        clouds = points.view(len(sizes), sizes[0], -1)
        return torch.cat([clouds.amax(1), clouds.mean(1)], dim=1)
    return torch.stack([torch.cat([cloud.amax(0), cloud.mean(0)]) for cloud in torch.split(points, list(sizes))])


@models.register
class DGCNNConfig(ModelConfig):
    """Dynamic graph CNN: every layer builds its own graph of nearest points. For point clouds.

    Edge convolutions are ``hidden_channels`` wide, and double from the third on; the presets are the teacher and the
    student of the LSP paper. Decided here: both are trained as DGCNN's authors do, by SGD with momentum 0.9, weight
    decay 1e-4 and 32 clouds at a time, and all epochs are run; but at a constant learning rate, which the authors let
    fall along a cosine, and on plain cross-entropy, where they smooth the labels.
    """

    title: ClassVar[str] = "DGCNN"
    task: ClassVar[Task] = "graph classification"
    teacher_preset: ClassVar[dict[str, Any]] = {
        "hidden_channels": 64,
        "num_layers": 4,
        "embedding": 16,
        "head_layers": 2,
        "k": 20,
    }
    student_preset: ClassVar[dict[str, Any]] = {
        "hidden_channels": 32,
        "num_layers": 3,
        "embedding": 4,
        "head_layers": 1,
        "k": 10,
    }
    training_defaults: ClassVar[dict[str, Any]] = {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "weight_decay": 1e-4,
        "epochs": 250,
        "patience": 0,
        "batch_size": 32,
    }

    name: Literal["dgcnn"] = "dgcnn"
    hidden_channels: int = Option(
        64,
        help="Width of the first two edge convolutions; it doubles with every further one.",
        ge=1,
        le=1024,
        search=Search(8, 128, log=True),
    )
    num_layers: int = Option(4, help="Number of edge convolutions.", ge=1, le=6)
    embedding: int = Option(16, help="Width of the layer before pooling, in multiples of hidden_channels.", ge=1, le=64)
    head_layers: int = Option(
        2, help="Hidden layers after pooling: 8 × hidden_channels wide, and half as wide each time.", ge=1, le=3
    )
    k: int = Option(
        20, help="Neighbours of every point in the graph of each layer, the point itself included.", ge=1, le=256
    )
    dropout: float = Option(
        0.5, help="Dropout after every hidden layer behind the pooling.", ge=0, lt=1, search=Search(0, 0.8)
    )

    def build(self, in_channels: int, out_channels: int) -> DGCNN:
        width = self.hidden_channels
        return DGCNN(
            in_channels,
            [width * 2 ** max(layer - 1, 0) for layer in range(self.num_layers)],
            out_channels,
            embedding=width * self.embedding,
            head=[8 * width // 2**layer for layer in range(self.head_layers)],
            k=self.k,
            dropout=self.dropout,
        )
