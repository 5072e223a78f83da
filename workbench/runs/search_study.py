"""One study of a search: its folder, its journal, and which configuration is tried next."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout

from workbench.errors import RunError, UsageError
from workbench.runs.claim import run_id
from workbench.runs.files import read_json, write_json
from workbench.runs.search_journal import Journal
from workbench.runs.search_space import applied, count, search_space
from workbench.runs.search_trial import selection_metric, trial_run, validation_score
from workbench.runs.store import private_folder
from workbench.spec import Spec, digest

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

SEARCH = "search"  # below the private folder: one folder per study
REDRAWS = 50  # of a configuration that was tried already, before the space counts as exhausted
LEFT_OUT = "left_out"  # why a draw does not count: the same as an earlier one, or not valid
DEFAULT = "default"  # marks the configuration that is not tuned
QUIET = {"keep_every": 0, "lens_every": 0}  # of a run of which nobody looks at pictures


@dataclass(frozen=True)
class Tried:
    """One configuration of a study: ``values`` differ from the default one, ``score`` is None of a failure."""

    number: int
    values: dict[str, Any]
    state: Literal["done", "failed", "running"]
    score: float | None = None
    message: str = ""


@dataclass
class Taken:
    """A configuration that this process tries now; nobody else does while ``lock`` is held."""

    number: int
    values: dict[str, Any]
    lock: FileLock


class Study:
    """The search for one method: its spec without a seed of its own, the seeds of every trial, and what is searched.

    Everything that defines it is in ``study.json``, everything that happened in ``journal.log``, which is Optuna's and
    may be written by many processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        document = read_json(folder / "study.json")
        if not isinstance(document, dict):
            raise RunError(f"{folder / 'study.json'} cannot be read: delete the folder and search again")
        self.spec = Spec.parse(document["spec"], "study.json")
        self.seeds: tuple[int, ...] = tuple(document["seeds"])
        self.also: tuple[str, ...] = tuple(document["also"])
        self.fixed: tuple[str, ...] = tuple(document["fixed"])
        self.sampler_seed: int = document["sampler_seed"]
        self.space = search_space(self.spec, self.also, self.fixed)
        self.root = folder.parents[2]
        self.journal = Journal(folder / "journal.log", self.method, self.space)

    @classmethod
    def of(
        cls,
        spec: Spec,
        root: Path,
        seeds: Sequence[int] = (0,),
        also: Sequence[str] = (),
        fixed: Sequence[str] = (),
        sampler_seed: int = 0,
    ) -> Study:
        """The study of ``spec`` below ``root``: the one that there is, to go on with, or a new one."""
        spec = spec.replace(seed=seeds[0], umap=False, training=spec.training.replace(**QUIET))
        space = search_space(spec, also, fixed)
        kind = spec.device.split(":")[0]
        key = digest([spec.id, kind, list(seeds), [repr(each) for each in space], sampler_seed])
        readable = run_id(spec).rsplit(f"-s{spec.seed}-", 1)[0]
        folder = private_folder(root, SEARCH, f"{readable}-{key}")
        with FileLock(folder / "lock"):
            if not (folder / "study.json").exists():
                document = {
                    "spec": spec.model_dump(mode="json", exclude=None if spec.online else {"online"}),
                    "seeds": list(seeds),
                    "also": list(also),
                    "fixed": sorted(fixed),
                    "sampler_seed": sampler_seed,
                }
                write_json(folder / "study.json", document)
        return cls(folder)

    @property
    def method(self) -> str:
        return self.spec.objective.name

    @property
    def metric(self) -> str:
        return selection_metric(self.spec)

    # -- what happened -----------------------------------------------------------------------------

    def tried(self) -> list[Tried]:
        """Every configuration so far that counts, in order; the default one is the first."""
        with self._locked():
            return [self._tried(trial) for trial in self._counted()]

    def _tried(self, trial: FrozenTrial) -> Tried:
        names = {"COMPLETE": "done", "FAIL": "failed"}
        state: Any = names.get(trial.state.name, "running")
        score = trial.value if state == "done" else None
        return Tried(trial.number, self._values(trial), state, score, trial.user_attrs.get("message", ""))

    def spec_of(self, values: dict[str, Any]) -> Spec:
        """The spec with what was tried."""
        return applied(self.spec, values)

    # -- what is next ------------------------------------------------------------------------------

    def take(self, budget: int) -> Taken | Literal["wait", "over"]:
        """The next configuration to try of ``budget`` in all; one that a dead process left comes first.

        ``"wait"`` while others try the last ones, ``"over"`` when all are tried, or there are no others to try.
        """
        with self._locked():
            running = False
            for trial in self._counted()[:budget]:
                if trial.state.name != "RUNNING":
                    continue
                lock = self._trial_lock(trial.number)
                if lock is None:
                    running = True
                elif len(trial.params) == len(self.space):
                    return Taken(trial.number, self._values(trial), lock)
                else:  # its process died before everything was drawn
                    lock.release()
                    self._leave_out(trial, "not drawn to the end")
            found = self._draw() if len(self._counted()) < budget else None
            return found or ("wait" if running else "over")

    def try_out(self, taken: Taken) -> Tried:
        """Train and judge a configuration, and store its score: the mean over the seeds. A failed one counts too."""
        score: float | None = None
        message = ""
        try:
            try:
                spec = self.spec_of(taken.values)
                runs = [trial_run(spec.replace(seed=seed), self.root) for seed in self.seeds]
                score = statistics.fmean(validation_score(run, self.metric) for run in runs)
            except (RunError, UsageError) as error:
                message = str(error)
            with self._locked():
                if message:
                    self.journal.note(self.journal.trials()[taken.number], "message", message)
                self.journal.tell(taken.number, score)
        finally:
            taken.lock.release()
        (self.folder / f"trial-{taken.number}.lock").unlink(missing_ok=True)
        return Tried(taken.number, taken.values, "failed" if score is None else "done", score, message)

    def _draw(self) -> Taken | None:
        """A configuration that nobody has tried; None where there is none."""
        known = {self.spec_of(self._values(trial)).id for trial in self._counted()}
        if not self.journal.trials():
            self.journal.enqueue({each.place: each.nearest_default for each in self.space}, DEFAULT)
        elif len(known) >= count(self.space):
            return None
        for _ in range(REDRAWS):
            # Seeded anew for every draw, so that a search that was killed goes on as it would have without.
            seed = int(digest([self.sampler_seed, len(self.journal.trials())]), 16) % 2**32
            trial = self.journal.draw(seed)
            try:
                new = self.spec_of(self._values(trial)).id
            except UsageError as error:
                self._leave_out(trial, str(error))
                continue
            if new in known:
                self._leave_out(trial, "tried before")
                continue
            lock = self._trial_lock(trial.number)
            assert lock is not None, "nobody else takes a trial while the study is locked"
            return Taken(trial.number, self._values(trial), lock)
        return None

    # -- inside ------------------------------------------------------------------------------------

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with FileLock(self.folder / "lock"):
            self.journal.mend()
            yield

    def _counted(self) -> list[FrozenTrial]:
        """The trials that count; one that waits to be drawn does not yet."""
        trials = self.journal.trials()
        return [trial for trial in trials if LEFT_OUT not in trial.user_attrs and trial.state.name != "WAITING"]

    def _values(self, trial: FrozenTrial) -> dict[str, Any]:
        if DEFAULT in trial.user_attrs:
            return {}  # which may lie outside the ranges
        return {each.place: each.value(trial.params[each.place]) for each in self.space if each.place in trial.params}

    def _trial_lock(self, number: int) -> FileLock | None:
        """Held by the process that tries it: the system releases it when that dies."""
        lock = FileLock(self.folder / f"trial-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock

    def _leave_out(self, trial: FrozenTrial, why: str) -> None:
        self.journal.note(trial, LEFT_OUT, why)
        self.journal.tell(trial.number, None)
