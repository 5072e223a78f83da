"""What can be wrong with a collection of graphs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.datasets.point_clouds import SPLITS

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.datasets.graph_collection import GraphCollection


def graph_faults(graphs: GraphCollection) -> list[str]:
    """Types and shapes first: values are looked at where those are right."""
    return _wrong_tensors(graphs) or _wrong_slices(graphs) or [*_wrong_values(graphs), *_wrong_labels(graphs)]


def _wrong_tensors(graphs: GraphCollection) -> list[str]:
    import torch

    features = {True: ("torch.int64", "categories"), False: ("torch.float32", "numbers")}
    expected: dict[str, tuple[tuple[str, ...], int, str]] = {
        "x": ((features[graphs.node_categories > 0][0],), 2, "(N, F)"),
        "edge_index": (("torch.int64",), 2, "(2, E)"),
        "node_slices": (("torch.int64",), 1, "(M + 1,)"),
        "edge_slices": (("torch.int64",), 1, "(M + 1,)"),
        "split": (("torch.int8",), 1, "(M,)"),
    }
    if graphs.edge_attr is not None:
        expected["edge_attr"] = ((features[graphs.edge_categories > 0][0],), 2, "(E, D)")
    several = isinstance(graphs.y, torch.Tensor) and graphs.y.dim() == 2
    expected["y"] = (("torch.float32",), 2, "(…, L)") if several else (("torch.int64",), 1, "(…,)")
    faults = []
    for name, (kinds, dims, shape) in expected.items():
        value: Any = getattr(graphs, name)
        wanted = f"expected {shape} of {kinds[0].removeprefix('torch.')}"
        if not isinstance(value, torch.Tensor):
            faults.append(f"{name} is a {type(value).__name__}: {wanted}")
        elif str(value.dtype) not in kinds or value.dim() != dims or (name == "edge_index" and value.shape[0] != 2):
            faults.append(f"{name} is {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}: {wanted}")
    if graphs.level not in ("graph", "node"):
        faults.append(f"level is {graphs.level!r}: expected 'graph' or 'node'")
    return faults


def _wrong_slices(graphs: GraphCollection) -> list[str]:
    count, faults = len(graphs), []
    for name, total in (("node_slices", graphs.x.shape[0]), ("edge_slices", graphs.edge_index.shape[1])):
        slices: Tensor = getattr(graphs, name)
        if slices.numel() != count + 1 or int(slices[0]) != 0 or int(slices[-1]) != total:
            faults.append(f"{name} has to go in {count + 1:,} entries, one more than split has, from 0 to {total:,}")
        elif bool((slices.diff() < (1 if name == "node_slices" else 0)).any()):
            faults.append(f"{name} has to rise: every graph has a node at least")
    rows = count if graphs.level == "graph" else graphs.x.shape[0]
    if graphs.y.shape[0] != rows:
        faults.append(f"y has {graphs.y.shape[0]:,} rows: expected {rows:,}, one per {graphs.level}")
    if graphs.edge_attr is not None and graphs.edge_attr.shape[0] != graphs.edge_index.shape[1]:
        faults.append(f"edge_attr has {graphs.edge_attr.shape[0]:,} rows: expected one per edge")
    if graphs.x.numel() == 0:
        faults.append(f"x has shape {tuple(graphs.x.shape)}: expected at least one node and one feature")
    return faults


def _wrong_values(graphs: GraphCollection) -> list[str]:
    faults = []
    for name, categories in (("x", graphs.node_categories), ("edge_attr", graphs.edge_categories)):
        value: Tensor | None = getattr(graphs, name)
        if value is None or value.numel() == 0:
            continue
        if categories:
            low, high = int(value.min()), int(value.max())
            if low < 0 or high >= categories:
                faults.append(f"{name} holds categories from {low} to {high}: expected 0 to {categories - 1}")
        elif not bool(value.isfinite().all()):
            faults.append(f"{name} holds values that are NaN or infinite: expected finite numbers")
    sizes = graphs.node_slices.diff()  # (M,)
    owner = graphs.edge_slices.diff()
    if graphs.edge_index.numel():
        most = sizes.repeat_interleave(owner)  # (E,) the nodes of every edge's graph
        if int(graphs.edge_index.min()) < 0 or bool((graphs.edge_index >= most).any()):
            faults.append("edge_index names nodes that its graph does not have: every graph numbers its own from 0")
    else:
        faults.append("no graph has an edge: expected at least one")
    return faults


def _wrong_labels(graphs: GraphCollection) -> list[str]:
    low, high = int(graphs.split.min()), int(graphs.split.max())
    if low < 1 or high > len(SPLITS):
        return [f"split goes from {low} to {high}: expected 1 (train), 2 (val) and 3 (test)"]
    empty = [name for name in SPLITS if not graphs.of_split(name).numel()]
    if empty:
        return [f"the split {name!r} is empty" for name in empty]
    y = graphs.y
    if y.dim() == 2:
        known = y[~y.isnan()]
        return [] if bool(((known == 0) | (known == 1)).all()) else ["y holds more than 0, 1 and NaN: expected labels"]
    if int(y.min()) < 0:
        return [f"y goes down to {int(y.min())}: expected labels from 0"]
    if graphs.num_classes < 2:
        return ["y holds 1 class: expected at least two"]
    seen = set(graphs.labels_of(graphs.of_split("train")).tolist())
    absent = [str(label) for label in range(graphs.num_classes) if label not in seen]
    if absent:
        return [f"nothing in the training graphs has the label {', '.join(absent[:8])}: it could not be learned"]
    return []
