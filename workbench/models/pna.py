"""Principal neighbourhood aggregation for whole graphs (Corso et al., NeurIPS 2020, arXiv 2004.05718)."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.models.graph_stack import GraphStack, GraphStackConfig
from workbench.options import Option
from workbench.registry import models


class PNA(GraphStack):
    """Mean, minimum, maximum and standard deviation of the messages, each as it is and scaled up and down with the
    degree; pooling. ``degree`` is the typical number of neighbours, which the scales are relative to."""

    def __init__(self, *sizes: Any, degree: float = 2.0, **more: Any) -> None:
        self._degree = degree  # read by make_conv, which the constructor of the stack calls
        super().__init__(*sizes, **more)

    def make_conv(self, width: int, edge_channels: int) -> nn.Module:
        return _PNALayer(width, edge_channels, self._degree)


class _PNALayer(nn.Module):
    """PyG's convolution on features of edges that may be categories."""

    def __init__(self, width: int, edge_channels: int, degree: float) -> None:
        super().__init__()
        # PyG costs seconds to import: it is paid when a model is built, not when one is listed.
        from torch_geometric.nn import PNAConv

        self.edge_channels = edge_channels
        self.conv = PNAConv(
            width,
            width,
            aggregators=["mean", "min", "max", "std"],
            scalers=["identity", "amplification", "attenuation"],
            deg=torch.tensor([0, 1], device="cpu"),  # a histogram, of which only the mean logarithm is used
            edge_dim=edge_channels or None,
        )
        scales: Any = self.conv.aggr_module
        scales.init_avg_deg_log = math.log(degree + 1)
        scales.reset_parameters()

    def reset_parameters(self) -> None:
        self.conv.reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None) -> Tensor:
        if not self.edge_channels or edge_attr is None:
            edge_attr = None
        elif not edge_attr.is_floating_point():
            edge_attr = F.one_hot(edge_attr, self.edge_channels).sum(1).to(x.dtype)  # (E, edge_channels)
        out: Tensor = self.conv(x, edge_index, edge_attr)
        return out


@models.register
class PNAConfig(GraphStackConfig):
    """Principal neighbourhood aggregation that classifies graphs.

    Decided here: the degree that scales are relative to is an option, where the paper takes the mean over the training
    graphs; and one tower.
    """

    title: ClassVar[str] = "PNA"

    name: Literal["pna"] = "pna"
    degree: float = Option(2.0, help="Typical number of neighbours; the scales are relative to it.", gt=0, le=10_000)

    def build(self, in_channels: int, out_channels: int) -> PNA:
        return PNA(in_channels, out_channels=out_channels, degree=self.degree, **self.sizes())
