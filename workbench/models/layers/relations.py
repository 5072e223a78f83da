"""Means over the in-neighbours of every node in one relation, prepared once per graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workbench.datasets.hetero.features import HeteroChannels, HeteroFeatures, Relation
from workbench.kernels.csr import row_pointer
from workbench.kernels.propagate import SparseOperator, propagate, short_csr
from workbench.models.features import project_first
from workbench.models.layers.last_input import LastInput


class RelationalConv(nn.Module):
    r""":math:`h'_i = W_{t(i)} h_i + b_{t(i)} + \sum_r \mathrm{mean}_{j \in N_r(i)} W_r h_j`.

    A root weight with a bias for every type of nodes, a weight without a bias for every relation. ``in_channels``
    are the widths of the types.
    """

    def __init__(self, channels: HeteroChannels, in_channels: dict[str, int], out_channels: int) -> None:
        super().__init__()
        self.types = [each.name for each in channels.types]
        self.names = channels.relations
        self.out_channels = out_channels
        self.roots = nn.ModuleList(nn.Linear(in_channels[name], out_channels) for name in self.types)
        self.relations = nn.ModuleList(
            nn.Linear(in_channels[source], out_channels, bias=False) for source, _, _ in self.names
        )

    def forward(
        self, h: dict[str, Tensor], x: HeteroFeatures, inputs: dict[str, LastInput], wanted: list[str]
    ) -> dict[str, Tensor]:
        """New features (n, out_channels) of the types ``wanted``; ``inputs`` multiply features that may be sparse."""
        roots: list[Any] = [*self.roots]
        relations: list[Any] = [*self.relations]
        found = {
            name: inputs[name].linear(h[name], root.weight, root.bias)
            for name, root in zip(self.types, roots, strict=True)
            if name in wanted
        }
        for relation, linear in zip(self.names, relations, strict=True):
            source, _, destination = relation
            if destination not in wanted:
                continue
            of = h[source]
            if project_first(of, self.out_channels):
                sent = relation_mean(x, relation, inputs[source].linear(of, linear.weight))
            else:
                sent = linear(relation_mean(x, relation, of))
            found[destination] = found[destination] + sent
        return found


def relation_mean(x: HeteroFeatures, relation: Relation, h: Tensor) -> Tensor:
    """The mean of h (n, d) over the in-neighbours in ``relation`` of every destination (m, d), zero without any."""
    if _has_sparse_products(h):
        return propagate(_operator(x, relation, h.dtype), h)
    source, destination = x.relations[relation]
    weight = _weight(x, relation)[destination].to(h.dtype)  # (E,)
    sums = h.new_zeros(x.counts[relation[2]], h.shape[1])
    return sums.index_add(0, destination, h[source] * weight[:, None])


def _weight(x: HeteroFeatures, relation: Relation) -> Tensor:
    """One by the number of in-neighbours of every destination (m,)."""
    key = ("weight", relation)
    if key not in x.prepared:
        degree = torch.bincount(x.relations[relation][1], minlength=x.counts[relation[2]])
        x.prepared[key] = 1 / degree.clamp(min=1).float()
    found: Tensor = x.prepared[key]
    return found


def _operator(x: HeteroFeatures, relation: Relation, dtype: torch.dtype) -> SparseOperator:
    """The matrix (m, n) of the means; its transpose stands ready, as every training needs it."""
    key = ("operator", relation, dtype)
    if key not in x.prepared:
        with torch.inference_mode(False), torch.no_grad():
            source, destination = x.relations[relation]
            value = 1 / torch.bincount(destination, minlength=x.counts[relation[2]]).clamp(min=1).to(dtype)
            rows = torch.argsort(destination * x.counts[relation[0]] + source)
            columns = torch.argsort(source * x.counts[relation[2]] + destination)
            matrix = short_csr(
                row_pointer(destination, x.counts[relation[2]]),
                source[rows],
                value[destination[rows]],
                x.counts[relation[0]],
            )
            transposed = short_csr(
                row_pointer(source, x.counts[relation[0]]),
                destination[columns],
                value[destination[columns]],
                x.counts[relation[2]],
            )
        x.prepared[key] = SparseOperator(matrix, lambda: transposed)
    found: SparseOperator = x.prepared[key]
    return found


def _has_sparse_products(h: Tensor) -> bool:
    """On a CPU with MKL, in full precision; elsewhere edges are gathered."""
    fast = h.device.type == "cpu" and torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    return fast and h.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")
