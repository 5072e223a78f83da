"""Sizes and training of teacher and student on snapshots, for what a person leaves out.

The sizes of the medium ones are those of Distill2Vec on Yelp, those of ML-10M are its own (Antaris and Rafailidis,
ASONAM 2020). Decided here: everything of the small ones, and epochs, learning rate and mini-batches of both; the
paper's 200 epochs at 1e-3 with 512 nodes a mini-batch are what DySAT takes where no preset says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Presets = Mapping[str, Mapping[str, Any]]

SMALL: Presets = {  # some hundred nodes
    "usual": {
        "teacher": {"name": "dysat", "hidden_channels": 64, "heads": 8, "window": 4},
        "student": {"name": "dysat", "hidden_channels": 16, "heads": 2, "window": 2},
        "teacher_training": {"epochs": 100, "learning_rate": 0.01, "batch_size": 128},
        "training": {"epochs": 50, "learning_rate": 0.01, "batch_size": 128},
    }
}
MEDIUM: Presets = {  # some thousand
    "usual": {
        "teacher": {"name": "dysat", "hidden_channels": 256, "heads": 16, "window": 5},
        "student": {"name": "dysat", "hidden_channels": 64, "heads": 2, "window": 2},
        "teacher_training": {"epochs": 50, "learning_rate": 0.005, "batch_size": 512},
        "training": {"epochs": 30, "learning_rate": 0.005, "batch_size": 512},
    }
}
ML_10M: Presets = {
    "quick": {
        "teacher_training": {"epochs": 10, "learning_rate": 0.003, "batch_size": 2048},
        "training": {"epochs": 30},
    }
}
