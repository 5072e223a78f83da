"""How far an online run is: what its finished steps found, and what a checkpoint must hold to go on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor

from workbench.runs.online_data import first_step, last_step
from workbench.runs.recorder import RunRecorder, Stage
from workbench.runs.ways import Order
from workbench.training.checkpoint import Checkpoint, cloned_state, sections

if TYPE_CHECKING:
    from workbench.models.base import Output
    from workbench.models.dysat import DySAT

PLACE = "online"  # of this in a checkpoint's header


class Progress:
    """What is finished: whole steps, and within the present one the students that have learned."""

    def __init__(self, recorder: RunRecorder, checkpoint: Checkpoint | None, num_steps: int) -> None:
        self._recorder = recorder
        self._num_steps = num_steps
        self._checkpoint = checkpoint
        header = (checkpoint.header if checkpoint else {}).get(PLACE) or {}
        self.steps: list[dict[str, Any]] = header.get("steps", [])
        self.finished: dict[str, dict[str, Any]] = header.get("finished", {})
        self._epochs: dict[str, int] = header.get("epochs", {})
        self._resumed: tuple[str, int] | None = (header["who"], header["step"]) if header else None
        self._students: dict[Stage, DySAT] = {}

    @classmethod
    def of(cls, order: Order) -> Progress:
        return cls(order.recorder, order.checkpoint, last_step(order.spec, order.data) - first_step(order.spec) + 1)

    @property
    def steps_left(self) -> int:
        """How many online steps are not finished, the present one included."""
        return self._num_steps - len(self.steps)

    def is_done(self, step: int) -> bool:
        return any(found["step"] == step for found in self.steps)

    def restore(self, students: dict[Stage, DySAT]) -> None:
        """Put the weights of the checkpoint into ``students``, which every later checkpoint will hold."""
        self._students = students
        if self._checkpoint is None:
            return
        for who, student in students.items():
            weights = self._checkpoint.section(f"carried-{who}")
            if weights:
                student.grow(weights["embedding"].shape[0])
                student.load_state_dict(weights)

    def finish(self, who: str, info: dict[str, Any]) -> None:
        """``who`` has learned at the present step."""
        self.finished[who] = info
        self._epochs[who] = self._epochs.get(who, 0) + int(info["epochs"])

    def add(self, found: dict[str, Any]) -> None:
        """The present step is finished."""
        self.steps.append(found)
        self.finished = {}

    def recorder(self, who: Stage, step: int) -> StepRecorder:
        """Where the training of ``who`` at ``step`` reports to."""
        resumed = None
        if self._checkpoint is not None:
            at_teacher = who == "teacher" and self._checkpoint.header["stage"] == "teacher"
            if at_teacher or self._resumed == (who, step):
                resumed = self._checkpoint
        return StepRecorder(self._recorder, self, who, step, self._epochs.get(who, 0), resumed)

    def wrapped(self, who: str, step: int, made: Checkpoint) -> Checkpoint:
        """``made`` with everything else that going on needs."""
        if who == "teacher":
            return made
        header = {"steps": self.steps, "finished": self.finished, "epochs": self._epochs, "who": who, "step": step}
        others: dict[str, dict[str, Tensor]] = {
            f"carried-{name}": cloned_state(student) for name, student in self._students.items() if name != who
        }
        return Checkpoint({**made.header, PLACE: header}, {**made.tensors, **sections(**others)})


class StepRecorder:
    """The loop's Recorder for one model at one step: epochs are counted over all steps."""

    def __init__(
        self, inner: RunRecorder, progress: Progress, who: Stage, step: int, offset: int, resumed: Checkpoint | None
    ) -> None:
        self._inner = inner
        self._progress = progress
        self._who = who
        self._step = step
        self._offset = offset
        self._resumed = resumed

    def checkpoint_of(self) -> Checkpoint | None:
        """Where this very training is gone on from."""
        return self._resumed

    def begin(self, epochs: int) -> None:
        title = {"teacher": "training the teacher", "student": f"the student learns at snapshot {self._step}"}.get(
            self._who, f"the student without distillation learns at snapshot {self._step}"
        )
        resumed_at = self._offset + (self._resumed.header["epoch"] if self._resumed else 0)
        total = self._offset + epochs * (1 if self._who == "teacher" else self._progress.steps_left)
        self._inner.begin(self._who, title, total, resumed_at)

    def epoch(self, record: dict[str, Any]) -> None:
        self._inner.epoch({**record, "epoch": record["epoch"] + self._offset, "step": self._step})

    def keep(self, epoch: int, output: Output, pictures: dict[str, Tensor]) -> None:
        """Pictures are stored once per step, of the best epoch."""

    def warn(self, message: str) -> None:
        self._inner.warn(message)

    def checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        self._inner.checkpoint(lambda: self._progress.wrapped(self._who, self._step, make()))

    def stop_requested(self) -> bool:
        return self._inner.stop_requested()
