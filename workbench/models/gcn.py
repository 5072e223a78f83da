"""Graph convolutional network (Kipf and Welling, ICLR 2017, arXiv 1609.02907)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.options import Option, Search
from workbench.registry import models


class GCN(GraphModel):
    r"""Stacked graph convolutions, :math:`H' = \mathrm{ReLU}(\hat A H W)`.

    Shapes: x (N, in_channels), edge_index (2, E) -> logits (N, out_channels).
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        # PyG costs seconds to import: it is paid when a model is built, not when one is listed.
        from torch_geometric.nn import GCNConv

        widths = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        self.dropout = dropout
        self.convs = nn.ModuleList(GCNConv(a, b) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm1d(w) if batch_norm else nn.Identity() for w in widths[1:-1])

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        hidden = []
        x = F.dropout(x, self.dropout, self.training)
        for conv, norm in zip(self.convs, self.norms, strict=False):
            x = F.dropout(norm(conv(x, edge_index)).relu(), self.dropout, self.training)  # (N, d)
            hidden.append(x)
        return Output(self.convs[-1](x, edge_index), hidden)


@models.register
class GCNConfig(ModelConfig):
    """Graph convolutional network."""

    title: ClassVar[str] = "GCN"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 4}

    name: Literal["gcn"] = "gcn"
    hidden_channels: int = Option(
        64, help="Width of every hidden layer.", ge=1, le=8192, search=Search(4, 256, log=True)
    )
    num_layers: int = Option(2, help="Number of graph convolutions.", ge=1, le=128)
    dropout: float = Option(0.5, help="Dropout on the input and every hidden layer.", ge=0, lt=1, search=Search(0, 0.8))
    batch_norm: bool = Option(False, help="Batch normalisation after every hidden convolution.")

    def build(self, in_channels: int, out_channels: int) -> GCN:
        return GCN(in_channels, self.hidden_channels, out_channels, self.num_layers, self.dropout, self.batch_norm)
