"""What a latency times: a graph that is prepared, and features that no model has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from workbench.models.gcn import GCN
from workbench.models.layers.last_input import LastInput
from workbench.runs.trained import LATENCY_REPEATS, latency, suited
from workbench.spec import Training

TIMES = LATENCY_REPEATS + 2  # two to warm up


def ring(features: Tensor) -> Data:
    """A ring of the nodes that have ``features`` (N, F)."""
    nodes = torch.arange(len(features))
    return Data(x=features, edge_index=torch.stack([nodes, nodes.roll(1)]))


def test_a_product_of_features_is_computed_in_every_repetition_and_the_graph_prepared_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    products, graphs = [], []
    product, weighted = LastInput.product, LastInput._weighted

    def counted(last: LastInput, x: Tensor, graph: Any, multiply: Callable[[Tensor], Tensor], width: int) -> Any:
        return product(last, x, graph, lambda x: (products.append(1), multiply(x))[1], width)

    monkeypatch.setattr(LastInput, "product", counted)
    monkeypatch.setattr(LastInput, "_weighted", lambda *given: (graphs.append(1), weighted(*given))[1])
    batch = ring(torch.randn(12, 4))
    given = batch.x
    assert latency(GCN(4, 8, 3), batch, Training()) > 0
    assert (len(products), len(graphs)) == (TIMES, 1)
    assert batch.x is given


def test_sparse_features_are_timed_without_what_a_gradient_alone_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.kernels.propagate import Transposition

    model = GCN(40, 8, 3)
    batch = suited(model, ring(torch.eye(40)))
    assert batch.x.layout == torch.sparse_csr
    monkeypatch.delattr(Transposition, "of")  # an inference has no use for the transposed features
    assert latency(model, batch, Training()) > 0
