"""GraphSAGE with mean aggregation (Hamilton, Ying and Leskovec, NeurIPS 2017, arXiv 1706.02216)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import nn

from workbench.models.layers.edge_weights import averaged
from workbench.models.layers.last_input import Weigh
from workbench.models.stack import Stack, StackConfig
from workbench.registry import models


class SAGE(Stack):
    r"""A node and the mean of its in-neighbours, each with its own weights:
    :math:`h'_i = \mathrm{ReLU}(W_1 h_i + W_2 \, \mathrm{mean}_{j \in N(i)} h_j + b)`.

    A node without neighbours has the mean zero.
    """

    def weigh(self) -> Weigh:
        return averaged

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        from workbench.models.layers.convolutions import SAGEConv

        return SAGEConv(self.last_input, in_channels, out_channels)


@models.register
class SAGEConfig(StackConfig):
    """GraphSAGE with mean aggregation."""

    title: ClassVar[str] = "GraphSAGE"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 4}

    name: Literal["sage"] = "sage"

    def build(self, in_channels: int, out_channels: int) -> SAGE:
        return SAGE(in_channels, out_channels=out_channels, **self.sizes())
