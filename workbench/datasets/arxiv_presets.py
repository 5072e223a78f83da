"""The students of G-CRD's benchmark (Joshi et al., TNNLS 2022, Table I) on ogbn-arxiv, as parts of a spec by name.

Two layers of 256 with batch normalisation and 500 epochs on the whole graph, but for SIGN, which has networks of 512
on five hops. With 128 features and 40 classes they have 43,816 (GCN), 86,824 (GraphSAGE) and 3,566,128 (SIGN)
parameters.

Known differences: the paper's GAT also takes the labels of training nodes as inputs, attends without the
destination and normalises like a GCN (1,441,580 parameters); the one here does not. SIGN is trained in mini-batches of
50,000 nodes there and on the whole graph here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEACHER: Mapping[str, Any] = {
    "teacher": {"name": "gat", "hidden_channels": 250, "num_layers": 3, "heads": 3, "dropout": 0.5, "skip": True},
    "teacher_training": {"optimizer": "rmsprop", "learning_rate": 0.002, "weight_decay": 0, "epochs": 2000},
}
_TWO_LAYERS: Mapping[str, Any] = {"hidden_channels": 256, "num_layers": 2, "dropout": 0.5, "batch_norm": True}
_TRAINING: Mapping[str, Any] = {"optimizer": "adam", "weight_decay": 0, "patience": 0}

ARXIV: Mapping[str, Mapping[str, Any]] = {
    "gcrd-arxiv-gcn": {
        **_TEACHER,
        "student": {"name": "gcn", **_TWO_LAYERS},
        "training": {**_TRAINING, "learning_rate": 0.01, "epochs": 500},
    },
    "gcrd-arxiv-sage": {
        **_TEACHER,
        "student": {"name": "sage", **_TWO_LAYERS},
        "training": {**_TRAINING, "learning_rate": 0.01, "epochs": 500},
    },
    "gcrd-arxiv-sign": {
        **_TEACHER,
        "student": {
            "name": "sign",
            "hidden_channels": 512,
            "num_layers": 2,
            "hops": 5,
            "dropout": 0.5,
            "input_dropout": 0.1,
        },
        "training": {**_TRAINING, "learning_rate": 0.001, "epochs": 1000},
    },
}
