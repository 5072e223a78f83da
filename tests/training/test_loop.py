from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from workbench.errors import RunError, Stopped
from workbench.methods.base import Objective
from workbench.models.gcn import GCN
from workbench.spec import Training
from workbench.tasks import NodeClassification
from workbench.training.checkpoint import Checkpoint, load_tensors, save_tensors
from workbench.training.distiller import Distiller
from workbench.training.loop import encode, fit
from workbench.training.random_state import seed_everything

SHORT = Training(epochs=12, patience=0, learning_rate=0.05, keep_every=5)


class ListRecorder:
    """Remembers everything; stops and stores a checkpoint when told to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.records: list[dict[str, Any]] = []
        self.kept: list[int] = []
        self.warnings: list[str] = []
        self.stop_after = stop_after
        self.saved: Checkpoint | None = None

    def epoch(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def keep(self, epoch: int, output: Any, pictures: dict[str, torch.Tensor]) -> None:
        self.kept.append(epoch)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        if self.stop_requested():
            self.saved = make()

    def stop_requested(self) -> bool:
        return self.stop_after is not None and len(self.records) >= self.stop_after


@pytest.fixture
def small_graph() -> Data:
    """60 nodes, 3 classes, features that carry the class with noise, mostly edges within a class."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 3
    x = torch.nn.functional.one_hot(y, 3).float() + 0.8 * torch.randn(60, 3, generator=generator)
    source = torch.randint(0, 60, (200,), generator=generator)
    shift = 3 * torch.randint(1, 20, (200,), generator=generator)
    target = (source + shift) % 60
    masks = [(torch.arange(60) // 20) == part for part in range(3)]
    return Data(
        x=x,
        y=y,
        edge_index=torch.stack([torch.cat([source, target]), torch.cat([target, source])]),
        train_mask=masks[0],
        val_mask=masks[1],
        test_mask=masks[2],
    )


class Constant(Objective):
    """A term that is ``value`` whatever the student does."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, student: Any, targets: Any, batch: Any) -> dict[str, torch.Tensor]:
        return {"constant": student.logits.sum() * 0 + self.value}

    def weights(self) -> dict[str, float]:
        return {"constant": 1.0}


def distiller(objective: Objective | None = None) -> Distiller:
    seed_everything(0, deterministic=True)
    return Distiller(GCN(3, 8, 3, dropout=0.5), objective, NodeClassification())


def test_training_learns_and_returns_the_best_validation_epoch(small_graph: Data) -> None:
    recorder = ListRecorder()
    model = distiller()
    fitted = fit(model, small_graph, None, Training(epochs=60, patience=0, learning_rate=0.05), recorder)
    scores = [(r["val"]["accuracy"], -r["val"]["loss"]) for r in recorder.records]
    assert fitted.best.epoch == 1 + scores.index(max(scores))
    model.student.load_state_dict(fitted.weights)
    output = encode(model.student, small_graph, Training())
    found = model.task.evaluate(output.logits, small_graph, "val")
    assert found["accuracy"] == pytest.approx(max(scores)[0])
    assert found["accuracy"] > 0.6


def test_nothing_about_the_test_nodes_enters_training(small_graph: Data) -> None:
    honest = fit(distiller(), small_graph, None, SHORT, ListRecorder())
    tampered = small_graph.clone()
    tampered.y[tampered.test_mask] = 0
    tampered.test_mask = torch.zeros_like(tampered.test_mask)
    again = fit(distiller(), tampered, None, SHORT, ListRecorder())
    assert again.best == honest.best
    assert all(torch.equal(again.weights[key], value) for key, value in honest.weights.items())


def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(small_graph: Data, tmp_path: Any) -> None:
    whole = ListRecorder()
    expected = fit(distiller(), small_graph, None, SHORT, whole)
    first = ListRecorder(stop_after=5)
    with pytest.raises(Stopped):
        fit(distiller(), small_graph, None, SHORT, first)
    assert first.saved is not None
    save_tensors(tmp_path / "c.safetensors", first.saved.tensors, first.saved.header)
    torch.manual_seed(999)  # whatever happened in between
    second = ListRecorder()
    model = Distiller(GCN(3, 8, 3, dropout=0.5), None, NodeClassification())
    found = fit(model, small_graph, None, SHORT, second, load_tensors(tmp_path / "c.safetensors"))
    losses = [record["loss"] for record in first.records + second.records]
    assert losses == [record["loss"] for record in whole.records]
    assert found.best == expected.best
    assert all(torch.equal(found.weights[key], value) for key, value in expected.weights.items())


def test_patience_stops_after_that_many_epochs_without_a_better_one(small_graph: Data) -> None:
    fitted = fit(distiller(), small_graph, None, Training(epochs=500, patience=7, learning_rate=0.05), ListRecorder())
    assert fitted.epochs == fitted.best.epoch + 7


def test_kept_epochs_are_the_first_and_every_so_many(small_graph: Data) -> None:
    recorder = ListRecorder()
    fit(distiller(), small_graph, None, SHORT, recorder)
    assert recorder.kept == [1, 5, 10]


def test_every_term_is_recorded_with_value_weight_and_gradient_norm(small_graph: Data) -> None:
    recorder = ListRecorder()
    fit(distiller(), small_graph, None, SHORT, recorder)
    for record in recorder.records:
        term = record["terms"]["task"]
        assert record["loss"] == pytest.approx(term["value"] * term["weight"])
        assert term["gradient"] > 0


def test_a_term_that_stays_at_zero_is_reported_once(small_graph: Data) -> None:
    recorder = ListRecorder()
    fit(distiller(Constant(0.0)), small_graph, None, Training(epochs=30, patience=0), recorder)
    assert len(recorder.warnings) == 1
    assert "'constant' had a value of zero" in recorder.warnings[0]


def test_a_term_that_is_cut_off_from_the_student_is_reported_and_training_goes_on(small_graph: Data) -> None:
    class Detached(Constant):
        def forward(self, student: Any, targets: Any, batch: Any) -> dict[str, torch.Tensor]:
            return {"constant": student.logits.detach().mean() * 0 + self.value}

    recorder = ListRecorder()
    fit(distiller(Detached(2.0)), small_graph, None, Training(epochs=60, patience=0, learning_rate=0.05), recorder)
    assert recorder.warnings == [
        "term 'constant' had a gradient on the student of zero for 10 epochs: it is not teaching anything"
    ]
    assert recorder.records[-1]["terms"]["task"]["value"] < recorder.records[0]["terms"]["task"]["value"]


def test_what_is_recorded_can_be_written_as_json(small_graph: Data) -> None:
    import json

    broken = small_graph.clone()
    broken.x[broken.val_mask] = math.inf
    recorder = ListRecorder()
    with pytest.raises(RunError, match="no epoch gave a finite validation loss"):
        fit(distiller(), broken, None, Training(epochs=3, patience=0), recorder)
    json.dumps(recorder.records, allow_nan=False)


def test_small_pictures_are_logged_every_epoch(small_graph: Data) -> None:
    class Picture(Constant):
        def pictures(self) -> dict[str, torch.Tensor]:
            return {"map": torch.tensor([[0.123456, 1.0]]), "large": torch.zeros(100, 100)}

    recorder = ListRecorder()
    fit(distiller(Picture(1.0)), small_graph, None, SHORT, recorder)
    assert all(record["pictures"] == {"map": [[0.1235, 1.0]]} for record in recorder.records)


def test_a_term_that_is_not_finite_is_reported_and_spoils_no_weights(small_graph: Data) -> None:
    recorder = ListRecorder()
    model = distiller(Constant(math.nan))
    before = {key: value.clone() for key, value in model.student.state_dict().items()}
    fit(model, small_graph, None, Training(epochs=5, patience=0), recorder)
    assert "'constant' was not finite" in recorder.warnings[0]
    assert all(torch.equal(model.student.state_dict()[key], value) for key, value in before.items())
    assert recorder.records[0]["terms"]["constant"]["value"] is None


def test_a_loss_that_never_becomes_finite_ends_the_run(small_graph: Data) -> None:
    with pytest.raises(RunError, match="not finite for 50 epochs"):
        fit(distiller(Constant(math.inf)), small_graph, None, Training(epochs=100, patience=0), ListRecorder())


def test_bfloat16_trains_to_a_similar_loss(small_graph: Data) -> None:
    full, half = ListRecorder(), ListRecorder()
    fit(distiller(), small_graph, None, SHORT, full)
    fit(distiller(), small_graph, None, SHORT.replace(precision="bfloat16"), half)
    assert half.records[-1]["val"]["loss"] == pytest.approx(full.records[-1]["val"]["loss"], abs=0.1)


def test_accuracy_agrees_with_torchmetrics(small_graph: Data) -> None:
    from torchmetrics.functional.classification import multiclass_accuracy

    logits = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    found = NodeClassification().evaluate(logits, small_graph, "val")["accuracy"]
    mask = small_graph.val_mask
    assert found == pytest.approx(multiclass_accuracy(logits[mask], small_graph.y[mask], 3, average="micro").item())
