"""Epochs of mini-batches: a step on each, by the formulas of SGD in NumPy, and numbers that are their means."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workbench.methods.base import Objective
from workbench.models.base import Output
from workbench.spec import Training
from workbench.training import step as one_step
from workbench.training.batches import BatchStep, Part
from workbench.training.distiller import Distiller
from workbench.training.optimiser import make_optimiser
from workbench.training.state import Learner
from workbench.training.terms import backward

RATE = 0.05
PLAIN = Training(optimizer="sgd", learning_rate=RATE, weight_decay=0.0)
START = [0.5, -1.0, 2.0]
BATCHES = [np.random.default_rng(seed).normal(size=(rows, 4)) for seed, rows in enumerate((5, 3, 4))]  # x and, last, y


class Squares:
    """A task: the mean square of what a model gives, less what it should."""

    metrics = ("score", "loss")
    selection_metric = "score"

    def loss(self, logits: Tensor, batch: Any) -> Tensor:
        return (logits.view(-1) - batch).square().mean()

    def named(self, values: Any) -> dict[str, float]:
        return dict(zip(self.metrics, values, strict=True))


class Small(Objective):
    """Half the mean of squares, with a picture."""

    def targets(self, teacher: Any, batch: Any) -> None:
        return None

    def forward(self, student: Output, targets: Any, batch: Any) -> dict[str, Tensor]:
        return {"small": student.logits.square().mean() / 2}

    def weights(self) -> dict[str, float]:
        return {"task": 0.75, "small": 0.25}

    def pictures(self) -> dict[str, Tensor]:
        return {"map": torch.eye(2)}


class Toy(BatchStep):
    """Mini-batches as they are given."""

    def __init__(self, given: Sequence[np.ndarray], training: Training, objective: Objective | None = None) -> None:
        student = nn.Linear(3, 1, bias=False)
        student.weight.data = torch.tensor([START])
        distiller = Distiller(student, objective, Squares())
        super().__init__(
            distiller, Learner(distiller, make_optimiser(distiller, training), torch.device("cpu")), training
        )
        self.batches = [torch.from_numpy(batch).float() for batch in given]
        self.modes: list[bool] = []
        self.dtypes: list[torch.dtype] = []

    def parts(self) -> Sequence[Part]:
        return [partial(self._part, batch) for batch in self.batches]

    def _part(self, batch: Tensor) -> tuple[Any, Any, Output]:
        self.modes.append(self.distiller.training)
        logits = self.distiller.student(batch[:, :3])
        self.dtypes.append(logits.dtype)
        return batch[:, 3], None, Output(logits, [])

    def evaluate(self) -> tuple[dict[str, Tensor], Output]:
        self.distiller.eval()
        return {"val": torch.tensor([0.25, 0.5])}, Output(torch.zeros(1, 1), [])

    @property
    def weight(self) -> list[float]:
        found: list[float] = self.distiller.student.weight[0].tolist()  # type: ignore[index, operator]
        return found


def by_hand(
    given: Sequence[np.ndarray], task: float = 1.0, small: float = 0.0, clip: float = np.inf
) -> tuple[list[float], np.ndarray]:
    """The weights after a step on each, and per mini-batch value and gradient norm of both terms, and their cosine."""
    w, momentum, rows = np.array(START), np.zeros(3), []
    for batch in given:
        x, off = batch[:, :3], batch[:, :3] @ w - batch[:, 3]
        first, second = 2 * x.T @ off / len(x), x.T @ (x @ w) / len(x)
        norms = np.linalg.norm(first), np.linalg.norm(second)
        rows.append([(off**2).mean(), norms[0], ((x @ w) ** 2).mean() / 2, norms[1], first @ second / np.prod(norms)])
        gradient = task * first + small * second
        momentum = 0.9 * momentum + gradient * min(1.0, clip / np.linalg.norm(gradient))
        w = w - RATE * momentum
    return w.tolist(), np.array(rows)


def test_a_step_is_taken_on_every_mini_batch_in_turn() -> None:
    step = Toy(BATCHES, PLAIN)
    step.run(lens=False)
    assert step.weight == pytest.approx(by_hand(BATCHES)[0], rel=1e-5)
    assert step.modes == [True] * 3
    step.run(lens=False)
    assert step.modes == [True] * 6, "after an evaluation as well"


def test_numbers_are_means_over_the_mini_batches() -> None:
    step = Toy(BATCHES, PLAIN, Small())
    done = step.run(lens=False)
    weight, rows = by_hand(BATCHES, 0.75, 0.25)
    assert step.weight == pytest.approx(weight, rel=1e-5)
    numbers, means = done.numbers.fetch(), rows.mean(0)
    assert done.weights == {"task": 0.75, "small": 0.25}
    assert numbers["terms"][0][:2] == pytest.approx(means[:2], rel=1e-5)
    assert numbers["terms"][1][:2] == pytest.approx(means[2:4], rel=1e-5)
    assert np.isnan([row[2] for row in numbers["terms"]]).all()
    assert numbers["val"] == pytest.approx([0.25, 0.5])
    assert step.mean_loss == pytest.approx(0.75 * means[0] + 0.25 * means[2], rel=1e-5)
    assert torch.equal(done.pictures["map"], torch.eye(2))


def test_the_lens_looks_at_the_last_mini_batch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []

    def watched(*given: Any) -> Any:
        looks.append(given[-1])
        return backward(*given)

    monkeypatch.setattr(one_step, "backward", watched)
    done = Toy(BATCHES, PLAIN, Small()).run(lens=True)
    _, rows = by_hand(BATCHES, 0.75, 0.25)
    assert done.numbers.fetch()["terms"][1][2] == pytest.approx(rows[-1, 4], rel=1e-4)
    assert looks == [False, False, True], "it may cost another backward pass"


def test_every_step_is_clipped_by_itself() -> None:
    step = Toy(BATCHES, PLAIN.replace(gradient_clip=0.5))
    step.run(lens=False)
    assert step.weight == pytest.approx(by_hand(BATCHES, clip=0.5)[0], rel=1e-4)
    assert step.weight != pytest.approx(by_hand(BATCHES)[0], rel=1e-2)


def test_a_mini_batch_that_is_not_finite_is_left_out() -> None:
    broken = BATCHES[1].copy()
    broken[0, 0] = np.nan
    step = Toy([BATCHES[0], broken, BATCHES[2]], PLAIN)
    done = step.run(lens=False)
    assert step.weight == pytest.approx(by_hand([BATCHES[0], BATCHES[2]])[0], rel=1e-5)
    assert np.isnan(done.numbers.fetch()["terms"][0][0]), "and it is seen that there was one"


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_the_forward_pass_of_a_step_has_the_precision_that_was_asked_for(precision: str, dtype: torch.dtype) -> None:
    step = Toy(BATCHES, PLAIN.replace(precision=precision))
    step.run(lens=False)
    assert step.dtypes == [dtype] * 3
    assert step.weight == pytest.approx(by_hand(BATCHES)[0], abs=0.05)
