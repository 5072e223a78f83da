"""Every layer of a model on the nodes of one graph: what a run stores of them, and how it is read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import RunError
from workbench.runs.files import half
from workbench.runs.side import Side

if TYPE_CHECKING:
    from workbench.models.base import Output

HIDDEN_LIMIT = 50_000_000  # numbers of all hidden layers but the last in one file; of more none is stored
KEPT_LIMIT = 10_000_000  # the same in a kept epoch, of which there are many: to write so many takes a second
MOST_LAYERS = 1024  # hidden ones that a file can be believed to speak of
ATTENTION_LIMIT = 2_000_000  # numbers per layer; larger attention is not stored for drawing
OLDER = "was made by an older version of the workbench, which stored the last hidden layer and the logits only"
LARGE = "has more numbers in its hidden layers than are stored: the last one and the logits were"

Attended = tuple[NDArray[np.integer], NDArray[np.floating]]  # edge_index (2, E') with self-loops, weight (E', H)


@dataclass(frozen=True)
class Layers:
    """The layers of a model that are stored, input side first, the logits last.

    ``features`` holds (N, d_l) of every layer and ``names`` how it is called. ``attention`` holds, for a layer that
    attends, its edge_index (2, E') with self-loops and its weights (E', H), else None. ``left_out`` says in words why
    layers are missing; empty where all are there.
    """

    features: list[NDArray[np.floating]]
    names: list[str]
    attention: list[Attended | None]
    left_out: str = ""


def layer_arrays(output: Output, limit: int = HIDDEN_LIMIT) -> dict[str, NDArray[Any]]:
    """What is stored beside ``embedding`` (the last hidden layer) and ``logits``.

    ``num_hidden`` (), how many hidden layers the model has; ``hidden_0`` … (N, d_l) float16, all but the last one,
    where they are at most ``limit`` numbers together; ``attention_0`` … (E', H) float16, layer by layer.
    """
    arrays: dict[str, NDArray[Any]] = {"num_hidden": np.array(len(output.hidden), dtype=np.int32)}
    earlier = output.hidden[:-1]
    if sum(features.numel() for features in earlier) <= limit:
        arrays |= {f"hidden_{k}": half(features.float().cpu().numpy()) for k, features in enumerate(earlier)}
    for layer, attention in enumerate(output.attention or []):
        if attention.weight.numel() <= ATTENTION_LIMIT:
            arrays[f"attention_{layer}"] = half(attention.weight.float().cpu().numpy())
    return arrays


def layers(side: Side) -> Layers:
    """The stored layers of a model; RunError where arrays are missing, damaged or not of the same nodes."""
    arrays = side.arrays()
    if "num_hidden" not in arrays:
        features, names = [arrays["embedding"], arrays["logits"]], ["last hidden layer", "logits"]
        return _checked(side, Layers(features, names, [None, None], OLDER))
    stored = arrays["num_hidden"]
    if stored.size != 1 or stored.dtype.kind not in "iu" or not 0 <= (count := int(stored.item())) <= MOST_LAYERS:
        raise RunError(f"the arrays of run {side.run.id} are damaged (how many layers are there?): run the spec again")
    found = [arrays[f"hidden_{k}"] for k in range(count - 1) if f"hidden_{k}" in arrays]
    complete = len(found) == max(count - 1, 0)
    # A model without hidden layers has its logits for an embedding: they are one layer.
    last = [arrays["embedding"]] if count else []
    names = [f"layer {number}" for number in range(1, count + 1)]
    attention = _attention(side, arrays, count)
    if complete:
        return _checked(side, Layers([*found, *last, arrays["logits"]], [*names, "logits"], attention))
    return _checked(side, Layers([*last, arrays["logits"]], [names[-1], "logits"], attention[-2:], LARGE))


def _checked(side: Side, found: Layers) -> Layers:
    for features in found.features:
        if features.ndim != 2 or features.size == 0 or len(features) != len(found.features[-1]):
            raise RunError(f"the layers of run {side.run.id} are not of the same nodes: run the spec again")
        if not np.isfinite(features).all():
            raise RunError(
                f"the {side.name.lower()} of run {side.run.id} holds NaN or infinity, so it diverged: choose another "
                "epoch, or lower the learning rate and run again"
            )
    return found


def _attention(side: Side, arrays: dict[str, NDArray[Any]], count: int) -> list[Attended | None]:
    """Attention of the ``count`` hidden layers and the output layer.

    Only where every layer attends is it known which attention belongs to which layer. A kept epoch has the edges of
    the best one.
    """
    found: list[Attended | None] = [None] * (count + 1)
    if f"attention_{count}" not in arrays or f"attention_{count + 1}" in arrays:
        return found
    edges = arrays if side.epoch is None else side.run.arrays(side.who)
    for layer in range(count + 1):
        weight, pairs = arrays.get(f"attention_{layer}"), edges.get(f"attention_edge_index_{layer}")
        if weight is not None and pairs is not None and _fit(pairs, weight):
            found[layer] = (pairs, weight)
    return found


def _fit(pairs: NDArray[Any], weight: NDArray[Any]) -> bool:
    """Whether these are edges (2, E') and a number (E', H) of every head for each of them."""
    return weight.ndim == 2 and weight.size > 0 and pairs.shape == (2, len(weight)) and pairs.dtype.kind in "iu"
