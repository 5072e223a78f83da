"""The controls of one run: which runs they are, by the ids of their specs, and how the missing ones are started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.runs.claim import run_id
from workbench.runs.control_table import ALONE, SAME_UPDATES, SPLIT, Controls, result_of, tabulate
from workbench.runs.controls import Plan, control_plan, listed, same_updates
from workbench.runs.folder import Run
from workbench.runs.launch import Launch, launch
from workbench.runs.measured import without_seed
from workbench.runs.store import demo_runs, list_runs, run_folders

if TYPE_CHECKING:
    from workbench.datasets.base import Progress
    from workbench.spec import Spec

ENDED = ("failed", "stopped", "lost")


@dataclass(frozen=True)
class Place:
    """One row of the table for one seed: its spec, and its run where there is one.

    ``spec`` is None where it is not known yet: for as many updates as the method makes, that has to finish first.
    """

    row: str
    seed: int
    spec: Spec | None
    run: Run | None

    def startable(self, again: bool = False) -> bool:
        """Whether it can be started now: there is no run of it, or, ``again``, one that did not finish."""
        return self.spec is not None and (self.run is None or (again and self.run.status.state in ENDED))


def control_specs(spec: Spec, seeds: Iterable[int]) -> Plan:
    """What can be started at once, by row: the method and four of its controls, without pictures that nobody asked for.

    Raises UsageError where a run of ``spec`` has no controls.
    """
    return control_plan([spec.replace(seed=seed, umap=False) for seed in listed(seeds)])


def places_of(plan: Plan, runs: Mapping[str, Run], prefer: str = "") -> dict[str, list[Place]]:
    """What ``runs``, by their ids, hold of a plan, in the order of the table; of several runs of a spec, ``prefer``."""
    method, *_ = plan
    found = {
        name: [Place(name, spec.seed, spec, run_of(run_id(spec), runs, prefer)) for spec in specs]
        for name, specs in plan.items()
    }
    found[SAME_UPDATES] = [_longer(place, runs) for place in found[method]]
    others = [name for name in found if name not in (method, ALONE, SAME_UPDATES)]
    return {name: found[name] for name in (method, ALONE, SAME_UPDATES, *others)}


def _longer(place: Place, runs: Mapping[str, Run]) -> Place:
    """The student alone with as many updates as the run of ``place`` made."""
    if place.spec is None or place.run is None or not measured(place.run):
        return Place(SAME_UPDATES, place.seed, None, None)
    spec = same_updates(place.spec, place.run)
    return Place(SAME_UPDATES, place.seed, spec, run_of(run_id(spec), runs))


def run_of(id: str, runs: Mapping[str, Run], prefer: str = "") -> Run | None:
    """The run of this id, or of one made beside it; ``prefer``, a finished one, a living one and the last go first."""
    again = takewhile(runs.__contains__, (f"{id}-r{number}" for number in count(2)))
    known = [runs[name] for name in (id, *again) if name in runs]

    def rank(run: Run) -> tuple[bool, bool, bool]:
        status = run.status
        return run.id == prefer, status.state == "done", status.alive

    return max(reversed(known), key=rank, default=None)


def measured(run: Run | None) -> bool:
    """Whether a run is finished and its result holds what the table reads."""
    result: Any = result_of(run)
    try:
        test, epochs = result["student"]["metrics"][SPLIT], result["student"]["epochs"]
        value = test.get("auc", test.get("accuracy"))
        return isinstance(value, int | float | None) and isinstance(epochs, int) and "teacher" in result
    except (KeyError, TypeError, AttributeError):
        return False


def table_of_places(spec: Spec, places: Mapping[str, Sequence[Place]]) -> Controls:
    """The method beside its controls; what is not finished is left out, and said in the notes."""
    seeds = [place.seed for place in next(iter(places.values()))]
    runs = {name: [place.run if measured(place.run) else None for place in row] for name, row in places.items()}
    return tabulate(spec, spec.dataset.card.metric, seeds, runs)


def control_table(run: Run, seeds: Iterable[int] | None = None) -> Controls:
    """The table of a run and its controls, of what is finished; nothing is started.

    ``seeds`` are those that the method was run with, unless given. Raises UsageError for a run without controls.
    """
    beside = [Run(folder) for folder in run_folders(run.path.parent)]
    runs = {other.id: other for other in [*demo_runs(), *list_runs(), *beside]} | {run.id: run}
    plan = control_specs(run.spec, seeds_of(run, runs.values()) if seeds is None else seeds)
    return table_of_places(run.spec, places_of(plan, runs, run.id))


def seeds_of(run: Run, runs: Iterable[Run]) -> list[int]:
    """The seeds of ``run`` and of every other run of the same spec but for its seed, in order."""
    wanted = without_seed(run.document)
    found = {run.document.get("seed", 0)}
    for other in runs:
        try:
            if without_seed(other.document) == wanted:
                found.add(other.document.get("seed", 0))
        except WorkbenchError:  # damaged: nobody knows of what it was
            continue
    return sorted(seed for seed in found if isinstance(seed, int))


def start_places(
    places: Iterable[Place], root: Path | None = None, progress: Progress | None = None, again: bool = True
) -> list[Launch]:
    """Launch what can be started of ``places``, each in a process of its own, queued per device.

    ``again`` goes on with what failed or was stopped. ``progress`` hears of every launch, as (what, share). Raises
    UsageError for what cannot work; what was launched by then goes on.
    """
    wanted = {place.spec.id: place for place in places if place.spec is not None and place.startable(again)}
    launched = []
    for number, place in enumerate(wanted.values()):
        if progress is not None:
            progress(f"{place.row}, seed {place.seed}", number / len(wanted))
        assert place.spec is not None
        launched.append(launch(place.spec, root))
    return launched
