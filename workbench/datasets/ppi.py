"""Protein interactions in 24 tissues (Zitnik and Leskovec 2017; Hamilton et al. 2017), with re-derived labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from workbench.datasets.base import Card, Holds, Progress
from workbench.datasets.enzymes import standardised
from workbench.datasets.given_files import GivenFilesConfig, read_npz
from workbench.errors import UsageError
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.graph_collection import GraphCollection

KEYS = ("edge_index", "feat", "label", "graph_id", "split")


@datasets.register
class PPIConfig(GivenFilesConfig):
    """Proteins of 24 tissues and their interactions: which functions has a protein, in tissues never seen?"""

    title: ClassVar[str] = "PPI, re-derived labels"
    card: ClassVar[Card] = Card(
        title="PPI, re-derived labels",
        task="node classification",
        summary=(
            "24 tissues, of which 20 train, 2 validate and 2 test, with 121 labels for every protein that hold or not; "
            "judged by micro-F1. Graphs, features and split are the published ones, the labels are not: they were "
            "derived again from the Gene Ontology, so scores are not comparable with published ones to the second "
            "digit. Loops are left out. Read from a file below the data root, never downloaded."
        ),
        citation=(
            "Zitnik and Leskovec, Predicting multicellular function through multi-layer tissue networks, "
            "Bioinformatics 2017; Hamilton, Ying and Leskovec, Inductive Representation Learning on Large Graphs, "
            "NeurIPS 2017."
        ),
        licence="none stated for the edges; MSigDB and Gene Ontology CC BY 4.0",
        url="https://snap.stanford.edu/graphsage",
        metric="micro_f1",
        published={"graphs": 24, "nodes": 56944, "features": 50, "classes": 121},
        measured={
            "graphs": 24,
            "nodes": 56944,
            "edges": 1587264,
            "features": 50,
            "classes": 121,
            "train": 20,
            "val": 2,
            "test": 2,
        },
    )
    holds: ClassVar[Holds | None] = "graphs"
    files: ClassVar[tuple[str, ...]] = ("PPI/ppi.npz",)
    # Teacher and student of the LSP and G-CRD papers, with their training; soft labels as the latter has them.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "usual": {
            "teacher": {
                "name": "gat",
                "hidden_channels": 256,
                "num_layers": 3,
                "heads": 4,
                "out_heads": 6,
                "dropout": 0.0,
                "skip": True,
            },
            "student": {
                "name": "gat",
                "hidden_channels": 68,
                "num_layers": 5,
                "heads": 2,
                "out_heads": 2,
                "dropout": 0.0,
                "skip": True,
            },
            "method": {"name": "kd", "alpha": 0.5, "temperature": 1.0},
            "teacher_training": {"learning_rate": 0.005, "weight_decay": 0.0, "epochs": 500, "batch_size": 1},
            "training": {"learning_rate": 0.005, "weight_decay": 0.0, "epochs": 500, "batch_size": 1},
        },
        "quick": {
            "teacher": {"name": "sage", "hidden_channels": 256, "num_layers": 3, "dropout": 0.0},
            "student": {"name": "sage", "hidden_channels": 32, "num_layers": 2, "dropout": 0.0},
            "teacher_training": {"learning_rate": 0.005, "epochs": 10},
            "training": {"learning_rate": 0.005, "epochs": 10},
        },
    }

    name: Literal["ppi"] = "ppi"
    standardise: bool = Option(
        True,
        help="Subtract the mean of the training nodes from every feature, and divide by their deviation, as the "
        "published files have it.",
    )

    def load(self, root: Path, progress: Progress | None = None) -> GraphCollection:
        from workbench.datasets.graph_collection import GraphCollection

        self.require(root)
        path = root / self.files[0]
        raw = read_npz(path, KEYS)
        count = len(raw["graph_id"])
        if not len(raw["feat"]) == len(raw["label"]) == len(raw["split"]) == count:
            raise UsageError(f"{path} has other numbers of rows in feat, label, graph_id and split: expected {count:,}")
        names, graph = np.unique(raw["graph_id"], return_inverse=True)
        order = np.argsort(graph, kind="stable")  # nodes, graph after graph
        place = np.empty_like(order)
        place[order] = np.arange(count)
        pairs = place[raw["edge_index"]]
        pairs = pairs[:, pairs[0] != pairs[1]]  # (2, undirected edges)
        graph, split = graph[order], raw["split"][order].astype(np.int8) + 1
        if (graph[pairs[0]] != graph[pairs[1]]).any():
            raise UsageError(f"{path} joins nodes of different graphs: expected edges within every graph")
        x = raw["feat"][order].astype(np.float32)
        if self.standardise:
            x = standardised(x, split == 1)
        first = np.searchsorted(graph, np.arange(len(names)))
        return GraphCollection.of_arrays(
            x,
            np.concatenate([pairs, pairs[::-1]], axis=1),
            graph,
            raw["label"][order].astype(np.float32),
            split[first],
            level="node",
        )
