"""What a model made of its last input, so that a fixed graph is prepared once and not in every step.

A result never depends on what was kept: an entry counts only while the very tensor that it was made of is there,
with no change in place since. (Changes that torch does not count, through ``tensor.data`` or a NumPy array that
shares the memory, are not seen.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.weak import TensorWeakRef

from workbench.kernels.csr import EdgePattern, check_edges
from workbench.kernels.propagate import SparseOperator, Transposition, propagate
from workbench.models.features import dense, is_plain
from workbench.models.layers.edge_weights import WeightedEdges

PRODUCT_UP_TO = 16  # times the layer's output width: a product of wider features is not worth its memory

# The adjacency (N, N), row i of which holds the in-edges of node i, where the device has fast sparse products.
Graph = SparseOperator | WeightedEdges

# (edge_index, num_nodes, dtype) -> the edges that a model sums over, self-loops and all
Weigh = Callable[[Tensor, int, torch.dtype], WeightedEdges]


class Seen:
    """A tensor as it was: known again by being the same object, as often changed in place."""

    def __init__(self, tensor: Tensor) -> None:
        self._reference: Any = TensorWeakRef(tensor)
        self._version = tensor._version

    @property
    def tensor(self) -> Tensor | None:
        """It, or None when it is gone or has changed."""
        found: Tensor | None = self._reference()
        return found if found is not None and found._version == self._version else None


@dataclass
class _Edges:
    seen: Seen
    graphs: dict[tuple[Any, ...], Graph] = field(default_factory=dict)  # by number of nodes, dtype, layout


@dataclass
class _Features:
    seen: Seen
    product: tuple[Graph, Tensor] | None = None  # of dense features
    transposition: Transposition | None = None  # of sparse ones


class LastInput:
    """The last graph and the last features that a model saw, with what was made of them.

    A module and its layers share one as a plain attribute. It is no part of the weights: copies and pickles of it
    are empty. ``weigh`` turns an edge_index into the edges and weights that the model sums over.
    """

    def __init__(self, weigh: Weigh | None = None) -> None:
        self._weigh = weigh
        self._edges: _Edges | None = None
        self._features: _Features | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return LastInput, (self._weigh,)

    def given(self, x: Tensor) -> None:
        """Take note of the features (N, F) that the model was given."""
        if not _countable(x):
            self._features = None
        elif self._features is None or self._features.seen.tensor is not x:
            self._features = _Features(Seen(x))

    def graph(self, x: Tensor, edge_index: Any, matrix: bool = True) -> Graph | None:
        """The weighted graph on the rows of x; None for anything but an ordinary edge_index (2, E).

        A matrix where that is fast, unless ``matrix`` is False: then edges with weights. Edges that have their weights
        already keep them. Raises UsageError for an edge to a node that x has no row for.
        """
        if isinstance(edge_index, WeightedEdges):
            return _as_matrix(edge_index, x.shape[0]) if matrix and _has_sparse_products(x) else edge_index
        if type(edge_index) is not Tensor or edge_index.dtype != torch.long or edge_index.shape[:-1] != (2,):
            return None
        as_matrix = matrix and _has_sparse_products(x) and edge_index.device == x.device and not _is_traced()
        key = (x.shape[0], x.dtype, as_matrix)
        if not _countable(edge_index):
            return self._weighted(edge_index, *key)
        edges = self._edges
        if edges is None or edges.seen.tensor is not edge_index:
            edges = self._edges = _Edges(Seen(edge_index))
        if key not in edges.graphs:
            edges.graphs[key] = self._weighted(edge_index, *key)
        return edges.graphs[key]

    def product(self, x: Tensor, graph: Graph, multiply: Callable[[Tensor], Tensor], width: int) -> Tensor | None:
        """``multiply(x)``, the graph times x (N, F), computed once where it is constant.

        It is for the features that the model was given, as they were given (no dropout), dense and without
        gradient; None for anything else, and for features much wider than the layer's output ``width``.
        """
        features = self._features
        if features is None or features.seen.tensor is not x or x.requires_grad or x.layout != torch.strided:
            return None
        if x.shape[1] > PRODUCT_UP_TO * width:
            return None
        product = features.product
        if product is None or product[0] is not graph:
            with torch.inference_mode(False), torch.no_grad():  # so that a training step may use it later
                product = features.product = (graph, multiply(x))
        return product[1]

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        r""":math:`x W^\top + b` of features (N, F), also sparse ones, and weights (d, F) -> (N, d)."""
        operator = self._operator(x)
        return F.linear(x, weight, bias) if operator is None else propagate(operator, weight.t(), bias)

    def apply(self, layer: Any, x: Tensor) -> Tensor:
        """``layer(x)`` of a linear layer, also of sparse features; one that is not plain is called with dense ones."""
        if not is_plain(layer):
            return layer(dense(x))
        return self.linear(x, layer.weight, layer.bias)

    def _operator(self, x: Tensor) -> SparseOperator | None:
        """The given features or what dropout left of them: both have their entries in the same places.

        So they share one transposition, which is made when a gradient first needs it.
        """
        features = self._features
        given = None if features is None else features.seen.tensor
        if features is None or given is None or torch.sparse_csr not in (x.layout, given.layout):
            return None
        if x.layout != given.layout or x.requires_grad or not _has_sparse_products(x) or not _share_entries(x, given):
            return None

        def transpose() -> Tensor:
            with torch.inference_mode(False), torch.no_grad():
                if features.transposition is None:
                    features.transposition = Transposition.of(given)
                return features.transposition.operator(x).transposed

        return SparseOperator(x, transpose)

    def _weighted(self, edge_index: Tensor, num_nodes: int, dtype: torch.dtype, as_matrix: bool) -> Graph:
        assert self._weigh is not None
        with torch.inference_mode(False), torch.no_grad():
            if not as_matrix:
                return self._weigh(edge_index, num_nodes, dtype)
            check_edges(edge_index, num_nodes)  # a sparse product would read whatever stands there
            return _as_matrix(self._weigh(edge_index, num_nodes, dtype), num_nodes)


def _as_matrix(edges: WeightedEdges, num_nodes: int) -> SparseOperator:
    pattern = EdgePattern.of(edges.edge_index, num_nodes)
    return SparseOperator.of_edges(pattern, edges.weight[pattern.order])


def _countable(tensor: Tensor) -> bool:
    """Whether torch counts the tensor's changes; what a compiler or an exporter traces must not be kept at all."""
    return not (tensor.is_inference() or _is_traced())


def _is_traced() -> bool:
    return torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None


def _has_sparse_products(x: Tensor) -> bool:
    """On a CPU with MKL, in full precision: bfloat16 has none, and elsewhere PyG's message passing is used."""
    fast = x.device.type == "cpu" and torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    return fast and x.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")


def _share_entries(x: Tensor, given: Tensor) -> bool:
    """Whether the indices of both CSR matrices are the same memory."""
    parts = ((m.crow_indices().data_ptr(), m.col_indices().data_ptr(), m.shape) for m in (x, given))
    return next(parts) == next(parts)
