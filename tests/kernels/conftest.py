"""The ways in which the numbers of edges can be computed, and the threads that may share the work."""

import math

import pytest
import torch

from workbench.kernels import edge_numbers, edges

CPU = torch.device("cpu")


@pytest.fixture(params=["gather", "sparse", "compiled"])
def path(request, monkeypatch):
    """Every graph, however small, goes this way: gathered blocks of edges, sparse products or compiled code."""
    if request.param == "sparse" and not edge_numbers.has_sparse_products(CPU):
        pytest.skip("torch multiplies no sparse matrices on this processor")
    monkeypatch.setattr(edges, "COMPILED_FROM", 0 if request.param == "compiled" else math.inf)
    monkeypatch.setattr(edge_numbers, "BLOCK", 7 if request.param == "gather" else 0)
    monkeypatch.setattr(edge_numbers, "has_sparse_products", lambda device: request.param == "sparse")
    return request.param


@pytest.fixture(params=[1, 3, 16])
def threads(request):
    """So many threads, also more than there are rows."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)
