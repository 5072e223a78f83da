"""The journal of a study: Optuna's file of every configuration that was drawn, tried and judged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

    from workbench.runs.search_space import Range

STARTUP = 10  # configurations that are drawn at random before the sampler learns from what was found


class Journal:
    """Trials of Optuna in one file. Whoever calls it holds the lock of the study, which the system releases with its
    process: nobody else reads or writes meanwhile, and a lock of the journal's own would outlive a process that dies.
    """

    def __init__(self, path: Path, name: str, space: Iterable[Range]) -> None:
        self.path = path
        self.name = name
        self.space = tuple(space)

    def mend(self) -> None:
        """Cut off a last line that is not whole: its writer was killed."""
        try:
            with self.path.open("r+b") as file:
                text = file.read()
                if text and not text.endswith(b"\n"):
                    file.truncate(text.rfind(b"\n") + 1)
        except FileNotFoundError:
            return

    def trials(self) -> list[FrozenTrial]:
        """Everything that was drawn or waits to be, in order."""
        return self._study.get_trials(deepcopy=False)

    def enqueue(self, values: Mapping[str, Any], mark: str) -> None:
        """Let ``values`` be drawn next, under the attribute ``mark``."""
        self._study.enqueue_trial(dict(values), user_attrs={mark: True})

    def draw(self, seed: int) -> FrozenTrial:
        """The next configuration; what is drawn depends on ``seed`` and on the trials so far."""
        import optuna

        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, constant_liar=True)
        self._study.sampler = sampler
        number = self._study.ask(fixed_distributions=self._distributions).number
        return self.trials()[number]

    def note(self, trial: FrozenTrial, key: str, value: str) -> None:
        """Store an attribute of a trial, whichever process drew it."""
        self._study._storage.set_trial_user_attr(trial._trial_id, key, value)

    def tell(self, number: int, score: float | None) -> None:
        """The score of a trial; None of one that failed."""
        from optuna.trial import TrialState

        if score is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, score)

    @cached_property
    def _study(self) -> optuna.Study:
        optuna = require_optuna()
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        held: Any = _HeldAlready()
        storage = JournalStorage(JournalFileBackend(os.fspath(self.path), held))
        return optuna.create_study(storage=storage, study_name=self.name, direction="maximize", load_if_exists=True)

    @cached_property
    def _distributions(self) -> dict[str, Any]:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        found: dict[str, Any] = {}
        for each in self.space:
            if each.kind == "choice":
                found[each.place] = CategoricalDistribution(each.choices)
            elif each.kind == "int":
                found[each.place] = IntDistribution(int(each.low), int(each.high), log=each.log)
            else:
                found[each.place] = FloatDistribution(each.low, each.high, log=each.log)
        return found


class _HeldAlready:
    """The lock of the journal's own, which is not needed."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def require_optuna() -> Any:
    """Optuna, quiet; raises UsageError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise UsageError(
            "a search needs Optuna: install the workbench with its extra 'hpo', "
            "as in `pip install 'gnn-distillation-workbench[hpo]'`"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
