"""Trainable heads that bring features of different widths into one space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor, nn

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.models.layers.last_input import LastInput


class Projector(nn.Module):
    """Linear → BatchNorm → ReLU. Shapes: features (n, in_channels) -> (n, out_channels)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        return self.norm(self.linear(features)).relu()


class GraphProjector(nn.Module):
    """GCNConv → BatchNorm → ReLU. Shapes: features (N, in_channels), edge_index (2, E) -> (N, out_channels).

    ``last_input`` keeps the normalised graph from step to step; heads on the same graph share one.
    """

    def __init__(self, in_channels: int, out_channels: int, last_input: LastInput) -> None:
        # PyG costs seconds to import: paid when such a head is built, not when methods are listed.
        from workbench.models.layers.convolutions import GCNConv

        super().__init__()
        self.conv = GCNConv(last_input, in_channels, out_channels)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, features: Tensor, edge_index: Tensor) -> Tensor:
        return self.norm(self.conv(features, edge_index)).relu()


def graph_projectors() -> Callable[[int, int], GraphProjector]:
    """What makes heads (in_channels, out_channels) that share one normalised graph."""
    from workbench.models.layers.edge_weights import normalised
    from workbench.models.layers.last_input import LastInput

    return partial(GraphProjector, last_input=LastInput(normalised))


def check_batch_norm(features: Tensor, method: str) -> Tensor:
    """``features`` (n, d) as they are; raises UsageError for fewer than two nodes, which have no variance."""
    if features.shape[0] < 2:
        raise UsageError(
            f"{method} normalises its projections over the chosen nodes and needs at least two of them; "
            f"got {features.shape[0]}: use nodes='all', or choose more training nodes"
        )
    return features
