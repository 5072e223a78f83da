"""Epochs of a model of snapshots: steps on mini-batches of nodes, with contexts drawn anew each time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import RunError
from workbench.models.base import Output
from workbench.tasks.link_prediction import Candidates, LinkClassifier, hadamard, link_metrics
from workbench.training.batches import BatchStep, Part
from workbench.training.optimiser import make_optimiser
from workbench.training.state import Learner

if TYPE_CHECKING:
    from workbench.models.dysat import DySAT
    from workbench.models.snapshot_window import SnapshotWindow
    from workbench.spec import Training
    from workbench.training.distiller import Distiller
    from workbench.training.walks import Contexts


@dataclass(frozen=True)
class Pairs:
    """Node pairs (2, m) with a link or without one: ``links`` and ``others``, as many of each."""

    links: Tensor
    others: Tensor

    @property
    def both(self) -> Tensor:
        """All of them (2, 2 m), those with a link first."""
        return torch.cat([self.links, self.others], dim=1)

    @property
    def truth(self) -> np.ndarray:
        """Which of :attr:`both` are links (2 m,)."""
        return np.arange(2 * self.links.shape[1]) < self.links.shape[1]


@dataclass(frozen=True)
class TeacherView:
    """What a frozen teacher sees: embeddings (K, W, d) of the nodes 0 … K − 1 that it knows, present one last."""

    sequence: Tensor

    def scores(self, centres: Tensor, candidates: Tensor, step_from_last: Tensor) -> tuple[Tensor, Tensor]:
        """Inner products (R, C), and where both nodes are known (R, C); ``step_from_last`` (R,) is 0 at the present."""
        size, steps, _ = self.sequence.shape
        step = steps - 1 - step_from_last  # (R,)
        known = (centres < size)[:, None] & (candidates < size) & (step >= 0)[:, None]
        flat = self.sequence.reshape(size * steps, -1)
        at = step.clamp(min=0)
        mine = flat[centres.clamp(max=size - 1) * steps + at]  # (R, d)
        others = flat[candidates.clamp(max=size - 1) * steps + at[:, None]]  # (R, C, d)
        return torch.einsum("rd,rcd->rc", mine, others), known


@dataclass(frozen=True)
class Draws:
    """How many contexts and negatives each node gets."""

    positives: int
    negatives: int


class LinkStep(BatchStep):
    """Epochs over the nodes of one window.

    ``window`` holds the active nodes and those of ``selection``'s pairs; ``contexts`` the walks of each of its
    snapshots. An epoch ends with the embeddings of the pairs: logistic regression on the ``train`` pairs
    is judged on the ``val`` pairs. The test pairs are not here.
    """

    def __init__(
        self,
        distiller: Distiller,
        window: SnapshotWindow,
        contexts: Sequence[Contexts],
        teacher: TeacherView | None,
        selection: tuple[Pairs, Pairs] | None,
        draws: Draws,
        training: Training,
    ) -> None:
        super().__init__(
            distiller, Learner(distiller, make_optimiser(distiller, training), window.weight.device), training
        )
        self.window = window
        self.contexts = contexts
        self.teacher = teacher
        self.selection = selection
        self.draws = draws
        active = torch.stack([each.active for each in contexts], dim=1)  # (N, W)
        self._active = active[window.nodes]  # (n, W)
        self._centres = self._active.any(1).nonzero().view(-1)  # places in the window
        if not self._centres.numel():
            raise RunError(
                f"there is no link between two nodes in snapshots {window.steps[0]} to {window.steps[-1]}, so there is "
                f"nothing to learn from: take longer slices, or a longer window"
            )

    @property
    def student(self) -> DySAT:
        found: Any = self.distiller.student
        return found

    def parts(self) -> Sequence[Part]:
        """Mini-batches of nodes in random order."""
        shuffled = self._centres[torch.randperm(self._centres.numel(), device=self._centres.device)]
        size = self.training.batch_size or shuffled.numel()
        return [partial(self._batch, nodes) for nodes in torch.split(shuffled, size)]

    def before_step(self) -> None:
        """Decay the rows of the table that belong to the window's nodes. The others have no gradient: decayed by Adam,
        which takes steps of one length, they would be forgotten within a few epochs."""
        table, decay, nodes = self.student.embedding, self.training.weight_decay, self.window.nodes
        if not decay or table.grad is None:
            return
        if self.training.optimizer == "adamw":
            with torch.no_grad():
                table[nodes] *= 1 - self.training.learning_rate * decay
        else:
            table.grad[nodes] += decay * table.detach()[nodes]

    def _batch(self, nodes: Tensor) -> tuple[Any, Any, Output]:
        """Candidates of ``nodes`` (B,) in every snapshot where they have contexts, and the student's scores of them."""
        rows, steps, candidates = [], [], []
        for number, walks in enumerate(self.contexts):
            here = nodes[self._active[nodes, number]]
            drawn = torch.cat(
                [
                    walks.draw(self.window.nodes[here], self.draws.positives),
                    walks.draw_negatives(here.numel(), self.draws.negatives),
                ],
                dim=1,
            )
            rows.append(here)
            steps.append(torch.full_like(here, number))
            candidates.append(drawn)
        row, step, drawn = torch.cat(rows), torch.cat(steps), torch.cat(candidates)  # (R,), (R,), (R, C)
        needed, places = torch.unique(torch.cat([row, self.window.places(drawn).view(-1)]), return_inverse=True)
        sequence = self.student.encode(self.window, needed).sequence  # (m, W, d)
        assert sequence is not None
        output = _scores(sequence, places[: row.numel()], places[row.numel() :].view(drawn.shape), step)
        batch = Candidates(step, self.draws.positives)
        if self.teacher is None:
            return batch, None, output
        from_last = len(self.window) - 1 - step
        scores, known = self.teacher.scores(self.window.nodes[row], drawn, from_last)
        batch = Candidates(step, self.draws.positives, known)
        return batch, self._targets(Output(scores, []), batch), output

    def _targets(self, teacher: Output, batch: Candidates) -> Any:
        objective: Any = self.distiller.objective
        return None if objective is None else objective.targets(teacher, batch)

    def evaluate(self) -> tuple[dict[str, Tensor], Output]:
        """Metrics (3,) on the ``train`` pairs, that regression was fitted on, and on the ``val`` pairs."""
        self.student.eval()
        if self.selection is None:
            return {"val": torch.tensor([math.nan, math.nan, self.mean_loss])}, Output(
                self.student.embedding.detach(), []
            )
        train, val = self.selection
        pairs = torch.cat([train.both, val.both], dim=1).to(self.window.nodes.device)
        nodes, places = torch.unique(pairs, return_inverse=True)
        with torch.no_grad():
            output = self.student.encode(self.window, self.window.places(nodes))
        features = hadamard(output.logits, places.view(2, -1)).cpu().double().numpy()
        return _judged(features, train, val), output


