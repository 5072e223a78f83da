"""How well the models of a finished run do on disturbed graphs: the same weights, the same test nodes, no training.

Teacher, distilled student and, where it has been run, the same student without a teacher see the very same disturbed
graphs, so their curves compare seed by seed. Whatever a model learned, it learned on the graph as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.errors import RunError, UsageError, WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.leaderboard import ALONE
from workbench.runs.measured import without_seed
from workbench.runs.robustness_file import Judged, Robustness, Role, Scores, read_robustness, write_robustness
from workbench.runs.robustness_judge import Model, judge
from workbench.runs.robustness_plan import Kind, Plan
from workbench.runs.side import fingerprint_of
from workbench.runs.store import list_runs
from workbench.runs.stored_models import model_hash

if TYPE_CHECKING:
    from workbench.datasets.base import Progress
    from workbench.runs.recorder import RunRecorder

FAILED = "the robustness could not be measured"  # how the worker's warning begins
MEASURING = "robustness:"  # how the log says how far it is
STUDENT_OF = ("dataset", "student", "training")  # of a spec: what a student without a teacher depends on

# (weights, fingerprint of the data, kind, levels, seeds) -> accuracies (seeds, levels)
Known = dict[tuple[str, str, Kind, tuple[float, ...], int], Scores]


def measure_robustness(
    run: Run,
    plan: Plan | None = None,
    *,
    among: Iterable[Run] | None = None,
    known: Known | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Robustness:
    """Judge the models of a finished run as ``plan`` says, and store it in ``robustness.json`` of its folder.

    What is stored already for the same weights, levels and seeds is taken over unless ``fresh``, and so is what
    ``known`` holds, to which everything is added: give the same one for several runs, which share teachers. The student
    alone is looked for ``among`` runs (default: those beside this one). The device is of the kind that the run used,
    where there is one. ``progress`` hears of what is being done, and the share done.

    Raises UsageError for a run that is not finished, or not about the nodes of one graph; RunError where weights are
    gone, the data has changed, and where a model does not have the test accuracy that its result says.
    """
    plan, known = plan or Plan(), {} if known is None else known
    if run.status.state != "done":
        raise UsageError(f"run {run.id} is {run.status.state}: only a finished run has models to judge")
    if _test_metrics(run) & {"auc", "micro_f1"}:
        raise UsageError(f"run {run.id} is not judged by its accuracy, and robustness is measured as accuracy")
    fingerprint = fingerprint_of(run) or ""
    stored = None if fresh else read_robustness(run)
    same = (fingerprint, plan.levels, plan.seeds)
    if stored is not None and (stored.fingerprint, stored.levels, stored.seeds) == same:
        for of in stored.models.values():
            for kind, scores in of.accuracy.items():
                known[of.weights, fingerprint, kind, plan.levels, plan.seeds] = scores
        plan = Plan((*plan.kinds, *stored.kinds), plan.levels, plan.seeds)  # what was measured before stays
    else:
        stored = None
    models = _models(run, list_runs(run.path.parent) if among is None else among)
    keys = {
        role: {kind: (model.weights, fingerprint, kind, plan.levels, plan.seeds) for kind in plan.kinds}
        for role, model in models.items()
    }
    missing = {role: [kind for kind, key in of.items() if key not in known] for role, of in keys.items()}
    if stored is not None and not any(missing.values()) and _same_models(stored, models):
        return stored
    judgement = judge(run, models, missing, plan, progress)
    for role, scored in judgement.scores.items():
        known |= {keys[role][kind]: scores for kind, scores in scored.items()}
    judged = {
        role: Judged(model.run.id, model.weights, {kind: known[key] for kind, key in keys[role].items()})
        for role, model in models.items()
    }
    from workbench.runs.environment import versions

    found = Robustness(fingerprint, judgement.nodes, plan.levels, plan.seeds, judged, judgement.device, versions())
    write_robustness(run, found)
    return found


def student_alone_of(run: Run, among: Iterable[Run]) -> Run | None:
    """The finished run of the same student, training and seed on the same data without a teacher.

    None where there is none, and for such a run itself.
    """
    own = _student_of(run)
    if own is None or own["method"] == ALONE:
        return None
    for other in among:
        with suppress(WorkbenchError, KeyError, TypeError, AttributeError):  # damaged
            if other.status.state == "done" and _student_of(other) == {**own, "method": ALONE}:
                return other
    return None


def try_robustness(recorder: RunRecorder) -> None:
    """Measure the run of ``recorder`` as is usual; what goes wrong is a warning, and the result stands."""

    def log(what: str, share: float) -> None:
        recorder.log(f"{MEASURING} {100 * share:.0f} %")

    try:
        measure_robustness(recorder.run, progress=log)
    except WorkbenchError as error:
        recorder.warn(f"{FAILED}: {error}")
    except Exception as error:  # a fault of the workbench, or of a model of one's own
        recorder.warn(f"{FAILED}: {type(error).__name__}: {error}")


def _models(run: Run, among: Iterable[Run]) -> dict[Role, Model]:
    """Teacher, student alone and student; raises RunError where the weights of the first or the last are gone."""
    found: dict[Role, Model] = {"teacher": Model("teacher", run, "teacher", model_hash(run, "teacher"))}
    if alone := student_alone_of(run, among):
        with suppress(RunError):  # its weights are gone: as if it had not been run
            found["alone"] = Model("alone", alone, "student", model_hash(alone, "student"))
    found["student"] = Model("student", run, "student", model_hash(run, "student"))
    return found


def _test_metrics(run: Run) -> set[str]:
    """Names of what its student was tested by."""
    student = (run.result or {}).get("student")
    metrics = student.get("metrics") if isinstance(student, dict) else None
    test = metrics.get("test") if isinstance(metrics, dict) else None
    return set(test) if isinstance(test, dict) else set()


def _same_models(stored: Robustness, models: dict[Role, Model]) -> bool:
    return {role: of.weights for role, of in stored.models.items()} == {
        role: model.weights for role, model in models.items()
    }


def _student_of(run: Run) -> dict[str, Any] | None:
    """What its student depends on, and the methods that taught it; None where the data is not known."""
    fingerprint = fingerprint_of(run)
    if fingerprint is None:
        return None
    document = without_seed(run.document)
    method = "+".join(str(part["name"]) for part in document["method"])
    parts = {part: document.get(part) for part in STUDENT_OF}
    return {**parts, "seed": run.seed, "fingerprint": fingerprint, "method": method}
