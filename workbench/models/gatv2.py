"""GATv2, whose ranking of neighbours depends on the node (Brody, Alon and Yahav, ICLR 2022, arXiv 2105.14491)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import nn

from workbench.models.gat import GAT, AttentionConfig
from workbench.registry import models


class GATv2(GAT):
    r"""As :class:`~workbench.models.gat.GAT`, with :math:`a_{ij} = \mathrm{softmax}_j\, u \cdot
    \mathrm{LeakyReLU}(W_1 h_i + W_2 h_j)`: the weights come before the nonlinearity, and after it.
    """

    def make_conv(self, in_channels: int, out_channels: int, **options: Any) -> nn.Module:
        from torch_geometric.nn import GATv2Conv

        return GATv2Conv(in_channels, out_channels, **options)


@models.register
class GATv2Config(AttentionConfig):
    """Graph attention network with dynamic attention."""

    title: ClassVar[str] = "GATv2"

    name: Literal["gatv2"] = "gatv2"

    def build(self, in_channels: int, out_channels: int) -> GATv2:
        return GATv2(in_channels, out_channels=out_channels, **self.sizes())
