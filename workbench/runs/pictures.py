"""The arrays that views draw: the graph, both models' outputs at their best epoch, and UMAP on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.runs.files import half
from workbench.runs.folder import Run
from workbench.runs.layer_arrays import layer_arrays
from workbench.runs.recorder import UMAP_OF

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output

EDGE_LIMIT = 2_000_000


def store_pictures(data: Data, teacher: Output, student: Output, run: Run) -> None:
    """Write ``graph``, ``teacher`` and ``student`` below ``arrays/``."""
    run.store_arrays("graph", **_graph_arrays(data))
    run.store_arrays("teacher", **output_arrays(teacher))
    run.store_arrays("student", **output_arrays(student))


def add_umap(run: Run, say: Callable[[str], None] | None = None) -> None:
    """Compute the UMAP of both stored embeddings (seconds to minutes) and write ``umap`` below ``arrays/``.

    ``say`` hears which of them is being made.
    """
    from workbench.analysis.projection import umap

    seed = run.document.get("seed", 0)
    points = {}
    for number, name in enumerate(("teacher", "student"), start=1):
        if say is not None:
            say(f"{UMAP_OF} {name} ({number} of 2)")
        embedding = run.arrays(name, "embedding")["embedding"].astype(np.float32)
        points[name] = umap(embedding, seed=seed)
    run.store_arrays("umap", **points)


def _graph_arrays(data: Data) -> dict[str, np.ndarray]:
    edges = data.edge_index.cpu()
    split = sum(
        code * data[f"{name}_mask"].cpu().to(torch.int8) for code, name in enumerate(("train", "val", "test"), 1)
    )
    arrays = {
        "y": data.y.cpu().numpy().astype(np.int16),
        "split": split.numpy(),
        "degree": torch.bincount(edges[1], minlength=int(data.num_nodes)).numpy().astype(np.int32),
    }
    if edges.shape[1] <= EDGE_LIMIT:
        arrays["edge_index"] = edges.numpy().astype(np.int32)
    return arrays


def output_arrays(output: Output) -> dict[str, np.ndarray]:
    """An output as arrays: ``embedding`` float16, ``logits`` float32, and every layer as :func:`layer_arrays` says.

    The edges (2, E') of ``attention_k`` are ``attention_edge_index_k``.
    """
    arrays = {
        "embedding": half(_last(output)),
        "logits": output.logits.float().cpu().numpy(),
        **layer_arrays(output),
    }
    for layer, attention in enumerate(output.attention or []):
        if f"attention_{layer}" in arrays:
            arrays[f"attention_edge_index_{layer}"] = attention.edge_index.cpu().numpy().astype(np.int32)
    return arrays


def _last(output: Output) -> np.ndarray:
    """The features that the views draw: the last hidden layer, or the logits of a model without one."""
    features = output.hidden[-1] if output.hidden else output.logits
    return features.float().cpu().numpy()