def _judged(features: np.ndarray, train: Pairs, val: Pairs) -> dict[str, Tensor]:
    """Metrics (3,) of logistic regression on the pairs that it was fitted on, and on those for selection."""
    split = train.both.shape[1]
    parts = {"train": (features[:split], train.truth), "val": (features[split:], val.truth)}
    if not np.isfinite(features).all():
        return {name: torch.full((3,), math.nan) for name in parts}
    classifier = LinkClassifier.fit(*parts["train"])
    found = {}
    for name, (x, truth) in parts.items():
        chance = classifier.chances(x)
        loss = -np.log(np.clip(np.where(truth, chance, 1 - chance), 1e-12, 1)).mean()
        found[name] = torch.tensor([*link_metrics(chance, truth).values(), loss])
    return found


def _scores(sequence: Tensor, centres: Tensor, candidates: Tensor, step: Tensor) -> Output:
    """Inner products (R, C) of ``sequence`` (m, W, d) between centres (R,) and candidates (R, C) at a step (R,)."""
    steps = sequence.shape[1]
    flat = sequence.reshape(-1, sequence.shape[2])
    mine = flat.index_select(0, centres * steps + step)  # (R, d)
    others = flat.index_select(0, (candidates * steps + step[:, None]).view(-1)).view(*candidates.shape, -1)
    return Output(torch.einsum("rd,rcd->rc", mine, others), [mine])
