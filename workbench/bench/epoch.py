"""One training epoch of a GCN student: our model beside the one that PyG ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.bench.measure import Step, compare

LAYERS = 2
LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Inputs:
    """A random graph with labels on every node."""

    x: Tensor  # (N, F)
    edge_index: Tensor  # (2, E)
    y: Tensor  # (N,)


def make(variant: str, nodes: int, edges: int, widths: tuple[int, ...]) -> tuple[Inputs, Any]:
    """The graph, and what prepares one epoch on it: forward, loss, backward, optimiser step.

    No dropout: the two place it differently, and would not do the same work.
    """
    features, _, classes = widths
    generator = torch.Generator().manual_seed(0)
    inputs = Inputs(
        x=torch.randn(nodes, features, generator=generator),
        edge_index=torch.randint(nodes, (2, edges), generator=generator),
        y=torch.randint(classes, (nodes,), generator=generator),
    )
    model = _ours(*widths) if variant == "ours" else _stock(*widths)

    def prepare(inputs: Inputs) -> Step:
        optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

        def epoch() -> float:
            optimiser.zero_grad()
            loss = F.cross_entropy(model(inputs.x, inputs.edge_index), inputs.y)
            torch.autograd.backward(loss)
            optimiser.step()
            return float(loss.detach())

        return epoch

    return inputs, prepare


def _ours(features: int, hidden: int, classes: int) -> nn.Module:
    from workbench.registry import models

    config = models["gcn"](hidden_channels=hidden, num_layers=LAYERS, dropout=0.0)
    module: nn.Module = config.build(features, classes)
    return module.train()


def _stock(features: int, hidden: int, classes: int) -> nn.Module:
    from torch_geometric.nn import GCN

    module: nn.Module = GCN(features, hidden, LAYERS, classes, dropout=0.0)
    return module.train()


def bench(nodes: int, edges: int, widths: tuple[int, ...], repeats: int) -> dict[str, Any]:
    """``widths`` are the number of features, the hidden width and the number of classes."""
    return {
        "benchmark": "epoch",
        "nodes": nodes,
        "edges": edges,
        "widths": list(widths),
        "repeats": repeats,
        "threads": torch.get_num_threads(),
        "results": [compare("gcn", make, (nodes, edges, widths), repeats)],
    }
