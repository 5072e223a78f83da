"""Random walks over one snapshot, and the context nodes that are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.kernels.csr import row_pointer

MANY = 2**62  # random whole numbers, whose remainder is as good as uniform
POWER = 0.75  # of the degree, in the draw of negatives (Mikolov et al., 2013)


@dataclass(frozen=True)
class Contexts:
    """The walks of a snapshot: of whom a node sees how much of whom.

    ``walks`` (walks, length) hold node numbers; ``places`` the entries of the flattened walks, sorted by node, and
    ``first`` (N + 1,) where those of every node begin. ``reach`` is how far apart in a walk a node and its context
    may stand. ``cumulative`` (N,) are the sums of degree^0.75, from which negatives are drawn.
    """

    walks: Tensor
    places: Tensor
    first: Tensor
    reach: int
    cumulative: Tensor

    @classmethod
    def of(
        cls,
        edge_index: Tensor,
        weight: Tensor,
        num_nodes: int,
        *,
        walks: int,
        length: int,
        reach: int,
        generator: torch.Generator | None = None,
    ) -> Contexts:
        """Walk ``walks`` times from every node of edge_index (2, E), both directions, with probability by weight (E,).

        A loop leads nowhere and is left out.
        """
        links = edge_index[0] != edge_index[1]
        source, target, weight = edge_index[0, links], edge_index[1, links], weight[links]
        order = source.argsort(stable=True)
        source, target, weight = source[order], target[order], weight[order]
        rowptr = row_pointer(source, num_nodes)
        degree = rowptr.diff()  # (N,)
        starts = degree.nonzero().view(-1).repeat_interleave(walks)
        steps = _walk(starts, rowptr, target, weight.double(), length, generator)  # (walks · nodes, length)
        flat = steps.view(-1)
        places = flat.argsort(stable=True)
        return cls(
            steps,
            places,
            row_pointer(flat[places], num_nodes),
            min(reach, length - 1),
            degree.double().pow(POWER).cumsum(0),
        )

    def to(self, device: torch.device) -> Contexts:
        walks, places, first = (part.to(device) for part in (self.walks, self.places, self.first))
        cumulative = self.cumulative.float() if device.type == "mps" else self.cumulative  # which has no float64
        return Contexts(walks, places, first, self.reach, cumulative.to(device))

    @property
    def active(self) -> Tensor:
        """Which nodes have a context: (N,) booleans."""
        return self.first.diff() > 0

    def draw(self, nodes: Tensor, count: int) -> Tensor:
        """``count`` contexts of each of ``nodes`` (n,) -> (n, count), with replacement; all nodes must be active.

        Every pair of different nodes within ``reach`` in a walk is as likely as any other.
        """
        centres = nodes.repeat_interleave(count)
        found = torch.full_like(centres, -1)
        open_ = torch.arange(centres.numel(), device=nodes.device)
        while open_.numel():
            drawn = self._try(centres[open_])
            good = drawn >= 0
            found[open_[good]] = drawn[good]
            open_ = open_[~good]
        return found.view(-1, count)

    def draw_negatives(self, *shape: int) -> Tensor:
        """Nodes with probability proportional to degree^0.75, with replacement."""
        total = self.cumulative[-1]
        point = torch.rand(shape, dtype=total.dtype, device=total.device) * total
        return torch.searchsorted(self.cumulative, point, right=True).clamp_(max=self.cumulative.numel() - 1)

    def _try(self, centres: Tensor) -> Tensor:
        """One draw for each: a random place of the node in the walks, and a random step away from it; −1 if outside."""
        length = self.walks.shape[1]
        first, last = self.first[centres], self.first[centres + 1]
        place = self.places[first + torch.randint(MANY, first.shape, device=first.device) % (last - first)]
        away = torch.randint(2 * self.reach, place.shape, device=place.device) - self.reach
        away += away >= 0  # −reach … −1, 1 … reach
        step = place % length + away
        inside = (step >= 0) & (step < length)
        context = self.walks.view(-1)[torch.where(inside, place + away, place)]
        return torch.where(inside & (context != centres), context, -1)


def _walk(
    starts: Tensor, rowptr: Tensor, target: Tensor, weight: Tensor, length: int, generator: torch.Generator | None
) -> Tensor:
    """All walks at once: each step is one search in the running sum of the edges' weights."""
    upto = torch.cat([weight.new_zeros(1), weight.cumsum(0)])  # (E + 1,)
    here, steps = starts, [starts]
    for _ in range(length - 1):
        first, last = rowptr[here], rowptr[here + 1]
        share = torch.rand(here.shape, dtype=upto.dtype, device=here.device, generator=generator)
        point = upto[first] + share * (upto[last] - upto[first])
        edge = torch.searchsorted(upto, point, right=True) - 1
        here = target[edge.clamp(first, last - 1)]  # rounding may step over the end
        steps.append(here)
    return torch.stack(steps, dim=1)
