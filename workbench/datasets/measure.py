"""What can be measured on a graph, and whether it can be learned from: for every dataset and for one's own ``Data``.

Snapshots and shapes answer for themselves.
"""

from __future__ import annotations

import hashlib
from itertools import combinations
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from workbench.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

MASKS = {"train_mask": "training", "val_mask": "validation", "test_mask": "test"}
UNLABELLED = -1


@runtime_checkable
class Measured(Protocol):
    """What is no single graph (snapshots, shapes) and knows how to check and measure itself."""

    def check(self, where: str) -> None: ...
    def fingerprint(self) -> str: ...
    def measure(self) -> dict[str, float | int]: ...


def measure(data: Data | Measured) -> dict[str, float | int]:
    """Counts of a checked graph and its edge homophily.

    ``edges`` counts both directions of an undirected edge, ``homophily`` is the share of edges between
    nodes of one class (edges with an unlabelled end left out), ``isolated_nodes`` touch no other node.
    """
    if isinstance(data, Measured):
        return data.measure()
    import torch

    source, target = data.edge_index
    labelled = (data.y[source] >= 0) & (data.y[target] >= 0)
    same = (data.y[source] == data.y[target])[labelled]
    touched = torch.zeros(data.num_nodes or 0, dtype=torch.bool)
    touched[data.edge_index[:, source != target].reshape(-1).cpu()] = True
    return {
        "nodes": int(data.x.shape[0]),
        "edges": int(data.edge_index.shape[1]),
        "features": int(data.x.shape[1]),
        "classes": num_classes(data),
        "homophily": float(same.double().mean()) if same.numel() else 0.0,
        "train": int(data.train_mask.sum()),
        "val": int(data.val_mask.sum()),
        "test": int(data.test_mask.sum()),
        "isolated_nodes": int((~touched).sum()),
    }


def num_classes(data: Data) -> int:
    """Labels run from 0 to ``num_classes(data)`` − 1."""
    return int(data.y.max()) + 1


def fingerprint(data: Data | Measured) -> str:
    """Twelve hexadecimal digits of the SHA-256 of features, edges, labels and split, with types and shapes."""
    if isinstance(data, Measured):
        return data.fingerprint()
    sha = hashlib.sha256()
    for name in ("x", "edge_index", "y", *MASKS):
        value = data[name].detach().cpu().contiguous()
        sha.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        sha.update(value.numpy().tobytes())
    return sha.hexdigest()[:12]


def check(data: Data | Measured, where: str) -> None:
    """Raise one UsageError, headed by ``where``, that lists everything wrong with the graph.

    A node may go without a label (−1) as long as it is in no part of the split.
    """
    if isinstance(data, Measured):
        data.check(where)
        return
    faults = _faults(data)
    if faults:
        raise UsageError("\n".join([f"{where} cannot be learned from:", *(f"  - {fault}" for fault in faults)]))


def _faults(data: Data) -> list[str]:
    """Types and shapes first: values are looked at where those are right."""
    import torch

    shapes = [
        _wrong_tensor(data, "x", torch.float32, "(N, F)"),
        _wrong_tensor(data, "edge_index", torch.int64, "(2, E)"),
        _wrong_tensor(data, "y", torch.int64, "(N,)"),
        *(_wrong_tensor(data, name, torch.bool, "(N,)") for name in MASKS),
    ]
    faults = [fault for fault in shapes if fault]
    if faults:
        return faults
    nodes = data.x.shape[0]
    faults = [
        f"{name} has {len(data[name]):,} entries for the {nodes:,} nodes of x: expected one per node"
        for name in ("y", *MASKS)
        if len(data[name]) != nodes
    ]
    if data.x.numel() == 0:
        faults.append(f"x has shape {tuple(data.x.shape)}: expected at least one node and one feature")
    return faults or [*_wrong_features(data.x), *_wrong_edges(data.edge_index, nodes), *_wrong_split(data)]


def _wrong_tensor(data: Data, name: str, dtype: Any, shape: str) -> str | None:
    import torch

    value = getattr(data, name, None)
    expected = f"expected a dense tensor {shape} of {str(dtype).removeprefix('torch.')}"
    if value is None:
        return f"{name} is missing: {expected}"
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        return f"{name} is {_kind(value)}: {expected}"
    dims = 1 if shape == "(N,)" else 2
    if value.dtype != dtype or value.dim() != dims or (shape == "(2, E)" and value.shape[0] != 2):
        return f"{name} is {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}: {expected}"
    return None


def _kind(value: Any) -> str:
    layout = getattr(value, "layout", None)
    return f"a {str(layout).removeprefix('torch.')} tensor" if layout is not None else f"a {type(value).__name__}"


def _wrong_features(x: Tensor) -> list[str]:
    if x.sum().isfinite():  # then every entry is, and nothing as large as x had to be made
        return []
    broken = ~x.isfinite()
    count = int(broken.sum())
    if not count:
        return []
    node, column = (int(i) for i in broken.nonzero()[0])
    return [
        f"x holds {_number(count, 'value')} that {'is' if count == 1 else 'are'} NaN or infinite, "
        f"the first at node {node}, feature {column}: expected finite numbers"
    ]


def _wrong_edges(edge_index: Tensor, nodes: int) -> list[str]:
    if edge_index.shape[1] == 0:
        return ["the graph has no edges: expected at least one (a plain MLP needs none, a graph network does)"]
    low, high = int(edge_index.min()), int(edge_index.max())
    if low < 0 or high >= nodes:
        return [f"edge_index names nodes from {low} to {high}: expected 0 to {nodes - 1}"]
    return []


def _wrong_split(data: Data) -> list[str]:
    empty = {name: title for name, title in MASKS.items() if not data[name].any()}
    faults = [f"the {title} split is empty ({name} is all False)" for name, title in empty.items()]
    for (one, first), (other, second) in combinations(MASKS.items(), 2):
        shared = data[one] & data[other]
        if shared.any():
            node = int(shared.nonzero()[0])
            faults.append(
                f"the {first} and {second} splits share {_number(int(shared.sum()), 'node')} (node {node}, "
                f"for one): a node may be in one of them only"
            )
    return faults + _wrong_labels(data)


def _wrong_labels(data: Data) -> list[str]:
    lowest = int(data.y.min())
    if lowest < UNLABELLED:
        return [f"y goes down to {lowest}: expected labels from 0, or −1 for a node without one"]
    used = data.train_mask | data.val_mask | data.test_mask
    unlabelled = used & (data.y == UNLABELLED)
    if unlabelled.any():
        node = int(unlabelled.nonzero()[0])
        return [
            f"{_number(int(unlabelled.sum()), 'node')} of the split {'has' if int(unlabelled.sum()) == 1 else 'have'} "
            f"no label (node {node}, for one): only nodes outside the split may go without"
        ]
    classes = num_classes(data)
    if classes < 2:
        return [f"y holds {_number(classes, 'class', 'classes')}: expected at least two"]
    if classes > data.y.numel():
        return [f"y goes up to {classes - 1} with {data.y.numel()} nodes: expected labels 0, 1, 2, … without gaps"]
    absent = sorted(set(range(classes)) - set(data.y[data.train_mask].tolist()))
    if absent and data.train_mask.any():
        return [f"no training node has {_listed(absent)}: a class that is never seen cannot be learned"]
    return []


def _number(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _listed(labels: list[int]) -> str:
    shown = ", ".join(str(label) for label in labels[:8]) + (", …" if len(labels) > 8 else "")
    return f"label {shown}" if len(labels) == 1 else f"labels {shown}"
