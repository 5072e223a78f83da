"""One side of a comparison: the teacher or the student of a run, at its best epoch or at a kept one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from workbench.errors import RunError, UsageError
from workbench.runs.folder import Run

Who = Literal["teacher", "student"]


@dataclass(frozen=True)
class Side:
    """A model of a run on the nodes of one graph, as views compare two of them.

    ``epoch`` is one of :func:`kept_epochs` of the student; None is the best one, by validation, with which it was
    tested. Raises UsageError for a teacher at an epoch: pictures of the student alone are kept.
    """

    run: Run
    who: Who = "student"
    epoch: int | None = None

    def __post_init__(self) -> None:
        if self.who not in get_args(Who):
            raise UsageError(f"a side is a teacher or a student, not {self.who!r}")
        if self.who == "teacher" and self.epoch is not None:
            raise UsageError("only pictures of the student are kept over its epochs: leave the teacher's epoch out")

    def arrays(self, *only: Literal["embedding", "logits"]) -> dict[str, NDArray[Any]]:
        """``embedding`` (N, d), ``logits`` (N, C) and whatever else was stored, or what is named by ``only`` alone.

        Raises RunError where there is none of them, and where they hold no numbers of nodes.
        """
        found = self.run.arrays(self.who if self.epoch is None else f"epoch-{self.epoch:05d}", *only)
        needed = set(only or ("embedding", "logits"))
        if missing := needed - found.keys():
            raise RunError(f"the arrays of run {self.run.id} hold no {min(missing)!r}: run the spec again")
        for name, array in found.items():
            wrong = array.dtype.kind not in "fiu" or (name in needed and (array.ndim != 2 or not array.size))
            if wrong:
                raise RunError(f"the arrays of run {self.run.id} hold no numbers in {name!r}: run the spec again")
        if len({len(found[name]) for name in needed}) > 1:
            raise RunError(f"the arrays of run {self.run.id} are not of the same nodes: run the spec again")
        return found

    @property
    def name(self) -> str:
        """``Teacher``, ``Student`` or ``Student, epoch 20``."""
        return self.who.capitalize() + ("" if self.epoch is None else f", epoch {self.epoch}")


def kept_epochs(run: Run) -> list[int]:
    """Epochs whose picture of the student is stored, in order."""
    found = (re.fullmatch(r"epoch-(\d+)", name) for name in run.array_names())
    return sorted(int(match[1]) for match in found if match)


def sides(left: Run | Side, right: Run | Side | None = None) -> tuple[Side, Side]:
    """Both sides of a view: one run gives its teacher and its student, two runs give their students.

    Raises UsageError where the two are not known to be on the same graph, whose nodes could be compared one by one.
    """
    if right is None:
        pair = (Side(left, "teacher"), Side(left)) if isinstance(left, Run) else (left, Side(left.run))
    else:
        first, second = (side if isinstance(side, Side) else Side(side) for side in (left, right))
        pair = (first, second)
    check_same_graph(pair[0].run, pair[1].run)
    return pair


def check_same_graph(left: Run, right: Run) -> None:
    """Raises UsageError for runs whose graphs have different fingerprints."""
    if left.path != right.path and (fingerprint_of(left) is None or fingerprint_of(left) != fingerprint_of(right)):
        raise UsageError(
            f"runs {left.id} and {right.id} are on different graphs: choose two on the same one, so that every node "
            f"of the one is a node of the other"
        )


def fingerprint_of(run: Run) -> str | None:
    """What the graph of a finished run is known by; None where it was not recorded."""
    dataset = (run.result or {}).get("dataset")
    found = dataset.get("fingerprint") if isinstance(dataset, dict) else None
    return found if isinstance(found, str) else None


def titles(left: Side, right: Side) -> tuple[str, str]:
    """How two sides are called beside each other: by the run too where they are of two, or where they stand."""
    if left.run.path == right.run.path:
        same = left.name == right.name
        return (f"{left.name}, left", f"{right.name}, right") if same else (left.name, right.name)
    ours, theirs = (_facts(side.run) for side in (left, right))
    apart = [key for key in ours if ours[key] != theirs.get(key)]
    first, second = (", ".join(of[key] for key in apart if key in of) for of in (ours, theirs))
    return f"{left.name} ({first or left.run.id[-12:]})", f"{right.name} ({second or right.run.id[-12:]})"


def _facts(run: Run) -> dict[str, str]:
    """What tells runs on one graph apart, in words."""
    try:
        d = run.document
        return {
            "teacher": str(d["teacher"]["name"]),
            "student": str(d["student"]["name"]),
            "method": "+".join(str(part["name"]) for part in d["method"]),
            "seed": f"seed {d.get('seed', 0)}",
        }
    except (RunError, KeyError, TypeError):
        return {"run": run.id}
