"""Graph isomorphism network (Xu et al., ICLR 2019, arXiv 1810.00826)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from workbench.models.features import project_first
from workbench.models.stack import Stack, StackConfig
from workbench.options import Option
from workbench.registry import models


class GIN(Stack):
    r"""Sums over in-neighbours through a two-layer perceptron:
    :math:`h'_i = \mathrm{ReLU}(\mathrm{MLP}((1 + \epsilon) h_i + \sum_{j \in N(i)} h_j))`.

    The perceptron is Linear, norm, ReLU, Linear, with ``hidden_channels`` inside; the last one gives
    logits. With ``batch_norm`` the norms stand inside it and after it, as in the authors' code.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        batch_norm: bool = True,
        train_eps: bool = False,
    ) -> None:
        # Read by make_conv, which the constructor of the stack calls.
        self._inside = (hidden_channels, batch_norm, train_eps)
        super().__init__(in_channels, hidden_channels, out_channels, num_layers, dropout, batch_norm)

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        from torch_geometric.nn import GINConv

        width, batch_norm, train_eps = self._inside
        norm = nn.BatchNorm1d(width) if batch_norm else nn.Identity()
        mlp = nn.Sequential(nn.Linear(in_channels, width), norm, nn.ReLU(), nn.Linear(width, out_channels))
        return GINConv(mlp, train_eps=train_eps)

    def convolve(self, conv: Any, x: Tensor, edge_index: Tensor) -> Tensor:
        first, *rest = conv.nn
        if not project_first(x, first.out_features):
            return conv(x, edge_index)
        x = F.linear(x, first.weight)  # (N, width)
        x = (1 + conv.eps) * x + conv.propagate(edge_index, x=(x, x)) + first.bias
        for layer in rest:
            x = layer(x)
        return x


@models.register
class GINConfig(StackConfig):
    """Graph isomorphism network."""

    title: ClassVar[str] = "GIN"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 16}

    name: Literal["gin"] = "gin"
    batch_norm: bool = Option(True, help="Batch normalisation inside every perceptron and after every hidden layer.")
    train_eps: bool = Option(False, help="Learn how much a node counts beside its neighbours.", advanced=True)

    def build(self, in_channels: int, out_channels: int) -> GIN:
        return GIN(in_channels, out_channels=out_channels, train_eps=self.train_eps, **self.sizes())
