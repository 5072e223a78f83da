"""``robustness.json`` of a run: the test accuracy of its models on disturbed graphs. Reading it needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import RunError
from workbench.runs.files import read_json, write_json
from workbench.runs.folder import Run
from workbench.runs.robustness_plan import KINDS, Kind
from workbench.runs.stored_values import finite

Role = Literal["teacher", "alone", "student"]  # alone: the student without a teacher, of another run
Scores = NDArray[np.float64]

FILE = "robustness.json"
FORMAT = 1


@dataclass(frozen=True)
class Judged:
    """A model: whose ``run`` has its weights, their SHA-256, and by kind test accuracies (seeds, levels) in 0..1."""

    run: str
    weights: str
    accuracy: Mapping[Kind, Scores]


@dataclass(frozen=True)
class Robustness:
    """What ``robustness.json`` holds: of all models on ``nodes`` test nodes of the same graphs, of seeds 0, 1, …"""

    fingerprint: str
    nodes: int
    levels: tuple[float, ...]
    seeds: int
    models: Mapping[Role, Judged]
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that were measured, of every model."""
        return tuple(self.models["student"].accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold."""
        models = {
            role: {
                "run": of.run,
                "weights": of.weights,
                "accuracy": {kind: scores.tolist() for kind, scores in of.accuracy.items()},
            }
            for role, of in self.models.items()
        }
        facts = {"metric": "accuracy", "split": "test", "nodes": self.nodes, "fingerprint": self.fingerprint}
        levels = {"levels": list(self.levels), "seeds": self.seeds}
        return {"format": FORMAT, **facts, **levels, "models": models, "device": self.device, "versions": self.versions}


def has_robustness(run: Run) -> bool:
    """Whether there is a ``robustness.json``, whatever it holds."""
    return (run.path / FILE).is_file()


def read_robustness(run: Run) -> Robustness | None:
    """What the run has stored, None where it has not been measured. Raises RunError for a damaged file."""
    path = run.path / FILE
    if not path.is_file():
        return None
    document = read_json(path) if path.resolve().is_relative_to(run.path.resolve()) else None
    try:
        return _parsed(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise RunError(
            f"the {FILE} of run {run.id} is damaged: `workbench robustness {run.id} --fresh` makes it anew"
        ) from None


def write_robustness(run: Run, found: Robustness) -> None:
    """Write ``robustness.json`` in one step; RunError where the folder is gone or cannot be written."""
    try:
        write_json(run.path / FILE, found.to_dict())
    except OSError as error:
        raise RunError(f"cannot write {FILE} below {run.path}: {error.strerror or error}") from None


def _parsed(document: Any) -> Robustness:
    """Raises ValueError, or what Python raises, for anything that :meth:`Robustness.to_dict` does not make."""
    if document["format"] != FORMAT or (document["metric"], document["split"]) != ("accuracy", "test"):
        raise ValueError("another format")
    levels, seeds = _numbers(document["levels"]), document["seeds"]
    if levels[0] != 0 or any(b <= a for a, b in pairwise(levels)):
        raise ValueError("levels that do not rise from 0")
    if type(seeds) is not int or seeds < 1:
        raise ValueError("no seeds")
    models = {role: _judged(document["models"][role], levels, seeds) for role in _roles(document["models"])}
    if len({tuple(of.accuracy) for of in models.values()}) != 1:
        raise ValueError("models that were not measured alike")
    nodes, fingerprint = document["nodes"], document["fingerprint"]
    if type(nodes) is not int or nodes < 1 or not isinstance(fingerprint, str):
        raise ValueError("no test nodes")
    versions = {str(name): str(of) for name, of in document["versions"].items()}
    return Robustness(fingerprint, nodes, levels, seeds, models, str(document["device"]), versions)


def _roles(models: Mapping[str, Any]) -> list[Role]:
    roles: list[Role] = [role for role in get_args(Role) if role in models]
    if not {"teacher", "student"} <= set(roles):
        raise ValueError("a model is missing")
    return roles


def _judged(document: Any, levels: Sequence[float], seeds: int) -> Judged:
    if not isinstance(document["run"], str) or not isinstance(document["weights"], str):
        raise ValueError("no weights")
    accuracy: dict[Kind, Scores] = {}
    for kind in KINDS:
        if kind not in document["accuracy"]:
            continue
        scores = np.array([_numbers(row) for row in document["accuracy"][kind]])
        if scores.shape != (seeds, len(levels)) or scores.min() < 0 or scores.max() > 1:
            raise ValueError("no accuracies")
        accuracy[kind] = scores
    if not accuracy:
        raise ValueError("nothing measured")
    return Judged(document["run"], document["weights"], accuracy)


def _numbers(values: Any) -> tuple[float, ...]:
    found = [finite(value) for value in values]
    if not found or not all(value is not None for value in found):
        raise ValueError("not numbers")
    return tuple(value for value in found if value is not None)
