"""Recording an epoch: the order of things, and the way back, with something simpler than a CUDA graph as the recording.

What a CUDA graph itself does is tested where there is one (tests/gpu).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from workbench.methods.base import Objective
from workbench.models.gcn import GCN
from workbench.spec import Training
from workbench.tasks import NodeClassification, with_split_nodes
from workbench.training.capture import CapturedStep
from workbench.training.distiller import Distiller
from workbench.training.loop import fit
from workbench.training.random_state import seed_everything
from workbench.training.step import Done, Step

TRAINING = Training(epochs=12, patience=0, learning_rate=0.05, lens_every=4)
LOOKS = [epoch == 1 or epoch % 4 == 0 for epoch in range(1, 13)]


class Smooth(Objective):
    """A term with a direction of its own; its weight can be changed on the way."""

    weight = 0.5

    def forward(self, student: Any, targets: Any, batch: Any) -> dict[str, torch.Tensor]:
        return {"smooth": student.logits.pow(2).mean()}

    def weights(self) -> dict[str, float]:
        return {"task": 1.0, "smooth": self.weight}


class Again:
    """A recording that does the work anew. ``fail_at`` is a call that fails when its work is done, weights and all."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.calls: list[str] = []
        self.fail_at = fail_at

    def warm_up(self, work: Callable[[], Done], strict: bool) -> Done:
        return self._call("strict" if strict else "warm", work)

    def record(self, work: Callable[[], Done]) -> Callable[[], Done]:
        if len(self.calls) == self.fail_at:
            self._call("record", work)
        self.calls.append("record")

        def replay() -> Done:
            self.calls.append("replay")
            return work()

        return replay

    def _call(self, name: str, work: Callable[[], Done]) -> Done:
        self.calls.append(name)
        done = work()
        if len(self.calls) - 1 == self.fail_at:
            raise RuntimeError("operation not permitted when stream is capturing\nand a long trace")
        return done


def new_step(batch: Data, optimizer: str = "adam") -> Step:
    """Always from the same weights, with random numbers in every epoch and statistics that change with each."""
    seed_everything(0, deterministic=True)
    distiller = Distiller(GCN(3, 8, 3, dropout=0.5, batch_norm=True), Smooth(), NodeClassification())
    training = TRAINING.replace(optimizer=optimizer)
    return Step(distiller, with_split_nodes(batch), None, training, reuse=False)


def epochs_of(step: Step | CapturedStep) -> list[dict[str, Any]]:
    return [step.run(lens).numbers.fetch() for lens in LOOKS]


def same(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> bool:
    return repr(left) == repr(right)  # NaN, where a number was not asked for, equals itself


def test_both_kinds_of_epochs_are_recorded_once_after_the_warm_up(small_graph: Data) -> None:
    again, warnings = Again(), list[str]()
    found = epochs_of(CapturedStep(new_step(small_graph), again, warnings.append))
    # The 4th epoch looks through the lens, the 5th is the first plain one after the warm-up.
    assert again.calls == ["warm", "warm", "strict", "record", "replay", "record"] + ["replay"] * 8
    assert same(found, epochs_of(new_step(small_graph)))
    assert warnings == []


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("fail_at", [2, 3, 5])  # the strict epoch, either recording
def test_where_it_cannot_be_recorded_training_goes_on_as_if_nothing_had_been_tried(
    small_graph: Data, fail_at: int, optimizer: str
) -> None:
    again, warnings = Again(fail_at), list[str]()
    found = epochs_of(CapturedStep(new_step(small_graph, optimizer), again, warnings.append))
    assert same(found, epochs_of(new_step(small_graph, optimizer)))
    assert len(again.calls) == fail_at + 1, "it is not tried again"
    assert warnings == [
        "the epoch could not be captured as a CUDA graph (operation not permitted when stream is capturing): "
        "training goes on without"
    ]


def test_a_fault_of_the_epoch_itself_is_not_hidden(small_graph: Data) -> None:
    step = new_step(small_graph)
    captured = CapturedStep(step, Again(), lambda message: None)
    for _ in range(2):
        captured.run(lens=False)
    step.targets = "what the objective does not take"
    step.distiller.objective.forward = lambda *inputs: torch.zeros(2) @ torch.zeros(3)  # type: ignore[union-attr]
    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        captured.run(lens=False)


def test_weights_that_change_are_not_those_of_the_recording(small_graph: Data) -> None:
    again = Again()
    step = new_step(small_graph)
    captured = CapturedStep(step, again, lambda message: None)
    for _ in range(5):
        captured.run(lens=False)
    step.distiller.objective.weight = 0.25  # type: ignore[union-attr,assignment]
    before = len(again.calls)
    assert captured.run(lens=False).weights == {"task": 1.0, "smooth": 0.25}
    assert len(again.calls) == before


def test_the_option_has_no_effect_without_cuda_and_says_so(
    small_graph: Data, make_recorder: Callable[..., Any]
) -> None:
    plain, asked = make_recorder(), make_recorder()
    for recorder, wanted in ((plain, False), (asked, True)):
        distiller = new_step(small_graph).distiller
        fit(distiller, small_graph, None, TRAINING.replace(cuda_graph=wanted), recorder)
    assert asked.numbers() == plain.numbers()
    assert plain.warnings == []
    assert [warning.split(":")[0] for warning in asked.warnings] == ["cuda_graph has no effect on cpu"]
