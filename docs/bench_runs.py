"""Made-up run folders of large graphs, as wide as those of real ones, for the benchmark of the app."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from browser import ROOT
from numpy.typing import NDArray

from workbench.runs.folder import Run

sys.path.append(str(ROOT / "tests" / "folders"))
from run_folders import result, write_run

TEACHER, STUDENT, CLASSES = 256, 64, 40  # channels of every hidden layer; numbers as in ogbn-arxiv
LINKS = 7  # edges per node
SHARED = 32  # directions in which the nodes differ, the same ones for both models


def write_large_run(root: Path, nodes: int) -> Run:
    """A finished run on the nodes of one graph: two hidden layers of both models, logits, edges, two kept epochs."""
    rng = np.random.default_rng(nodes)
    run = Run(write_run(root, f"nodes-{nodes}-0123456789ab", seed=nodes))  # small, and now made large
    (run.path / "result.json").write_text(json.dumps(result(nodes)))
    y = rng.integers(0, CLASSES, nodes)
    edge_index = rng.integers(0, nodes, (2, LINKS * nodes)).astype(np.int32)
    degree = np.bincount(edge_index[1], minlength=nodes)
    run.store_arrays("graph", y=y, split=1 + np.arange(nodes) % 3, degree=degree, edge_index=edge_index)
    seen = rng.normal(size=(CLASSES, SHARED))[y] + rng.normal(size=(nodes, SHARED))

    def layer(width: int) -> NDArray[np.float32]:
        noise = rng.standard_normal((nodes, width), dtype=np.float32)
        return (seen @ rng.normal(size=(SHARED, width)) / 5 + 0.3 * noise).astype(np.float32)

    for who, width in (("teacher", TEACHER), ("student", STUDENT)):
        hidden = {name: np.maximum(layer(width), 0).astype(np.float16) for name in ("hidden_0", "embedding")}
        run.store_arrays(who, **hidden, logits=layer(CLASSES), num_hidden=np.array(2))
    for epoch in (20, 40):
        kept = {"embedding": np.maximum(layer(STUDENT), 0), "logits": layer(CLASSES)}
        halves = {name: array.astype(np.float16) for name, array in kept.items()}
        run.store_arrays(f"epoch-{epoch:05d}", **halves, num_hidden=np.array(1))
    return run
