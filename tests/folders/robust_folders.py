"""What runs on disturbed graphs have stored, written without a model."""

import json
from pathlib import Path

import numpy as np

LEVELS = (0.0, 0.5, 1.0)
KINDS = ("remove_edges", "add_edges", "noisy_features")


def write_robustness_file(folder: Path, accuracy: dict[str, float], *, seeds=2, levels=LEVELS, **changes) -> None:
    """``robustness.json`` of a run whose models have these accuracies at level 0, and lose half of it at 1.

    The second seed of the disturbance is 0.02 above the first one wherever the level is not 0.
    """
    weights = {"teacher": "t", "alone": f"a-{folder.name}", "student": f"s-{folder.name}"}
    models = {
        role: {
            "run": folder.name,
            "weights": weights[role],
            "accuracy": dict.fromkeys(KINDS, scores(at, seeds, levels)),
        }
        for role, at in accuracy.items()
    }
    facts = {"format": 1, "metric": "accuracy", "split": "test", "nodes": 10, "fingerprint": "the-graph"}
    plan = {"levels": list(levels), "seeds": seeds, "device": "cpu", "versions": {"torch": "2"}}
    (folder / "robustness.json").write_text(json.dumps({**facts, **plan, "models": models, **changes}))


def scores(at: float, seeds: int, levels) -> list[list[float]]:
    fall = at * (1 - np.asarray(levels) / 2)
    return [(fall + 0.02 * seed * (np.asarray(levels) > 0)).tolist() for seed in range(seeds)]
