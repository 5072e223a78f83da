"""Starting points for one's own runs, as data: they fill the Distil page and change nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A spec with its reason. ``document`` leaves to the defaults what it does not name."""

    title: str
    story: str
    document: Mapping[str, Any]
    seeds: int = 1


PRESETS: Mapping[str, Preset] = {
    "five-minute-demo": Preset(
        "5-minute demo",
        "A synthetic citation graph, no download: a GAT with eight heads teaches a GCN four channels wide.",
        {"dataset": "builtin-citation", "teacher": "gat", "student": "gcn", "method": ["kd"]},
    ),
    "karate": Preset(
        "In ten seconds",
        "Zachary's karate club, 34 people. Small enough to follow every single node.",
        {
            "dataset": "builtin-karate",
            "teacher": "gcn",
            "student": {"name": "gcn", "hidden_channels": 2},
            "method": ["kd"],
            "training": {"epochs": 100},
            "teacher_training": {"epochs": 100},
        },
    ),
    "structure": Preset(
        "Beyond soft labels",
        "Cora, with the student also matching the geometry of the teacher's embedding (KD + G-CRD).",
        {"dataset": "cora", "teacher": "gat", "student": "gcn", "method": ["kd", "gcrd"]},
    ),
    "communities": Preset(
        "A graph that changes",
        "Communities that are born, merge, split and die: DySAT learns the first snapshots, and a student a quarter "
        "as wide follows the rest and predicts which links are new (Distill2Vec).",
        {"dataset": "builtin-communities", "teacher": "dysat", "student": "dysat", "method": ["distill2vec"]},
    ),
    "shapes": Preset(
        "Graphs that the model builds",
        "Point clouds of spheres, cones and helices: DGCNN joins nearest points anew in every layer, and the student "
        "copies the local structure of its teacher (LSP).",
        {"dataset": "builtin-shapes", "teacher": "dgcnn", "student": "dgcnn", "method": ["lsp"]},
    ),
    "seeds": Preset(
        "Is it luck?",
        "The same distillation with five seeds: how much of a difference is chance?",
        {"dataset": "builtin-citation", "teacher": "gat", "student": "gcn", "method": ["kd"]},
        seeds=5,
    ),
}
