"""What changes while a model is trained, and how it goes into a checkpoint and comes back."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from workbench.training.checkpoint import Checkpoint, optimiser_tensors, restore_optimiser, sections
from workbench.training.distiller import Distiller
from workbench.training.random_state import random_states, restore_random_states
from workbench.training.selection import Selection
from workbench.training.terms import TermWatch


@dataclass
class State:
    """What changes from epoch to epoch and is not inside the modules."""

    epoch: int = 0
    seconds: float = 0.0
    selection: Selection = field(default_factory=Selection)
    best: dict[str, Tensor] = field(default_factory=dict)
    watch: TermWatch = field(default_factory=TermWatch)


@dataclass
class Learner:
    """What learns: modules, optimiser, and the random numbers of their device."""

    distiller: Distiller
    optimiser: torch.optim.Optimizer
    device: torch.device

    def tensors(self) -> dict[str, Tensor]:
        """Everything that one more step depends on, in place: it changes with the next step."""
        return sections(
            module=self.distiller.state_dict(),
            optimiser=optimiser_tensors(self.optimiser),
            random=random_states(self.device),
        )

    def snapshot(self) -> Checkpoint:
        """A copy of :meth:`tensors` that stays as it is."""
        return Checkpoint({}, {key: value.detach().clone() for key, value in self.tensors().items()})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Be again as :meth:`tensors` was."""
        self.distiller.load_state_dict(checkpoint.section("module"))
        restore_optimiser(self.optimiser, checkpoint.section("optimiser"))
        restore_random_states(checkpoint.section("random"), self.device)


def to_checkpoint(state: State, learner: Learner) -> Checkpoint:
    """Everything that training needs to go on."""
    selection, watch = state.selection, state.watch
    header = {
        "epoch": state.epoch,
        "seconds": state.seconds,
        "selection": [selection.epoch, selection.score, selection.loss],
        "watch": {"zero": watch.zero_epochs, "bad": watch.bad_epochs, "told": sorted(watch.told)},
    }
    return Checkpoint(header, {**learner.tensors(), **sections(best=state.best)})


def from_checkpoint(checkpoint: Checkpoint, learner: Learner) -> State:
    """Put ``learner`` back to where the checkpoint was taken, and return the state of then."""
    learner.restore(checkpoint)
    header = checkpoint.header
    watch = TermWatch(header["watch"]["zero"], header["watch"]["bad"], {(a, b) for a, b in header["watch"]["told"]})
    return State(
        epoch=header["epoch"],
        seconds=header["seconds"],
        selection=Selection(*header["selection"]),
        best={key: value.to(learner.device) for key, value in checkpoint.section("best").items()},
        watch=watch,
    )
