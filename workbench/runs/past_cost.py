"""What a training will cost in time, as far as finished runs tell: no run alike, no number."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import WorkbenchError
from workbench.runs.status import HOST
from workbench.runs.stored_values import finite

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.spec import Spec

Role = Literal["teacher", "student"]


@dataclass(frozen=True)
class PastCost:
    """Seconds of all epochs of a training, at the median pace of ``runs`` earlier ones.

    ``epochs`` is the most that there can be: of snapshots, at every online step.
    """

    seconds: float
    epochs: int
    runs: int


def past_cost(spec: Spec, role: Role, runs: Iterable[Run], device: str) -> PastCost | None:
    """What training ``role`` of ``spec`` on a ``device`` of this kind (``cpu``, ``cuda``, …) took earlier, per epoch.

    Told by finished runs of this machine with the same data, batch size and number format, and the very same teacher;
    for the student, with the same student and methods too. None where there is no such run: a pace is not carried over
    from other sizes.
    """
    training = spec.teacher_training if role == "teacher" else spec.training
    wanted = _facts(spec.model_dump(mode="json"), role)
    paces = list(_paces(wanted, role, runs, device))
    if not paces or not training.epochs or (role == "teacher" and spec.teacher_control == "untrained"):
        return None
    return PastCost(statistics.median(paces) * training.epochs, training.epochs, len(paces))


def on_same_data(spec: Spec, run: Run) -> bool:
    """Whether ``run`` is on the dataset of ``spec`` with the same options; False where that cannot be read."""
    try:
        return _dataset(run.document) == _dataset(spec.model_dump(mode="json", include={"dataset"}))
    except (WorkbenchError, KeyError, TypeError, AttributeError):
        return False


def of_this_machine(run: Run) -> bool:
    """Whether the times of ``run`` are of this machine; runs of earlier versions do not say."""
    return run.status.host in ("", HOST)


def _paces(wanted: Mapping[str, Any], role: Role, runs: Iterable[Run], device: str) -> Iterator[float]:
    for run in runs:
        try:
            alike = of_this_machine(run) and run.result is not None and _facts(run.document, role) == wanted
            result: Any = (run.result or {}) if alike else {}
            found, kind = result.get(role) or {}, (result.get("device") or {}).get("type")
            seconds, epochs = finite(found.get("seconds")) or 0.0, int(finite(found.get("epochs")) or 0)
            if kind == device and seconds > 0 and epochs > 0 and not found.get("reused"):
                steps = len(result.get("steps") or ()) if role == "student" else 0  # of snapshots: a training at each
                yield max(steps, 1) * seconds / epochs
        except (WorkbenchError, KeyError, TypeError, ValueError, AttributeError):
            continue  # a damaged run tells nothing


def _facts(document: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """What the pace of a training depends on."""
    training = document["teacher_training" if role == "teacher" else "training"]
    facts = {
        "dataset": _dataset(document),
        "teacher": document["teacher"],
        **{key: training.get(key) for key in ("batch_size", "precision")},
    }
    if role == "student":
        facts |= {"student": document["student"], "method": document["method"], "online": document.get("online")}
    return facts


def _dataset(document: Mapping[str, Any]) -> dict[str, Any]:
    """A person's own files are known by their path: a form does not know their digest before the launch."""
    return {key: value for key, value in document["dataset"].items() if key != "sha256"}
