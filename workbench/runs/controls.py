"""Is it real? A method beside five controls that share everything else with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from workbench.datasets.base import DatasetConfig, Progress
from workbench.errors import RunError, UsageError
from workbench.methods.base import Method, Sum
from workbench.models.base import ModelConfig
from workbench.runs.api import run_here
from workbench.runs.control_table import ALONE, SAME_UPDATES, Controls, tabulate
from workbench.runs.download_bar import DownloadBar
from workbench.runs.folder import Run
from workbench.runs.live import Live, as_live, is_data, live_dataset
from workbench.runs.preflight import preflight, settle
from workbench.spec import Spec, Training

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.datasets.point_clouds import PointClouds
    from workbench.datasets.snapshots import SnapshotSequence

Plan = dict[str, list[Spec]]  # by row, one spec per seed


def controls(
    dataset: str | Path | dict[str, Any] | DatasetConfig | Data | SnapshotSequence | PointClouds,
    teacher: str | dict[str, Any] | ModelConfig | None = None,
    student: str | dict[str, Any] | ModelConfig | None = None,
    method: str | dict[str, Any] | Method | Sum | None = None,
    seeds: Iterable[int] = range(5),
    *,
    training: dict[str, Any] | Training | None = None,
    teacher_training: dict[str, Any] | Training | None = None,
    device: str = "auto",
    root: Path | str | None = None,
    progress: Progress | None = None,
) -> Controls:
    """Distil over several seeds, and hold the student against five controls of the same seeds.

    Each control leaves out what the teacher knows and keeps something else that could explain a gain. A control
    that does as well as the method is such an explanation:

    - *student alone*: does distillation help at all? The labels only, everything else the same.
    - *student alone, same updates*: or does the number of updates? As many epochs as the distilled student of
      that seed made, without early stopping. Where nothing stops early, both are the same training.
    - *label smoothing*: or do softer labels, without any teacher? With ε = 0.1.
    - *untrained teacher*: or does regularisation by an untrained teacher? The same method with the
      teacher's initial weights.
    - *label-shuffled teacher*: or does imitating one taught permuted labels? It is also selected on
      them; they are true only by chance, and a note says for what share. The student learns from the true ones.

    Validation selects the epoch of every student, and all are judged on the same test nodes. p-values are of
    two-sided paired t-tests over the seeds, and they are not corrected for there being five. A large p shows no
    equality, least of all with few seeds: look at the interval. One seed gives differences without a test, and
    so do seeds that all differ by the same amount.

    Arguments are those of :func:`workbench.distill`, but names and configs only: a module of one's own is
    trained in place and could not be run six times. One's own ``Data`` or ``PointClouds`` may be used (their runs
    are made anew at every call); a ``SnapshotSequence`` is refused, for want of labels. Every other run is an
    ordinary one in the run folder, and is reused when it was finished before.
    ``progress`` hears of downloads and of every run, as (what, fraction done).

    Blocks until the last of 6 × seeds runs ends. Raises UsageError for wrong arguments (nothing is written), and
    RunError when a run fails; what was finished by then is reused by the next call.
    """
    live = Live()
    if is_data(dataset):
        live.data = as_live(dataset)
        dataset = live_dataset(live.data)
    for role, model in (("teacher", teacher), ("student", student)):
        if isinstance(model, nn.Module):
            raise UsageError(
                f"controls run every seed six times, and your own {role} is trained in place: give the name or config "
                f"of a model ({role}='gcn', say), or register your module as a model"
            )
    wanted = {"dataset": dataset, "teacher": teacher, "student": student, "method": method, "device": device}
    wanted |= {"training": training, "teacher_training": teacher_training}
    given = {key: value for key, value in wanted.items() if value is not None}
    specs = [Spec.parse({**given, "seed": seed}, "controls") for seed in listed(seeds)]
    distinct = {spec.seed: spec for spec in specs}  # 1 and "1" are the same seed
    return _run_all(control_plan(list(distinct.values())), live, root, progress)


def control_plan(specs: Sequence[Spec]) -> Plan:
    """The specs that can be run at once: the method's own ``specs`` (one per seed) and four of the five controls.

    Raises UsageError for what cannot be held against them: a method without a teacher, and a control.
    """
    first = specs[0]
    if first.dataset.card.task == "link prediction":
        raise UsageError(
            "the controls need labels, and snapshots have none: every run of them holds its student against the "
            "same one without distillation already, and teacher_control='untrained' takes an untrained teacher"
        )
    if all(part.control for part in first.method):
        raise UsageError(
            f"method {first.objective.name!r} does not use the teacher, it is one of the controls itself: "
            f"give the method that is to be held against them, such as 'kd'"
        )
    if first.teacher_control != "none":
        raise UsageError("teacher_control is set by the controls themselves: leave it out")
    changes: dict[str, dict[str, Any]] = {
        ALONE: {"method": "none"},
        "label smoothing": {"method": "label-smoothing"},
        "untrained teacher": {"teacher_control": "untrained"},
        "label-shuffled teacher": {"teacher_control": "shuffled"},
    }
    controlled = {name: [spec.replace(**change) for spec in specs] for name, change in changes.items()}
    return {first.objective.name: list(specs), **controlled}


def same_updates(spec: Spec, run: Run) -> Spec:
    """The fifth control: ``spec`` without its method, for as many epochs as its finished ``run`` made."""
    result = run.result
    if result is None:
        raise RunError(f"run {run.id} has no result: how many epochs its student made is not known")
    training = spec.training.replace(epochs=result["student"]["epochs"], patience=0)
    return spec.replace(method="none", training=training)


def table_of(plan: Mapping[str, Sequence[Spec]], runs: Mapping[str, Sequence[Run | None]]) -> Controls:
    """The table of everything that was run, in the order in which it is read."""
    method, alone, *others = [name for name in runs if name != SAME_UPDATES]
    ordered = {name: runs[name] for name in (method, alone, SAME_UPDATES, *others)}
    first = plan[method][0]
    return tabulate(first, first.dataset.card.metric, [spec.seed for spec in plan[method]], ordered)


def listed(seeds: Iterable[int]) -> list[int]:
    """The seeds as they were given. Raises UsageError for none, and for what is no list."""
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable):
        raise UsageError(f"seeds are several whole numbers, such as range(5) or [0, 1, 2] (got {seeds!r})")
    found = list(seeds)
    if not found:
        raise UsageError("seeds are empty: give one at least, and two or more for a test")
    return found


def _run_all(plan: Plan, live: Live, root: Path | str | None, progress: Progress | None) -> Controls:
    """Everything in this process, one run after the other."""
    method, *_ = plan
    total = (len(plan) + 1) * len(plan[method])
    done = 0

    def run(name: str, spec: Spec, made: Run | None = None) -> Run:
        nonlocal done
        told(f"{name}, seed {spec.seed}", done / total)
        done += 1
        return made or run_here(spec, live, root, fresh=live.any)

    with DownloadBar() as bar:
        for specs in plan.values():  # whatever is wrong is wrong for every seed
            preflight(settle(specs[0]), progress or bar, live)
    with DownloadBar() as bar:
        told = progress or bar
        runs = {name: [run(name, spec) for spec in specs] for name, specs in plan.items()}
        longer = [same_updates(spec, made) for spec, made in zip(plan[method], runs[method], strict=True)]
        alone = {spec.id: made for spec, made in zip(plan[ALONE], runs[ALONE], strict=True)}
        runs[SAME_UPDATES] = [run(SAME_UPDATES, spec, alone.get(spec.id)) for spec in longer]
        told("controls", 1.0)
    return table_of(plan, runs)
