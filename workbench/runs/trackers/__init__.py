"""Where the numbers of a run go besides its folder: TensorBoard and MLflow (extra ``tracking``).

``WORKBENCH_TRACKERS`` names trackers for everything that is trained::

    tensorboard
    tensorboard=/logs,mlflow=http://tracking:5000
    tensorboard mlflow=sqlite:////home/me/mlflow.db

Each is a name, or a name, ``=`` and a place, without spaces around it. Commas stand between them; before a name a space
will do. The place of TensorBoard is a folder (default: ``tensorboard`` beside the runs), that of MLflow a tracking URI
or the path of an SQLite file (default: ``MLFLOW_TRACKING_URI``, else ``mlflow.db`` beside the runs).
It is no part of a run: ids and results stay the same, and what cannot be sent is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from workbench.errors import UsageError, check_choice

if TYPE_CHECKING:
    from workbench.runs.trackers.told import Ended, Facts, Point

VARIABLE = "WORKBENCH_TRACKERS"
KNOWN = ("tensorboard", "mlflow")
INSTALL = "pip install gnn-distillation-workbench[tracking]"


class Tracker(Protocol):
    """One run in one tracker: found again by the run's id where it is there already, else made."""

    def curve(self, stage: str, points: Sequence[Point]) -> None:
        """The curve of a stage as it stands, from the first epoch on; what is there already is not doubled."""

    def add(self, stage: str, points: Sequence[Point]) -> None:
        """The next points of a curve."""

    def end(self, ended: Ended) -> None:
        """How the run ended, and what its models scored on the test data."""

    def close(self) -> None:
        """Let go of files; the tracker is not used any more."""


@dataclass(frozen=True)
class Place:
    """A tracker by name and where it keeps its runs; None is its usual place."""

    name: str
    at: str | None = None

    def __str__(self) -> str:
        return self.name if self.at is None else f"{self.name} at {self.at}"


def parse_places(text: str) -> list[Place]:
    """The trackers in the value of ``WORKBENCH_TRACKERS``; raises UsageError for a name that there is not."""
    names = "|".join(KNOWN)
    words = re.split(rf"\s*,\s*|\s+(?=(?:{names})(?:=|,|\s|$))", text.strip())
    places: dict[Place, None] = {}
    for word in filter(None, words):
        name, equals, at = word.partition("=")
        check_choice(f"tracker in {VARIABLE}", name, KNOWN)
        if equals and not at:
            raise UsageError(f"{VARIABLE}: {word!r} has no place after the equals sign: give one, or only {name!r}")
        places[Place(name, at or None)] = None
    return list(places)


def open_tracker(place: Place, facts: Facts, root: Path) -> Tracker:
    """The run of ``facts`` in the tracker at ``place``; ``root`` is the folder of the runs.

    Raises UsageError where the tracker's package is missing, and whatever the package raises.
    """
    try:
        if place.name == "tensorboard":
            from workbench.runs.trackers.tensorboard import TensorBoard

            return TensorBoard(facts, place.at, root)
        from workbench.runs.trackers.mlflow import MLflow

        return MLflow(facts, place.at, root)
    except ImportError as error:
        raise UsageError(f"{place.name} needs a package that is missing ({error.name or error}): {INSTALL}") from None
