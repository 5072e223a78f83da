"""ogbn-mag (Hu et al., NeurIPS 2020) from OGB's own text files, with its split by time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from workbench.datasets.arrays import Array
from workbench.datasets.base import Card, Holds, Progress
from workbench.datasets.given_files import GivenFilesConfig, read_table
from workbench.errors import UsageError
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.hetero.graph import HeteroGraph

FOLDER = "OGB/ogbn_mag"
RAW, SPLIT = f"{FOLDER}/raw", f"{FOLDER}/split/time/paper"
TYPES = ("author", "field_of_study", "institution", "paper")
RELATIONS = (
    ("author", "affiliated_with", "institution"),
    ("author", "writes", "paper"),
    ("paper", "cites", "paper"),
    ("paper", "has_topic", "field_of_study"),
)
WIDTH = 128
SPLIT_FILES = {"train": "train", "val": "valid", "test": "test"}
_EPOCHS: Mapping[str, Any] = {"learning_rate": 0.005, "weight_decay": 0, "epochs": 30, "patience": 0}


@datasets.register
class MAGConfig(GivenFilesConfig):
    """Papers by the venue where they appeared, with their authors, institutions and topics."""

    title: ClassVar[str] = "ogbn-mag"
    card: ClassVar[Card] = Card(
        title="ogbn-mag",
        task="node classification",
        summary=(
            "736,389 papers of 349 venues from the Microsoft Academic Graph, with their authors, these' institutions "
            "and fields of study, none of which has features. Trained on papers until 2017, tested on those since "
            "2019. Two papers are neighbours when one cites the other. Read from OGB's files below the data root, "
            "never downloaded. One epoch is one step on the whole graph here, which takes a large memory."
        ),
        citation=(
            "Hu, Fey, Zitnik, Dong, Ren, Liu, Catasta and Leskovec, Open Graph Benchmark: Datasets for Machine "
            "Learning on Graphs, NeurIPS 2020; graph: Wang et al., Microsoft Academic Graph, 2020."
        ),
        licence="ODC-BY",
        url="https://ogb.stanford.edu/docs/nodeprop/#ogbn-mag",
        published={"nodes": 1939743, "features": 128, "classes": 349},
    )
    holds: ClassVar[Holds | None] = "hetero"
    files: ClassVar[tuple[str, ...]] = (
        f"{RAW}/num-node-dict.csv.gz",
        f"{RAW}/node-feat/paper/node-feat.csv.gz",
        f"{RAW}/node-label/paper/node-label.csv.gz",
        *(f"{RAW}/relations/{'___'.join(relation)}/edge.csv.gz" for relation in RELATIONS),
        *(f"{SPLIT}/{name}.csv.gz" for name in SPLIT_FILES.values()),
    )
    # R-GCN to R-GCN of the G-CRD paper's Table I: 5,575,540 and 169,428 parameters without the embeddings of nodes,
    # 49.48 ± 0.35 and 46.22 ± 0.31 (KD 46.65, G-CRD 46.42, KD+G-CRD 46.78). Known difference: 30 epochs of 30 steps on
    # subgraphs of GraphSAINT's random walks there, steps on the whole graph here.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "gcrd-mag-rgcn": {
            "teacher": {"name": "rgcn", "hidden_channels": 512, "num_layers": 3, "dropout": 0.5},
            "student": {"name": "rgcn", "hidden_channels": 32, "num_layers": 2, "dropout": 0.5},
            "teacher_training": {**_EPOCHS, "epochs": 900},
            "training": {**_EPOCHS, "epochs": 900},
        },
    }

    name: Literal["mag"] = "mag"

    def load(self, root: Path, progress: Progress | None = None) -> HeteroGraph:
        from workbench.datasets.hetero.arrays import hetero_graph

        self.require(root)
        counts = _counts(root / RAW / "num-node-dict.csv.gz")
        x = read_table(root / RAW / "node-feat/paper/node-feat.csv.gz", WIDTH, np.float32)
        labels = read_table(root / RAW / "node-label/paper/node-label.csv.gz", 1)[:, 0]
        if len(x) != counts["paper"] or len(labels) != counts["paper"]:
            raise UsageError(f"the files in {root / RAW} do not fit together: they count other papers")
        relations = {
            relation: read_table(root / RAW / "relations" / "___".join(relation) / "edge.csv.gz", 2).T
            for relation in RELATIONS
        }
        split = {name: read_table(root / SPLIT / f"{file}.csv.gz", 1)[:, 0] for name, file in SPLIT_FILES.items()}
        for (source, _, destination), edges in relations.items():
            ends = ((edges[0], counts[source]), (edges[1], counts[destination]))
            if any(end.size and (end.min() < 0 or end.max() >= count) for end, count in ends):
                raise UsageError(f"the files in {root / RAW} do not fit together: an edge names no node")
        return hetero_graph("paper", counts, {"paper": x}, relations, labels, split, str(root / FOLDER))


def _counts(path: Path) -> dict[str, int]:
    """Number of nodes of every type: a line of names and a line of numbers."""
    try:
        table: Array = np.loadtxt(path, delimiter=",", dtype=str, ndmin=2)
        found = {str(name): int(count) for name, count in zip(*table, strict=True)}
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): expected names of types and their numbers") from None
    if set(found) != set(TYPES):
        raise UsageError(f"{path} counts {', '.join(found)}: expected {', '.join(TYPES)}")
    return found
