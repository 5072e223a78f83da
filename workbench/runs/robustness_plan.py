"""What is measured of a run's robustness: which disturbances, at which levels, with how many seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import UsageError, check_choice

Kind = Literal["remove_edges", "add_edges", "noisy_features"]
KINDS: Mapping[Kind, str] = {  # what a level is of
    "remove_edges": "share of the edges removed",
    "add_edges": "edges added, as a share of those there are",
    "noisy_features": "noise, in standard deviations of each feature",
}
LEVELS = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
SEEDS = 5
MOST_SEEDS, MOST_LEVELS = 100, 50


@dataclass(frozen=True)
class Plan:
    """What is measured: ``kinds`` of disturbance, each at every level, with ``seeds`` seeds 0, 1, …

    Levels are put in order, and 0 is put among them: the test accuracy of the result must come out there. Raises
    UsageError for unknown kinds, none, levels that a kind does not have, and too many of either.
    """

    kinds: tuple[Kind, ...] = tuple(KINDS)
    levels: tuple[float, ...] = LEVELS
    seeds: int = SEEDS

    def __post_init__(self) -> None:
        for kind in self.kinds:
            check_choice("kind of disturbance", kind, get_args(Kind))
        if not self.kinds:
            raise UsageError(f"no kind of disturbance is given: choose from {', '.join(KINDS)}")
        highest = 1.0 if "remove_edges" in self.kinds else math.inf
        if wrong := [level for level in self.levels if not (math.isfinite(level) and 0 <= level <= highest)]:
            most = " and, of edges that are removed, at most 1" if highest == 1 else ""
            raise UsageError(f"levels are numbers from 0 on{most} (got {wrong[0]:g}): 0,0.1,0.2,0.5 for example")
        levels = tuple(sorted({0.0, *map(float, self.levels)}))
        if not 2 <= len(levels) <= MOST_LEVELS:
            raise UsageError(f"give one level above 0 at least, and {MOST_LEVELS - 1} at most (got {len(levels) - 1})")
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise UsageError(f"give between 1 and {MOST_SEEDS} seeds (got {self.seeds})")
        object.__setattr__(self, "kinds", tuple(kind for kind in KINDS if kind in self.kinds))
        object.__setattr__(self, "levels", levels)
