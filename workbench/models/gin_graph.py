"""Graph isomorphism network for whole graphs (Xu et al., ICLR 2019, arXiv 1810.00826)."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from workbench.models.graph_stack import GraphStack, GraphStackConfig
from workbench.models.layers.edge_messages import MoleculeGIN
from workbench.registry import models


class GraphGIN(GraphStack):
    """Sums over in-neighbours through a perceptron, and pooling. Features of edges are not looked at."""

    def make_conv(self, width: int, edge_channels: int) -> nn.Module:
        return MoleculeGIN(width, 0, rectified=False)


@models.register
class GraphGINConfig(GraphStackConfig):
    """Graph isomorphism network that classifies graphs."""

    title: ClassVar[str] = "GIN (graphs)"

    name: Literal["gin-graph"] = "gin-graph"

    def build(self, in_channels: int, out_channels: int) -> GraphGIN:
        return GraphGIN(in_channels, out_channels=out_channels, **self.sizes())
