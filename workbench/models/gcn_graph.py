"""Graph convolutional network for whole graphs, as OGB's baseline (Hu et al., NeurIPS 2020, arXiv 2005.00687)."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from workbench.models.graph_stack import GraphStack, GraphStackConfig
from workbench.models.layers.edge_messages import MoleculeGCN
from workbench.registry import models


class GraphGCN(GraphStack):
    """Stacked graph convolutions with edge features where there are any, and pooling."""

    def make_conv(self, width: int, edge_channels: int) -> nn.Module:
        return MoleculeGCN(width, edge_channels)


@models.register
class GraphGCNConfig(GraphStackConfig):
    """Graph convolutional network that classifies graphs."""

    title: ClassVar[str] = "GCN (graphs)"

    name: Literal["gcn-graph"] = "gcn-graph"

    def build(self, in_channels: int, out_channels: int) -> GraphGCN:
        return GraphGCN(in_channels, out_channels=out_channels, **self.sizes())
