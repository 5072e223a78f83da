"""One configuration of a search: an ordinary run per seed, on no list, and judged on validation alone."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from workbench.errors import RunError, Stopped
from workbench.runs.claim import claim
from workbench.runs.folder import ARRAYS, Run
from workbench.runs.recorder import RunRecorder
from workbench.runs.status import HOST, Status
from workbench.runs.store import TRIALS, private_folder
from workbench.runs.worker import carry_out

if TYPE_CHECKING:
    from workbench.spec import Spec


def selection_metric(spec: Spec) -> str:
    """The metric by which validation selects."""
    return "auc" if spec.dataset.card.task == "link prediction" else spec.dataset.card.metric


def validation_score(run: Run, metric: str) -> float:
    """The student's ``metric`` on validation at its best epoch; on snapshots, the mean of that over the steps.

    It is read from the curve, which holds no test number. Raises RunError where there is none.
    """
    best: dict[int, float] = {}
    for record in run.metrics("student"):
        value = record.get("val", {}).get(metric)
        if value is not None:
            step = record.get("step", 0)
            best[step] = max(best.get(step, value), value)
    if not best:
        raise RunError(f"run {run.id} has no {metric} on validation to judge it by")
    return statistics.fmean(best.values())


def trial_run(spec: Spec, root: Path) -> Run:
    """Carry out ``spec`` in this process below the private folder of ``root``; a finished run is handed back.

    Runs of a search stand on no list: the leaderboard would show every configuration that was tried, and the best of
    many is no fair entry beside one. Teachers are those of ``root``. A run that a process left when it died is gone on
    with. It waits for no device: as many are trained at once as processes search. Weights and arrays are not kept.
    Raises RunError when it fails.
    """
    status = Status(device=spec.device, created=time.time(), host=HOST).of_this_process(in_process=True)
    run, _ = claim(spec, private_folder(root, TRIALS), status)
    with FileLock(run.path / "worker.lock"):  # another search may try the very same
        if run.status.state != "done":
            _train(spec, run)
    return run


def _train(spec: Spec, run: Run) -> None:
    from workbench.runs.execute import execute
    from workbench.training.random_state import surroundings_kept

    (run.path / "stop").unlink(missing_ok=True)
    with RunRecorder(run, in_process=True) as recorder:
        recorder.start_clock()

        def work() -> None:
            with surroundings_kept():
                execute(spec, recorder)

        if error := carry_out(recorder, work):
            if isinstance(error, Stopped):
                raise error
            raise RunError(f"run {run.id}: {recorder.status.message}") from error
    shutil.rmtree(run.path / ARRAYS, ignore_errors=True)
    for weights in run.path.glob("*.safetensors"):
        weights.unlink(missing_ok=True)
