"""GraphSAGE with mean aggregation (Hamilton, Ying and Leskovec, NeurIPS 2017, arXiv 1706.02216)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from workbench.models.features import project_first
from workbench.models.stack import Stack, StackConfig
from workbench.registry import models


class SAGE(Stack):
    r"""A node and the mean of its in-neighbours, each with its own weights:
    :math:`h'_i = \mathrm{ReLU}(W_1 h_i + W_2 \, \mathrm{mean}_{j \in N(i)} h_j + b)`.

    A node without neighbours has the mean zero.
    """

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        from torch_geometric.nn import SAGEConv

        return SAGEConv(in_channels, out_channels)

    def convolve(self, conv: Any, x: Tensor, edge_index: Tensor) -> Tensor:
        if not project_first(x, conv.out_channels):
            return conv(x, edge_index)
        projected = F.linear(x, conv.lin_l.weight)  # (N, out)
        neighbours = conv.propagate(edge_index, x=(projected, projected))
        return neighbours + conv.lin_l.bias + conv.lin_r(x)


@models.register
class SAGEConfig(StackConfig):
    """GraphSAGE with mean aggregation."""

    title: ClassVar[str] = "GraphSAGE"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 4}

    name: Literal["sage"] = "sage"

    def build(self, in_channels: int, out_channels: int) -> SAGE:
        return SAGE(in_channels, out_channels=out_channels, **self.sizes())
