"""A side of a comparison as something that a fragment and a cache can hold."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from workbench.runs.folder import ARRAYS, Run
from workbench.runs.side import Side, Who

SECONDS = 600  # for which a cached result is kept
Place = tuple[str, Who, int | None]  # path of the run, model, epoch
Key = tuple[str, Who, int | None, int]  # a place and the state of its files


def place_of(side: Side) -> Place:
    """Where a side is, for a fragment."""
    return str(side.run.path), side.who, side.epoch


def key_of(side: Side) -> Key:
    """Where a side is and in which state, for a cache."""
    return (*place_of(side), stamp(side.run))


def side_of(of: Place | Key) -> Side:
    """The side of a place or a key."""
    return Side(Run(Path(of[0])), of[1], of[2])


def stamp(run: Run) -> int:
    """Changes whenever an array file of the run does, comes or goes; a cached picture must not outlive its run."""
    try:
        files = [(file.name, file.stat()) for file in sorted((run.path / ARRAYS).glob("*.npz"))]
    except OSError:
        return 0
    facts = repr([(name, state.st_mtime_ns, state.st_size) for name, state in files])
    return int.from_bytes(blake2b(facts.encode(), digest_size=8).digest(), "big")
