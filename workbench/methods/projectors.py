"""Trainable heads that bring features of different widths into one space."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.errors import UsageError


class Projector(nn.Module):
    """Linear → BatchNorm → ReLU. Shapes: features (n, in_channels) -> (n, out_channels)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        return self.norm(self.linear(features)).relu()


class GraphProjector(nn.Module):
    """GCNConv → BatchNorm → ReLU. Shapes: features (N, in_channels), edge_index (2, E) -> (N, out_channels)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        # PyG costs seconds to import: paid when such a head is built, not when methods are listed.
        from torch_geometric.nn import GCNConv

        super().__init__()
        self.conv = GCNConv(in_channels, out_channels)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, features: Tensor, edge_index: Tensor) -> Tensor:
        return self.norm(self.conv(features, edge_index)).relu()


def check_batch_norm(features: Tensor, method: str) -> Tensor:
    """``features`` (n, d) as they are; raises UsageError for fewer than two nodes, which have no variance."""
    if features.shape[0] < 2:
        raise UsageError(
            f"{method} normalises its projections over the chosen nodes and needs at least two of them; "
            f"got {features.shape[0]}: use nodes='all', or choose more training nodes"
        )
    return features
