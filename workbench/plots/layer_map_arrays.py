"""A number for every pair of layers of two models: CKA, or what ABKD learned, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.layer_pairs import cka_map
from workbench.errors import RunError, UsageError, check_choice
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.layer_arrays import layers
from workbench.runs.side import Side, kept_epochs, titles

Kind = Literal["cka", "attention", "dissimilarity"]
STOPS = 60  # of a film over epochs


@dataclass(frozen=True)
class LayerMap:
    """A map of all layer pairs, left model × right model, from input to output.

    ``values`` (T_l, S_l), NaN where a number was not finite; ``rows`` and ``columns`` are the layers' names, and
    ``models`` what the two models are called. ``top`` is the end of the colours, ``epoch`` that of a learned map.
    ``back`` is how many layers of a model come after that of the last row and of the last column, ``left_out`` says
    in words why layers are missing.
    """

    kind: Kind
    values: NDArray[np.float64]
    rows: list[str]
    columns: list[str]
    models: tuple[str, str]
    top: float = 1.0
    epoch: int | None = None
    back: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Row and column of every pair, both from 1."""
        rows, columns = self.values.shape
        return [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]

    def said(self, pair: tuple[int, int]) -> str:
        """``teacher layer 2 × student layer 1``."""
        left, right = (name[:1].lower() + name[1:] for name in self.models)
        return f"{left} {self.rows[pair[0] - 1]} × {right} {self.columns[pair[1] - 1]}"


@dataclass(frozen=True)
class Recorded:
    """ABKD's maps of one kind over training: ``epochs`` (e,) and ``values`` (e, T_l, S_l)."""

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]


def layer_map(left: Side, right: Side, kind: Kind = "cka", epoch: int | None = None) -> LayerMap:
    """The map of two models; of ABKD's maps that of ``epoch``, by default the student's best one.

    Raises UsageError for a wrong choice, RunError where a run has no such map.
    """
    check_choice("map", kind, get_args(Kind))
    if kind == "cka":
        return cka_of(left, at_epoch(right, epoch))
    return learned_map(left, right, kind, recorded(left, right, kind), epoch)


def at_epoch(side: Side, epoch: int | None) -> Side:
    """A side at a kept epoch; as it is for None."""
    return side if epoch is None else Side(side.run, side.who, epoch)


def cka_of(left: Side, right: Side) -> LayerMap:
    """Linear CKA of all stored layers of both models."""
    ours, theirs = layers(left), layers(right)
    if len(ours.features[0]) != len(theirs.features[0]):
        raise RunError(f"runs {left.run.id} and {right.run.id} are not of the same nodes: choose two that are")
    values = cka_map(ours.features, theirs.features)
    sides = ((left, ours.left_out), (right, theirs.left_out))
    why = dict.fromkeys(f"The {side.who} of run {side.run.id} {reason}." for side, reason in sides if reason)
    return LayerMap("cka", values, ours.names, theirs.names, _called(left, right), left_out=tuple(why))


def learned_map(left: Side, right: Side, kind: Kind, found: Recorded, epoch: int | None = None) -> LayerMap:
    """One of the maps that were ``found``, with the names of the layers that took part."""
    epoch = best_epoch(right.run, found) if epoch is None else epoch
    place = np.flatnonzero(found.epochs == epoch)
    if not len(place):
        span = f"{found.epochs[0]} to {found.epochs[-1]}"
        raise UsageError(f"run {right.run.id} has no map of epoch {epoch}: it has some of {span}")
    values = found.values[place[0]]
    # A distance has no upper end; one for all epochs lets them be compared.
    top = 1.0 if kind == "attention" else float(np.nanmax(found.values, initial=0.0)) or 1.0
    rows, columns, back = _names(right.run, *values.shape)
    models = _called(left, Side(right.run, right.who))  # whose epoch, if it has one, is another
    return LayerMap(kind, values, rows, columns, models, top, epoch, back)


