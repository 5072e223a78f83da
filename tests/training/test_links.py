"""Epochs on a window of snapshots: whose scores are learned from, what the teacher knows of them, how it goes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.datasets.snapshots import SnapshotSequence
from workbench.errors import RunError, Stopped
from workbench.methods import Distill2Vec, Sum, Widths
from workbench.models import DySAT
from workbench.models.snapshot_window import SnapshotWindow
from workbench.spec import Training
from workbench.tasks.link_prediction import LinkClassifier, LinkPrediction, link_metrics
from workbench.training.distiller import Distiller
from workbench.training.links import Draws, LinkStep, Pairs, TeacherView
from workbench.training.loop import train_epochs
from workbench.training.random_state import seed_everything
from workbench.training.walks import Contexts

MakeRecorder = Callable[..., Any]
TRAINING = Training(
    epochs=6, patience=0, learning_rate=0.02, batch_size=6, gradient_clip=1.0, keep_every=2, lens_every=2
)
STEPS = range(1, 4)
KNOWN = 14  # the nodes of a teacher, who learned before the others were born


@pytest.fixture(scope="module")
def sequence() -> SnapshotSequence:
    """Two communities that hardly link to each other; some nodes are born late, one has no link after its birth."""
    rng = np.random.default_rng(0)
    events = [(0, 1, 0.5), (2, 18, 0.5)]
    for snapshot in range(5):
        here = [n for n in range(20) if n < 12 + 2 * snapshot and n != 18]
        for _ in range(40):
            a = int(rng.choice(here))
            b = int(rng.choice([n for n in here if n % 2 == a % 2 or rng.random() < 0.05]))
            events.append((a, b, snapshot + 0.5))
    src, dst, time = zip(*events, strict=True)
    return SnapshotSequence.from_events(src, dst, time, slicing="boundaries", boundaries=range(6), num_nodes=20)


@pytest.fixture(scope="module")
def pairs(sequence: SnapshotSequence) -> tuple[Pairs, Pairs]:
    """Links of snapshot 4 to train on and to validate on, and pairs without one."""
    links = sequence.links[4][:, (sequence.links[4] < sequence.seen(3)).all(0)]
    links = links[:, links[0] != links[1]]
    linked = {tuple(pair) for t in range(5) for pair in sequence.links[t].T.tolist()}
    free = [(a, b) for a in range(sequence.seen(3)) for b in range(a) if (b, a) not in linked]
    others = torch.tensor(free)[torch.randperm(len(free), generator=torch.Generator().manual_seed(0))].T
    return Pairs(links[:, :8], others[:, :8]), Pairs(links[:, 8:20], others[:, 8:20])


def walked(sequence: SnapshotSequence) -> list[Contexts]:
    options = {"walks": 5, "length": 8, "reach": 3}
    return [
        Contexts.of(
            sequence.edge_index(t),
            sequence.edge_weight(t),
            sequence.num_nodes,
            generator=torch.Generator().manual_seed(t),
            **options,
        )
        for t in STEPS
    ]


def window_of(sequence: SnapshotSequence, selection: tuple[Pairs, Pairs] | None) -> SnapshotWindow:
    also = None if selection is None else torch.cat([part.both.view(-1) for part in selection])
    return SnapshotWindow.of(sequence, STEPS, also=also, active=True)


def start(
    sequence: SnapshotSequence,
    selection: tuple[Pairs, Pairs] | None = None,
    teacher: TeacherView | None = None,
    training: Training = TRAINING,
    seed: int = 0,
    dropout: float = 0.2,
    contexts: Any = None,
    gamma: float = 0.25,
) -> LinkStep:
    seed_everything(seed, deterministic=True)
    student = DySAT(sequence.seen(3), 8, 2, 2, structural_dropout=dropout, temporal_dropout=dropout)
    method = Sum((Distill2Vec(gamma=gamma),)).build(Widths((6,), 6), Widths((8,), 8)) if teacher else None
    distiller = Distiller(student, method, LinkPrediction())
    window, made = window_of(sequence, selection), contexts or walked(sequence)
    return LinkStep(distiller, window, made, teacher, selection, Draws(5, 4), training)


def teacher_view(steps: int = 6, nodes: int = KNOWN, width: int = 6) -> TeacherView:
    return TeacherView(torch.randn(nodes, steps, width, generator=torch.Generator().manual_seed(5)))


class Seen:
    """Contexts that note who was asked for and what was drawn."""

    def __init__(self, inner: Contexts) -> None:
        self.inner = inner
        self.active = inner.active
        self.rows: list[tuple[int, list[int]]] = []  # a node, and its contexts and negatives

    def draw(self, nodes: Tensor, count: int) -> Tensor:
        found = self.inner.draw(nodes, count)
        self.rows += zip(nodes.tolist(), found.tolist(), strict=True)
        return found

    def draw_negatives(self, rows: int, count: int) -> Tensor:
        found = self.inner.draw_negatives(rows, count)
        first = len(self.rows) - rows
        self.rows[first:] = [(n, c + more) for (n, c), more in zip(self.rows[first:], found.tolist(), strict=True)]
        return found


def test_an_epoch_has_every_node_once_per_snapshot_where_it_has_contexts(sequence: SnapshotSequence) -> None:
    seen = [Seen(contexts) for contexts in walked(sequence)]
    step = start(sequence, contexts=seen)
    centres = torch.stack([contexts.active for contexts in seen]).any(0).sum().item()
    orders = []
    for _ in range(2):
        for contexts in seen:
            contexts.rows.clear()
        parts = step.parts()
        assert len(parts) == math.ceil(centres / 6)
        for part in parts:
            part()
        for contexts in seen:
            assert sorted(node for node, _ in contexts.rows) == contexts.active.nonzero().view(-1).tolist()
            assert {len(candidates) for _, candidates in contexts.rows} == {5 + 4}
        orders.append([node for node, _ in seen[0].rows])
    assert orders[0] != orders[1]
    assert len(start(sequence, training=TRAINING.replace(batch_size=None)).parts()) == 1


def test_scores_are_inner_products_of_embeddings_at_the_rows_snapshot(sequence: SnapshotSequence) -> None:
    view, seen = teacher_view(), [Seen(contexts) for contexts in walked(sequence)]
    step = start(sequence, teacher=view, dropout=0.0, contexts=seen)
    whole = step.student.encode(SnapshotWindow.of(sequence, STEPS)).sequence  # (N, W, d), of every node
    assert whole is not None
    batch, targets, output = step.parts()[0]()
    rows = [(number, *row) for number, contexts in enumerate(seen) for row in contexts.rows]
    assert batch.step.tolist() == [number for number, _, _ in rows]
    assert batch.positives == 5
    known = 0
    for place, (number, node, candidates) in enumerate(rows):
        for column, other in enumerate(candidates):
            expected = whole[node, number] @ whole[other, number]
            assert output.logits[place, column].item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-6)
            assert batch.known[place, column].item() == (max(node, other) < KNOWN)
            if batch.known[place, column]:
                known += 1
                # The teacher's window has six snapshots and the student's three; both end with the present one.
                expected = view.sequence[node, 3 + number] @ view.sequence[other, 3 + number]
                assert targets["distill2vec"][place, column].item() == pytest.approx(expected.item(), rel=1e-4)
    assert 0 < known < batch.known.numel()


def test_what_a_teacher_cannot_know_is_said() -> None:
    view = teacher_view(steps=2, nodes=4)
    centres, candidates = torch.tensor([0, 3, 4, 1]), torch.tensor([[1, 3], [4, 2], [0, 1], [2, 3]])
    from_last = torch.tensor([0, 1, 0, 2])  # the last row is of a snapshot that its window does not reach
    scores, known = view.scores(centres, candidates, from_last)
    assert known.tolist() == [[True, True], [False, True], [False, False], [False, False]]
    assert scores.isfinite().all()
    for row, column in known.nonzero().tolist():
        at = 1 - from_last[row]
        expected = view.sequence[centres[row], at] @ view.sequence[candidates[row, column], at]
        assert scores[row, column].item() == pytest.approx(expected.item(), rel=1e-5)


def test_epochs_lower_the_loss_and_tell_links_from_others(
    sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs], make_recorder: MakeRecorder
) -> None:
    step, recorder = start(sequence, pairs, dropout=0.0), make_recorder()
    fitted = train_epochs(step, step.distiller, TRAINING.replace(epochs=25), recorder)
    losses = [record["loss"] for record in recorder.records]
    assert losses[-1] < 0.85 * losses[0]
    assert recorder.warnings == []
    assert recorder.records[fitted.best.epoch - 1]["val"]["auc"] > 0.8, "communities are easy to tell"
    assert recorder.kept[:3] == [1, 2, 4]


def test_validation_is_a_regression_on_products_of_the_pairs_embeddings(
    sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs]
) -> None:
    step = start(sequence, pairs)
    step.run(lens=False)
    numbers, output = step.evaluate()
    assert not output.logits.requires_grad
    present = step.student.encode(SnapshotWindow.of(sequence, STEPS)).logits.detach().double().numpy()
    x = {name: np.array([present[a] * present[b] for a, b in part.both.T.tolist()])
         for name, part in zip(("train", "val"), pairs, strict=True)}  # fmt: skip
    truth = {name: np.repeat([True, False], len(found) // 2) for name, found in x.items()}
    classifier = LinkClassifier.fit(x["train"], truth["train"])
    for name in ("train", "val"):
        chance = classifier.chances(x[name])
        loss = -np.where(truth[name], np.log(chance), np.log(1 - chance)).mean()
        expected = [*link_metrics(chance, truth[name]).values(), loss]
        assert numbers[name].tolist() == pytest.approx(expected, rel=1e-4)


def test_pairs_stand_with_the_links_first() -> None:
    found = Pairs(torch.tensor([[0, 1], [2, 3]]), torch.tensor([[4, 5], [6, 7]]))
    assert found.both.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert found.truth.tolist() == [True, True, False, False]


def test_where_nothing_can_be_validated_the_lowest_loss_selects(
    sequence: SnapshotSequence, make_recorder: MakeRecorder
) -> None:
    step, recorder = start(sequence), make_recorder()
    fitted = train_epochs(step, step.distiller, TRAINING, recorder)
    losses = [record["loss"] for record in recorder.records]
    assert fitted.best.epoch == 1 + losses.index(min(losses))
    assert recorder.kept == [1, 2, 4, 6], "an output without gradients, which can be stored"
    for record in recorder.records:
        assert record["train"] == {}
        assert record["val"] == {"auc": None, "average_precision": None, "loss": pytest.approx(record["loss"])}


def test_a_student_approaches_its_teacher(sequence: SnapshotSequence, make_recorder: MakeRecorder) -> None:
    """One who believes in three groups where the links know two: it is followed most where only that counts."""
    groups = 2 * torch.nn.functional.one_hot(torch.arange(KNOWN) % 3).float()
    view, found = TeacherView(groups[:, None].expand(-1, 4, -1)), {}
    for gamma in (0.25, 1.0):
        step, recorder = start(sequence, teacher=view, dropout=0.0, gamma=gamma), make_recorder()
        train_epochs(step, step.distiller, TRAINING.replace(epochs=20), recorder)
        terms = [record["terms"] for record in recorder.records]
        assert [terms[0][name]["weight"] for name in ("task", "distill2vec")] == [1 - gamma, gamma]
        assert terms[0]["distill2vec"]["gradient"] > 0
        assert abs(terms[0]["distill2vec"]["cosine"]) <= 1
        found[gamma] = [epoch["distill2vec"]["value"] for epoch in terms]
    assert found[1.0][-1] < 0.7 * found[1.0][0]
    assert found[1.0][-1] < found[0.25][-1]


def run(sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs], recorder: Any, seed: int = 0, saved: Any = None) -> Any:
    step = start(sequence, pairs, teacher_view(), seed=seed)
    return train_epochs(step, step.distiller, TRAINING, recorder, saved)


def test_a_seed_fixes_every_epoch(
    sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs], make_recorder: MakeRecorder
) -> None:
    recorders = [make_recorder() for _ in range(3)]
    fitted = [run(sequence, pairs, recorder, seed) for recorder, seed in zip(recorders, (0, 0, 1), strict=True)]
    assert recorders[0].numbers() == recorders[1].numbers() != recorders[2].numbers()
    assert all(torch.equal(fitted[1].weights[key], value) for key, value in fitted[0].weights.items())


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs], make_recorder: MakeRecorder
) -> None:
    whole, first, second = make_recorder(), make_recorder(stop_after=3), make_recorder()
    expected = run(sequence, pairs, whole)
    with pytest.raises(Stopped):
        run(sequence, pairs, first)
    found = run(sequence, pairs, second, seed=9, saved=first.saved)
    assert first.numbers() + second.numbers() == whole.numbers()
    assert all(torch.equal(found.weights[key], value) for key, value in expected.weights.items())


def test_weights_that_are_not_finite_are_never_selected(
    sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs], make_recorder: MakeRecorder
) -> None:
    step = start(sequence, pairs)
    torch.nn.init.constant_(step.student.embedding, math.nan)
    with pytest.raises(RunError, match="no epoch gave a finite validation loss"):
        train_epochs(step, step.distiller, TRAINING, make_recorder())


def test_snapshots_without_links_between_nodes_are_refused() -> None:
    lonely = SnapshotSequence.from_snapshot_column([0, 1, 2, 4], [0, 1, 1, 0], [1, 1, 1, 1])
    window = SnapshotWindow.of(lonely, [1, 2, 3], active=True)
    contexts = [
        Contexts.of(lonely.edge_index(t), lonely.edge_weight(t), 2, walks=1, length=2, reach=1) for t in (1, 2, 3)
    ]
    distiller = Distiller(DySAT(2, 4, 1, 2), None, LinkPrediction())
    with pytest.raises(RunError, match=r"no link between two nodes in snapshots 1 to 3.*take longer slices"):
        LinkStep(distiller, window, contexts, None, None, Draws(2, 2), TRAINING)


def test_a_snapshot_without_links_among_others_is_passed_over(make_recorder: MakeRecorder) -> None:
    gap = SnapshotSequence.from_snapshot_column([0, 0, 2, 2], [0, 1, 0, 2], [1, 2, 2, 1])
    contexts = [Contexts.of(gap.edge_index(t), gap.edge_weight(t), 3, walks=2, length=4, reach=2) for t in range(3)]
    distiller = Distiller(DySAT(3, 4, 1, 2), None, LinkPrediction())
    step = LinkStep(distiller, SnapshotWindow.of(gap, range(3)), contexts, None, None, Draws(2, 2), TRAINING)
    batch, _, _ = step.parts()[0]()
    assert set(batch.step.tolist()) == {0, 2}
    recorder = make_recorder()
    train_epochs(step, distiller, TRAINING, recorder)
    assert all(record["loss"] is not None for record in recorder.records)


def test_bfloat16_trains(sequence: SnapshotSequence, pairs: tuple[Pairs, Pairs], make_recorder: MakeRecorder) -> None:
    training, recorder = TRAINING.replace(precision="bfloat16"), make_recorder()
    step = start(sequence, pairs, teacher_view(), training)
    batch, _, _ = step.parts()[0]()
    assert batch.known is not None
    train_epochs(step, step.distiller, training, recorder)
    assert recorder.warnings == []
    assert all(record["loss"] is not None for record in recorder.records)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_weight_decay_leaves_nodes_outside_the_window_alone(sequence: SnapshotSequence, optimizer: Any) -> None:
    training = TRAINING.replace(optimizer=optimizer, weight_decay=0.3)
    step = start(sequence, training=training)
    inside = torch.zeros(step.student.num_nodes, dtype=torch.bool)
    inside[step.window.nodes] = True
    assert not inside.all()
    before = step.student.embedding.detach().clone()
    step.run(lens=False)
    after = step.student.embedding.detach()
    assert torch.equal(after[~inside], before[~inside])
    assert (after[inside] != before[inside]).any(1).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_weight_decay_of_the_table_is_that_of_the_optimiser(sequence: SnapshotSequence, optimizer: Any) -> None:
    """One step from the same gradient: plain decay shifts a row by rate · decay · row."""
    moved = []
    for decay in (0.0, 0.3):
        step = start(sequence, training=TRAINING.replace(optimizer=optimizer, weight_decay=decay, batch_size=10_000))
        before = step.student.embedding.detach().clone()
        step.run(lens=False)
        moved.append(step.student.embedding.detach())
    rows = step.window.nodes
    torch.testing.assert_close(moved[1][rows], moved[0][rows] - 0.02 * 0.3 * before[rows], rtol=1e-4, atol=1e-6)
