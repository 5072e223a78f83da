"""Edge convolution (Wang et al., ACM TOG 2019, arXiv 1801.07829), computed by points instead of by edges."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.kernels.neighbour_features import neighbour_max, neighbour_sum
from workbench.kernels.precision import at_least_single

SLOPE = 0.2  # of LeakyReLU below zero


class EdgeConv(nn.Module):
    r""":math:`\max_{j \in N(i)} \mathrm{LeakyReLU}_{0.2}(\mathrm{BN}(W [x_i, x_j - x_i]))`.

    With W = [W₁, W₂] an edge gives (W₁ − W₂) x_i + W₂ x_j: one product per point and not one per edge. What follows
    is monotone in W₂ x_j, rising or falling with the sign of BN's weight, so the maximum is taken before it. BN's mean
    and variance are those over all N·k edges: they follow from sums over points and one sum over neighbours.

    Shapes: x (N, in_channels), table (N, k) numbers of every point's neighbours -> (N, out_channels), float32 at least.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * in_channels, out_channels, bias=False)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        of_centre, of_difference = self.linear.weight.chunk(2, dim=1)  # (out, in) each
        both = F.linear(x, torch.cat([of_centre - of_difference, of_difference]))
        with torch.autocast(x.device.type, enabled=False):
            own, other = at_least_single(both).chunk(2, dim=1)  # (N, out) each
            own, other, variance = self._centred(own, other, table)
            scale = self.norm.weight * (variance + self.norm.eps).rsqrt()
            sign = torch.where(scale < 0, -1.0, 1.0).to(other.dtype)
            strongest = sign * neighbour_max(sign * other, table)
            return F.leaky_relu((own + strongest) * scale + self.norm.bias, SLOPE)

    def _centred(self, own: Tensor, other: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both parts of the edges with the mean over edges taken off, and the variance (out,) over edges."""
        norm = self.norm
        if not self.training and norm.running_mean is not None and norm.running_var is not None:
            return own - norm.running_mean, other, norm.running_var
        edges = table.numel()
        chosen = torch.bincount(table.view(-1), minlength=other.shape[0]).to(other.dtype)  # how often as a neighbour
        means = own.mean(0), chosen @ other / edges
        # Centred first: squares of what all edges share would drown the variance.
        own, other = own - means[0], other - means[1]
        products = (own * neighbour_sum(other, table)).sum(0)
        squares = own.square().mean(0) + (chosen @ other.square() + 2 * products) / edges
        variance = squares.clamp_min(0)
        self._remember(means[0] + means[1], variance * (edges / max(edges - 1, 1)))
        return own, other, variance

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Running statistics, as BatchNorm keeps them: of the unbiased variance."""
        norm = self.norm
        if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
            return
        norm.num_batches_tracked += 1
        momentum = norm.momentum if norm.momentum is not None else 1 / float(norm.num_batches_tracked)
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), momentum)
        norm.running_var.lerp_(variance.to(norm.running_var.dtype), momentum)

    def extra_repr(self) -> str:
        return f"{self.linear.in_features // 2} → {self.linear.out_features}"
