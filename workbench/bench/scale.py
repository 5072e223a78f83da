"""Memory and time of an epoch while a graph grows: the whole graph in a step, beside mini-batches of neighbourhoods.

A process of its own makes each graph and takes one epoch on it, without evaluation. The features are float16 in a file
that is mapped into memory, the edges (int64) are in memory in both cases, and neither counts: what is measured is by
how much the process grows from there. A sampled epoch has a fixed number of mini-batches, so that its time can be
told apart from the size of the graph; the time of a whole one is this times the number of mini-batches there are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from workbench.bench.measure import Step, peak_bytes
from workbench.errors import RunError

Way = Literal["whole", "sampled"]
WAYS: tuple[Way, ...] = ("whole", "sampled")
EDGES = (100_000, 1_000_000, 10_000_000)
DEGREE = 10  # in-edges of every node
BLOCK = 100_000  # rows that are made at a time
CLASSES = 16


@dataclass(frozen=True)
class Case:
    """A graph with ``edges`` / 10 nodes; a GCN of two layers; mini-batches of ``batch_size`` nodes."""

    edges: int
    features: int = 64
    hidden: int = 64
    batch_size: int = 1024
    num_neighbors: str = "10,10"
    batches: int = 8

    @property
    def nodes(self) -> int:
        return max(self.edges // DEGREE, 2)


@dataclass(frozen=True)
class Inputs:
    """A graph every node of which has :data:`DEGREE` random in-neighbours, with random features and labels."""

    graph: Any
    edges: Any  # by destination


def write_features(path: Path, case: Case) -> None:
    """Random features (N, F) as float16, written in blocks."""
    file = np.lib.format.open_memmap(path, "w+", np.float16, (case.nodes, case.features))
    numbers = np.random.default_rng(0)
    for start in range(0, case.nodes, BLOCK):
        rows = min(BLOCK, case.nodes - start)
        file[start : start + rows] = numbers.standard_normal((rows, case.features), dtype=np.float32)
    file.flush()


def random_edges(case: Case) -> Tensor:
    """edge_index (2, E), in the order of destinations."""
    generator = torch.Generator().manual_seed(0)
    source = torch.randint(case.nodes, (case.nodes * DEGREE,), generator=generator)
    return torch.stack([source, torch.arange(case.nodes).repeat_interleave(DEGREE)])


def make(way: Way, case: Case, path: str) -> tuple[Inputs, Any]:
    """The graph, and what prepares one epoch on it."""
    from torch_geometric.data import Data

    from workbench.registry import models
    from workbench.training.neighbour_sampling import InEdges

    models["gcn"](hidden_channels=2).build(2, 2)  # what is imported does not count
    generator = torch.Generator().manual_seed(1)
    x = torch.from_numpy(np.load(path, mmap_mode="r+"))
    graph = Data(x=x, edge_index=random_edges(case), y=torch.randint(CLASSES, (case.nodes,), generator=generator))
    graph.train_mask = torch.rand(case.nodes, generator=generator) < 0.5
    graph.val_mask = ~graph.train_mask
    edges = InEdges.of(graph.edge_index, case.nodes) if way == "sampled" else None
    return Inputs(graph, edges), lambda inputs: epoch_of(way, case, inputs)


def epoch_of(way: Way, case: Case, inputs: Inputs) -> Step:
    """One epoch of training a GCN on the labels; of mini-batches, ``case.batches`` of them. Gives its loss."""
    from workbench.registry import models
    from workbench.settings import Training
    from workbench.tasks import NodeClassification, with_split_nodes
    from workbench.training.distiller import Distiller
    from workbench.training.sampled import Compared, SampledStep
    from workbench.training.step import Step as WholeStep

    torch.manual_seed(0)
    model = models["gcn"](hidden_channels=case.hidden).build(case.features, CLASSES)
    distiller = Distiller(model, None, NodeClassification())
    if way == "whole":
        graph = with_split_nodes(inputs.graph)
        graph.x = graph.x.float()
        whole = WholeStep(distiller, graph, None, Training())
        return lambda: float(whole._train(False)[1][0, 0])
    training = Training(num_neighbors=case.num_neighbors, batch_size=case.batch_size)
    sampled = SampledStep(distiller, inputs.graph, inputs.edges, None, training, Compared())

    def epoch() -> float:
        losses = [sampled._train(part, False)[1][0, 0] for part in sampled.parts()[: case.batches]]
        return float(torch.stack(losses).mean())

    return epoch


def measured(way: Way, case: Case, path: str) -> dict[str, Any]:
    """Peak bytes in a process of its own; seconds of a second epoch here, and of all its mini-batches."""
    found: dict[str, Any] = {"peak_bytes": None, "seconds": None, "mini_batches": None}
    try:
        found["peak_bytes"] = peak_bytes(make, way, case, path)
    except RunError as error:
        return found | {"error": str(error)}
    inputs, prepare = make(way, case, path)
    step = prepare(inputs)
    step()
    started = time.perf_counter()
    step()
    seconds = time.perf_counter() - started
    if way == "whole":
        return found | {"seconds": seconds}
    parts = -(-int(inputs.graph.train_mask.sum()) // case.batch_size)
    taken = min(parts, case.batches)
    return found | {"seconds": seconds * parts / taken, "mini_batches": parts, "timed_mini_batches": taken}


def bench(edges: Iterable[int] = EDGES, ways: Iterable[Way] = WAYS) -> dict[str, Any]:
    """Every way on graphs of so many edges, from small to large."""
    results = []
    for count in edges:
        case = Case(count)
        with TemporaryDirectory(prefix="workbench-") as folder:
            path = str(Path(folder) / "x.npy")
            write_features(Path(path), case)
            found: dict[str, Any] = {way: measured(way, case, path) for way in ways}
        results.append({**asdict(case), "nodes": case.nodes, **found})
    return {"benchmark": "scale", "threads": torch.get_num_threads(), "results": results}
