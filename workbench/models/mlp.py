"""Multi-layer perceptron on node features: the student that needs no graph (GLNN, ICLR 2022, arXiv 2110.08727)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from workbench.models.stack import Stack, StackConfig
from workbench.registry import models


class MLP(Stack):
    r"""Stacked linear layers, :math:`H' = \mathrm{ReLU}(H W + b)`. ``edge_index`` is taken and ignored."""

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        return nn.Linear(in_channels, out_channels)

    def convolve(self, conv: Any, x: Tensor, edge_index: Any) -> Tensor:
        return self.last_input.apply(conv, x)


@models.register
class MLPConfig(StackConfig):
    """Multi-layer perceptron that ignores the edges."""

    title: ClassVar[str] = "MLP"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64}

    name: Literal["mlp"] = "mlp"

    def build(self, in_channels: int, out_channels: int) -> MLP:
        return MLP(in_channels, out_channels=out_channels, **self.sizes())
