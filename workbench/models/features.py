"""The cheaper of two equal ways: sparse features, dropout, the order of products.

Bags of words are 99 % zeros. Drawing a dropout decision for each of them costs more than the rest of a
training step, and none of those decisions can be seen: a dropped zero is a zero. With the features in
compressed rows (CSR), dropout draws for the stored entries only (the same distribution) and the first
matrix product skips the zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.kernels.csr import row_pointer
from workbench.kernels.propagate import short_csr

SPARSE_BELOW = 0.1  # share of entries that are not zero
LINEAR_LAYERS = {("torch.nn.modules.linear", "Linear"), ("torch_geometric.nn.dense.linear", "Linear")}


def features_for(model: nn.Module, x: Tensor) -> Tensor:
    """``x`` (N, F) in the layout that suits ``model``: CSR where it pays and the model takes it, else as it is.

    It pays on the CPU for float32 features with less than a tenth of their entries set. A model says
    ``takes_sparse = True``; a module that does not is given ``x`` itself.
    """
    fits = getattr(model, "takes_sparse", False) and x.layout == torch.strided
    if not fits or x.device.type != "cpu" or x.dtype != torch.float32 or x.dim() != 2 or x.numel() == 0:
        return x
    if torch.count_nonzero(x).item() >= SPARSE_BELOW * x.numel():
        return x
    row, column = x.nonzero(as_tuple=True)
    return short_csr(row_pointer(row, x.shape[0]), column, x[row, column], x.shape[1])


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Dropout of features (N, F), on the stored entries of sparse ones.

    Under autocast, whose number formats have no sparse products, sparse features become dense.
    """
    if x.layout == torch.sparse_csr and torch.is_autocast_enabled(x.device.type):
        x = x.to_dense()
    if not training or p == 0:
        return x
    if x.layout != torch.sparse_csr:
        return _dropout(x, p)
    values = _dropout(x.values(), p)  # (entries,)
    return torch.sparse_csr_tensor(x.crow_indices(), x.col_indices(), values, x.shape, check_invariants=False)


def _dropout(x: Tensor, p: float) -> Tensor:
    """``F.dropout``; on the CPU from uniform numbers, which torch draws three times as fast as its mask."""
    if x.device.type != "cpu":
        return F.dropout(x, p)
    return x * torch.rand(x.shape).ge_(p).div_(1 - p).to(x.dtype)


def project_first(x: Tensor, out_channels: int) -> bool:
    """Whether a plain layer should multiply by its weights before it sums over neighbours.

    The two commute, Â(XW) = (ÂX)W, so this chooses cost alone: neighbours are summed in the narrower of
    the two widths, and sparse features are always multiplied first.
    """
    return x.layout == torch.sparse_csr or out_channels < x.shape[1]


def dense(x: Tensor) -> Tensor:
    """``x`` (N, F) without sparsity, for a layer that must be called: hooks and layers of others' make expect that."""
    return x.to_dense() if x.layout == torch.sparse_csr else x


def is_plain(layer: nn.Module) -> bool:
    """Whether ``layer`` is torch's or PyG's own linear layer and nobody watches it.

    Then its weights may be used without calling it. Whatever was put in its place, is parametrised or hooked
    (pruning works by hooks) must be called.
    """
    kind = type(layer)
    return (kind.__module__, kind.__name__) in LINEAR_LAYERS and not is_watched(layer)


def is_watched(layer: nn.Module) -> bool:
    """Whether calling ``layer`` also calls a hook."""
    return bool(layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks or layer._backward_pre_hooks)
