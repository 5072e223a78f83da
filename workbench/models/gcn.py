"""Graph convolutional network (Kipf and Welling, ICLR 2017, arXiv 1609.02907)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import nn

from workbench.models.layers.edge_weights import normalised
from workbench.models.layers.last_input import Weigh
from workbench.models.stack import Stack, StackConfig
from workbench.registry import models


class GCN(Stack):
    r"""Stacked graph convolutions, :math:`H' = \mathrm{ReLU}(\hat A H W)`.

    :math:`\hat A = D^{-1/2} (A + I) D^{-1/2}` is the normalised adjacency with self-loops.
    """

    def weigh(self) -> Weigh:
        return normalised

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        # PyG costs seconds to import: it is paid when a model is built, not when one is listed.
        from workbench.models.layers.convolutions import GCNConv

        return GCNConv(self.last_input, in_channels, out_channels)


@models.register
class GCNConfig(StackConfig):
    """Graph convolutional network."""

    title: ClassVar[str] = "GCN"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 4}

    name: Literal["gcn"] = "gcn"

    def build(self, in_channels: int, out_channels: int) -> GCN:
        return GCN(in_channels, out_channels=out_channels, **self.sizes())
