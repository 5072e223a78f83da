"""One projection per layer of a model, and its scale, for methods that look at all layers."""

from __future__ import annotations

import math
from typing import Literal, cast

from torch import Tensor, nn
from torch.nn import functional as F

from workbench.errors import UsageError
from workbench.kernels.rows import unit_rows

Normalise = Literal["none", "row", "max", "l2"]


class LayerProjections(nn.Module):
    """A linear map without bias from every layer's width to ``out_channels``.

    ``shared`` uses one map for all layers of the same width. ``frozen`` maps are orthogonal and never
    trained. Shapes: features of layer l, (…, widths[l]) -> (…, out_channels).
    """

    def __init__(self, widths: tuple[int, ...], out_channels: int, shared: bool = False, frozen: bool = False) -> None:
        super().__init__()
        distinct = tuple(dict.fromkeys(widths)) if shared else widths
        self.place = [distinct.index(width) for width in widths] if shared else list(range(len(widths)))
        self.maps = nn.ModuleList(nn.Linear(width, out_channels, bias=False) for width in distinct)
        if frozen:
            freeze_orthogonal(self.maps)

    def forward(self, layers: list[Tensor], subspace: Tensor | None = None) -> list[Tensor]:
        """Every layer's features projected, and then by ``subspace`` (narrower, out_channels) where it is given.

        The two maps are multiplied first: both are small, and the features have a row for every node.
        """
        weights = [cast(Tensor, linear.weight) for linear in self.maps]
        if subspace is not None:
            weights = [subspace @ weight for weight in weights]
        return [F.linear(features, weights[place]) for place, features in zip(self.place, layers, strict=True)]


def freeze_orthogonal(module: nn.Module) -> None:
    """Make every weight matrix of ``module`` orthogonal and leave it out of training."""
    for weight in module.parameters():
        nn.init.orthogonal_(weight)
        weight.requires_grad_(False)


def normalised(features: Tensor, how: Normalise) -> Tensor:
    """Projected features (n, d) of one layer on a common scale.

    ``row``: every node's row has length one; ``max``: the largest absolute entry of the layer is one;
    ``l2``: the mean square length of its rows is one. A layer of zeros stays zero.
    """
    match how:
        case "row":
            return unit_rows(features)
        case "max":
            largest = features.abs().amax()
            return features / largest.masked_fill(largest == 0, 1)
        case "l2":
            return unit_rows(features.reshape(1, -1)).view_as(features) * math.sqrt(features.shape[0])
        case "none":
            return features
    raise UsageError(f"unknown normalisation {how!r}: expected none, row, max or l2")
