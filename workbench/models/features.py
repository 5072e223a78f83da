"""The cheaper of two equal ways: sparse features, sparse adjacency, dropout, the order of products.

Bags of words are 99 % zeros. Drawing a dropout decision for each of them costs more than the rest of a
training step, and none of those decisions can be seen: a dropped zero is a zero. With the features in
compressed rows (CSR), dropout draws for the stored entries only (the same distribution) and the first
matrix product skips the zeros.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SPARSE_BELOW = 0.1  # share of entries that are not zero


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
    return _csr(x)


def normalised_adjacency(edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    r"""What PyG's convolutions take as :math:`\hat A = D^{-1/2} (A + I) D^{-1/2}`: edges with weights.

    On the CPU it is one CSR matrix (N, N) and no weights, with which a deep model trains twice as fast.
    """
    from torch_geometric.nn.conv.gcn_conv import gcn_norm

    edges, weight = gcn_norm(edge_index, num_nodes=num_nodes, dtype=dtype)
    if edges.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return edges, weight
    # A row holds the in-edges of its node; edges that stand twice add up, as they do one by one.
    shape = (num_nodes, num_nodes)
    return _csr(torch.sparse_coo_tensor(edges.flip(0), weight, shape, check_invariants=False).coalesce()), None


def _csr(x: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return x.to_sparse_csr()


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
    """Whether a layer should multiply by its weights before it sums over neighbours.

    The two commute, Â(XW) = (ÂX)W, so this chooses cost alone: neighbours are summed in the narrower of
    the two widths, and sparse features are always multiplied first.
    """
    return x.layout == torch.sparse_csr or out_channels < x.shape[1]
