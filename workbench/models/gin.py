"""Graph isomorphism network (Xu et al., ICLR 2019, arXiv 1810.00826)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import nn

from workbench.models.layers.edge_weights import summed
from workbench.models.layers.last_input import Weigh
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

    def weigh(self) -> Weigh:
        return summed

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        from workbench.models.layers.convolutions import GINConv

        width, batch_norm, train_eps = self._inside
        norm = nn.BatchNorm1d(width) if batch_norm else nn.Identity()
        mlp = nn.Sequential(nn.Linear(in_channels, width), norm, nn.ReLU(), nn.Linear(width, out_channels))
        return GINConv(self.last_input, mlp, train_eps)


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
