"""A model as a list of layers, each of which can be computed for a block of nodes at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from workbench.models.layers.last_input import Weigh

# (x (n, d) of the layer before, edges among these n nodes, the first layer's output (n, d_1)) -> (n, d')
Apply = Callable[[Tensor, Any, Tensor], Tensor]


@dataclass(frozen=True)
class Layer:
    """One layer in evaluation mode.

    ``hidden`` says that its output is one of ``Output.hidden``, ``looks_around`` that it reads in-neighbours: of
    these alone, each node with all of its in-edges, so that other nodes change nothing.
    """

    apply: Apply
    hidden: bool = True
    looks_around: bool = True


@dataclass(frozen=True)
class LayerByLayer:
    """The layers of a model, logits last, and what turns an edge_index into the edges that they read.

    ``weigh`` None is a model that looks at no edge. Of those in :mod:`workbench.models.layers.edge_weights` is known
    what they need of the whole graph. ``needs_first`` says that every layer also reads what the first one gave.
    """

    layers: list[Layer]
    weigh: Weigh | None
    needs_first: bool = False
