"""What a tracker is told of a run, as names and numbers. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.runs.folder import Run
from workbench.runs.status import Status
from workbench.runs.stored_values import finite

MODELS = ("teacher", "student", "plain")
OF_A_MODEL = ("parameters", "bytes", "latency_ms", "best_epoch")
OF_THE_RUN = ("compression", "seconds", "peak_memory_bytes")
NO_CURVE = ("stage", "epoch", "pictures")  # of an epoch's record

Value = str | int | float | bool


@dataclass(frozen=True)
class Facts:
    """Which run it is. ``created`` is in Unix seconds; ``parameters`` is its spec by dotted names."""

    id: str
    title: str
    created: float
    path: str
    parameters: Mapping[str, Value]


@dataclass(frozen=True)
class Point:
    """Everything of one epoch; ``time`` is in Unix seconds. What was not finite is left out of ``values``."""

    epoch: int
    time: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Ended:
    """The ``state`` of a run that has ended, at ``time``; ``values`` are its result, none where there is no result."""

    state: str
    message: str
    time: float
    warnings: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)


def facts_of(run: Run) -> Facts:
    """Raises RunError for a run whose spec cannot be read."""
    return Facts(run.id, run.title, run.status.created, str(run.path), parameters_of(run.document))


def parameters_of(document: Mapping[str, Any]) -> dict[str, Value]:
    """A spec as dotted names: ``student.hidden_channels``, ``method.kd.alpha``; what is empty is left out."""
    methods = document["method"]
    found: dict[str, Value] = {"method": "+".join(str(part["name"]) for part in methods)}
    for part in methods:
        found |= _dotted(f"method.{part['name']}", {key: value for key, value in part.items() if key != "name"})
    for key, value in document.items():
        if key not in ("method", "format"):
            found |= _dotted(key, value)
    return found


def points_until(end: float, records: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Records of the epochs of one stage as points, the last of them at ``end`` (Unix seconds)."""
    points = []
    time = end
    for record in reversed(records):
        points.append(point_of(record, time))
        time -= finite(record.get("seconds")) or 0.0
    return points[::-1]


def point_of(record: Mapping[str, Any], time: float) -> Point:
    """``loss``, ``terms/kd/value``, ``val/accuracy`` and so on: every number of a record, whatever it holds."""
    values = dict(_numbers("", {key: value for key, value in record.items() if key not in NO_CURVE}))
    return Point(int(record["epoch"]), time, values)


def ended_of(status: Status, result: Mapping[str, Any] | None) -> Ended:
    """``student/test/accuracy``, ``student/parameters``, ``compression`` and the like, of a run that is done."""
    done = status.state == "done" and result is not None
    values = dict(_result(result)) if done and result is not None else {}
    return Ended(status.state, status.message, status.updated, tuple(status.warnings), values)


def _result(result: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for model in MODELS:
        found = result.get(model)
        if not isinstance(found, Mapping):
            continue
        yield from _numbers(f"{model}/test/", (found.get("metrics") or {}).get("test") or {})
        yield from _numbers(f"{model}/", {key: found.get(key) for key in OF_A_MODEL})
    for who, metrics in (result.get("baselines") or {}).items():
        yield from _numbers(f"{who}/test/", metrics)
    yield from _numbers("", {key: result.get(key) for key in OF_THE_RUN})


def _numbers(before: str, values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(f"{before}{key}/", value)
        elif (number := finite(value)) is not None:
            yield f"{before}{key}", number


def _dotted(name: str, value: Any) -> dict[str, Value]:
    if isinstance(value, Mapping):
        found: dict[str, Value] = {}
        for key, each in value.items():
            found |= _dotted(f"{name}.{key}", each)
        return found
    if value is None:
        return {}
    return {name: value if isinstance(value, str | bool | int | float) else str(value)}
