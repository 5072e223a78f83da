"""Graph isomorphism network with edge features, for whole graphs (Hu et al., ICLR 2020, arXiv 1905.12265)."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from workbench.models.graph_stack import GraphStack, GraphStackConfig
from workbench.models.layers.edge_messages import MoleculeGIN
from workbench.registry import models


class GINE(GraphStack):
    """Sums of rectified messages, which know their edge where edges have features, through a perceptron; pooling."""

    def make_conv(self, width: int, edge_channels: int) -> nn.Module:
        return MoleculeGIN(width, edge_channels, rectified=True)


@models.register
class GINEConfig(GraphStackConfig):
    """Graph isomorphism network with edge features that classifies graphs (GIN-E)."""

    title: ClassVar[str] = "GINE"

    name: Literal["gine"] = "gine"

    def build(self, in_channels: int, out_channels: int) -> GINE:
        return GINE(in_channels, out_channels=out_channels, **self.sizes())