def has_learned_maps(left: Side, right: Side) -> bool:
    """Whether these are the teacher and the student of one run whose method pairs their layers."""
    if left.run.path != right.run.path or (left.who, right.who) != ("teacher", "student"):
        return False
    try:
        return any(part.get("name") == "abkd" for part in right.run.document["method"])
    except (RunError, KeyError, TypeError, AttributeError):
        return False


def recorded(left: Side, right: Side, kind: Kind) -> Recorded:
    """Every map of a kind that a run has: of all epochs, or of the kept ones where it is too large to be logged.

    Raises UsageError for two models that ABKD did not pair, RunError where nothing was recorded.
    """
    if not has_learned_maps(left, right):
        raise UsageError(
            f"only the teacher and the student of one run with ABKD have a map of {kind}: choose these two, or "
            "kind='cka'"
        )
    run = right.run
    rows = [(record.get("epoch"), record.get("pictures")) for record in run.metrics("student")]
    found = [(epoch, _matrix(of.get(f"abkd-{kind}"))) for epoch, of in rows if isinstance(of, dict)]
    if all(values is None for _, values in found):
        found = [
            (epoch, _matrix(run.arrays(f"epoch-{epoch:05d}", f"abkd-{kind}").get(f"abkd-{kind}")))
            for epoch in kept_epochs(run)
        ]
    shape = next((values.shape for _, values in found if values is not None), None)
    kept: dict[int, NDArray[np.float64]] = {}
    for epoch, values in found:
        if isinstance(epoch, int) and values is not None and values.shape == shape:
            kept[epoch] = values
    if not kept:
        raise RunError(f"run {run.id} has recorded no map of {kind}: run the spec again")
    epochs = sorted(kept)
    return Recorded(np.array(epochs), np.stack([kept[epoch] for epoch in epochs]))


def best_epoch(run: Run, found: Recorded) -> int:
    """The recorded epoch with the student's best weights, or the last one where that is not known."""
    best = _best(run)
    return best if best is not None and best in found.epochs.tolist() else int(found.epochs[-1])


def stops(found: Recorded, run: Run, most: int = STOPS) -> list[int]:
    """The epochs of a film: about ``most``, evenly; the first, the best, the last and the kept ones among them."""
    evenly = found.epochs[np.linspace(0, len(found.epochs) - 1, min(most, len(found.epochs))).round().astype(int)]
    always = {best_epoch(run, found), *kept_epochs(run)} & set(found.epochs.tolist())
    return sorted({*evenly.tolist(), *always})


def nearest_kept(run: Run, epoch: int) -> Side:
    """The student at the stored epoch that is nearest to ``epoch``: a kept one or the best one."""
    stored: dict[int, int | None] = {kept: kept for kept in kept_epochs(run)}
    if (best := _best(run)) is not None:
        stored[best] = None
    return Side(run, "student", stored[min(stored, key=lambda at: abs(at - epoch))] if stored else None)


def _best(run: Run) -> int | None:
    student = (run.result or {}).get("student")
    best = student.get("best_epoch") if isinstance(student, dict) else None
    return best if isinstance(best, int) else None


def _called(left: Side, right: Side) -> tuple[str, str]:
    """Both models' names; Plotly reads some markup."""
    first, second = titles(left, right)
    return as_text(first), as_text(second)


def _names(run: Run, rows: int, columns: int) -> tuple[list[str], list[str], int]:
    """Names of the layers that took part, and how many layers stand behind the last of them."""
    part = next(part for part in run.document["method"] if part.get("name") == "abkd")
    if part.get("pairs") == "last":
        if (rows, columns) != (1, 1):
            raise RunError(f"the maps of run {run.id} are not those of its method: run the spec again")
        return ["last hidden layer"], ["last hidden layer"], 1
    logits = part.get("layers", "all") == "all"

    def names(count: int) -> list[str]:
        hidden = [f"layer {number}" for number in range(1, count + (not logits))]
        return [*hidden, "logits"] if logits else hidden

    return names(rows), names(columns), int(not logits)


def _matrix(values: Any) -> NDArray[np.float64] | None:
    """Rows of numbers as an array, None (not finite) as NaN; None for what is no matrix."""
    try:
        matrix = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return matrix if matrix.ndim == 2 and matrix.size else None
