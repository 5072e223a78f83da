"""What a finished run measured, and of which spec but for its seed, as plain data. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.runs.folder import Run
from workbench.runs.stored_values import finite

Metric = Literal["accuracy", "auc", "micro_f1"]
ELSEWHERE = ("format", "seed", "device", "umap")  # of a spec: what runs of one entry may differ in
OBSERVING = ("lens_every", "cuda_graph", "keep_every")  # likewise, of a training: they change no result


@dataclass(frozen=True)
class Size:
    """A model: number of ``parameters``, their ``bytes``, and milliseconds of one pass; None where not measured."""

    parameters: float | None
    bytes: float | None
    latency_ms: float | None


@dataclass(frozen=True)
class Seed:
    """One run of an entry: test scores (0..1) of its models, None where there is none."""

    seed: int
    run: str
    teacher: float | None
    student: float
    plain: float | None
    teacher_size: Size
    student_size: Size
    compression: float | None


def measured(run: Run) -> tuple[dict[str, Any], Seed, Metric]:
    """The spec of a finished run without what seeds may differ in, its numbers, and the metric that it is judged by.

    Raises KeyError, TypeError, ValueError or AttributeError, or a RunError, for files that do not hold them.
    """
    document, result = without_seed(run.document), run.result or {}
    for part in (document["dataset"], document["teacher"], document["student"], *document["method"]):
        str(part["name"])
    if not document["method"]:
        raise ValueError("a spec without a method")
    scores = result["teacher"]["metrics"]["test"]
    metric: Metric = "auc" if "auc" in scores else "micro_f1" if "micro_f1" in scores else "accuracy"
    student = _score(result, "student", metric)
    if student is None:
        raise ValueError("the student has not been measured")
    seed = Seed(
        int(run.document.get("seed", 0)),
        run.id,
        _score(result, "teacher", metric),
        student,
        _score(result, "plain", metric) if "plain" in result else None,
        _size(result["teacher"]),
        _size(result["student"]),
        finite(result.get("compression")),
    )
    return document, seed, metric


def without_seed(document: Mapping[str, Any]) -> dict[str, Any]:
    """A spec without its seed and without what changes no result (where it ran, what was drawn or looked at of it)."""
    kept = {key: value for key, value in document.items() if key not in ELSEWHERE}
    for key in ("training", "teacher_training"):
        kept[key] = {name: value for name, value in (kept.get(key) or {}).items() if name not in OBSERVING}
    if kept.get("teacher_control") == "none":
        kept.pop("teacher_control")
    cleaned: dict[str, Any] = _clean(kept)
    return cleaned


def _clean(value: Any) -> Any:
    """Without options that are empty, which older specs do not have, and with 4.0 as 4."""
    if isinstance(value, Mapping):
        return {str(key): _clean(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _score(result: Mapping[str, Any], role: str, metric: str) -> float | None:
    return finite(result[role]["metrics"]["test"].get(metric))


def _size(model: Mapping[str, Any]) -> Size:
    return Size(*(finite(model.get(what)) for what in ("parameters", "bytes", "latency_ms")))


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
