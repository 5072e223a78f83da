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
from workbench.training.checkpoint import load_tensors, save_tensors
from workbench.training.distiller import Distiller
from workbench.training.loop import encode, fit
from workbench.training.random_state import seed_everything
from workbench.training.step import Step

MakeRecorder = Callable[..., Any]
SHORT = Training(epochs=12, patience=0, learning_rate=0.05, keep_every=5)


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


def test_training_learns_and_returns_the_best_validation_epoch(small_graph: Data, make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    model = distiller()
    fitted = fit(model, small_graph, None, Training(epochs=60, patience=0, learning_rate=0.05), recorder)
    scores = [(r["val"]["accuracy"], -r["val"]["loss"]) for r in recorder.records]
    assert fitted.best.epoch == 1 + scores.index(max(scores))
    model.student.load_state_dict(fitted.weights)
    output = encode(model.student, small_graph, Training())
    found = model.task.evaluate(output.logits, small_graph, "val")
    assert found["accuracy"] == pytest.approx(max(scores)[0])
    assert found["accuracy"] > 0.6


def test_nothing_about_the_test_nodes_enters_training(small_graph: Data, make_recorder: MakeRecorder) -> None:
    honest = fit(distiller(), small_graph, None, SHORT, make_recorder())
    tampered = small_graph.clone()
    tampered.y[tampered.test_mask] = 0
    tampered.test_mask = torch.zeros_like(tampered.test_mask)
    again = fit(distiller(), tampered, None, SHORT, make_recorder())
    assert again.best == honest.best
    assert all(torch.equal(again.weights[key], value) for key, value in honest.weights.items())


def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(
    small_graph: Data, tmp_path: Any, make_recorder: MakeRecorder
) -> None:
    whole = make_recorder()
    expected = fit(distiller(), small_graph, None, SHORT, whole)
    first = make_recorder(stop_after=5)
    with pytest.raises(Stopped):
        fit(distiller(), small_graph, None, SHORT, first)
    assert first.saved is not None
    save_tensors(tmp_path / "c.safetensors", first.saved.tensors, first.saved.header)
    torch.manual_seed(999)  # whatever happened in between
    second = make_recorder()
    model = Distiller(GCN(3, 8, 3, dropout=0.5), None, NodeClassification())
    found = fit(model, small_graph, None, SHORT, second, load_tensors(tmp_path / "c.safetensors"))
    losses = [record["loss"] for record in first.records + second.records]
    assert losses == [record["loss"] for record in whole.records]
    assert found.best == expected.best
    assert all(torch.equal(found.weights[key], value) for key, value in expected.weights.items())


def test_patience_stops_after_that_many_epochs_without_a_better_one(
    small_graph: Data, make_recorder: MakeRecorder
) -> None:
    fitted = fit(distiller(), small_graph, None, Training(epochs=500, patience=7, learning_rate=0.05), make_recorder())
    assert fitted.epochs == fitted.best.epoch + 7


def test_kept_epochs_are_the_first_and_every_so_many(small_graph: Data, make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    fit(distiller(), small_graph, None, SHORT, recorder)
    assert recorder.kept == [1, 5, 10]


def test_every_term_is_recorded_with_value_weight_and_gradient_norm(
    small_graph: Data, make_recorder: MakeRecorder
) -> None:
    recorder = make_recorder()
    fit(distiller(), small_graph, None, SHORT, recorder)
    for record in recorder.records:
        term = record["terms"]["task"]
        assert record["loss"] == pytest.approx(term["value"] * term["weight"])
        assert term["gradient"] > 0


class Opposite(Objective):
    """The loss on the labels once more, with its sign turned: it pulls against the task."""

    def forward(self, student: Any, targets: Any, batch: Any) -> dict[str, torch.Tensor]:
        return {"opposite": -NodeClassification().loss(student.logits, batch)}

    def weights(self) -> dict[str, float]:
        return {"task": 0.0, "opposite": 0.25}


def test_the_lens_looks_in_the_first_and_every_so_many_epochs(small_graph: Data, make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    fit(distiller(Opposite()), small_graph, None, SHORT.replace(lens_every=5), recorder)
    looks = {record["epoch"]: record["terms"]["opposite"].get("cosine") for record in recorder.records}
    assert [epoch for epoch, cosine in looks.items() if cosine is not None] == [1, 5, 10]
    assert looks[5] == pytest.approx(-1, abs=1e-5)
    assert {record["terms"]["opposite"]["share"] for record in recorder.records} == {1.0}
    assert not any("cosine" in record["terms"]["task"] for record in recorder.records)


def test_the_lens_changes_no_number(small_graph: Data, make_recorder: MakeRecorder) -> None:
    fitted = {}
    for every in (0, 1, 3):
        recorder = make_recorder()
        found = fit(distiller(Opposite()), small_graph, None, SHORT.replace(lens_every=every), recorder)
        fitted[every] = found.weights, [(record["loss"], record["val"]) for record in recorder.records]
    for every in (1, 3):
        assert fitted[every][1] == fitted[0][1]
        assert all(torch.equal(fitted[every][0][key], value) for key, value in fitted[0][0].items())


def test_a_teacher_has_a_task_and_no_direction(small_graph: Data, make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    fit(distiller(), small_graph, None, SHORT.replace(lens_every=1), recorder)
    assert {tuple(record["terms"]["task"]) for record in recorder.records} == {("value", "weight", "share", "gradient")}


def test_a_term_that_stays_at_zero_is_reported_once(small_graph: Data, make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    fit(distiller(Constant(0.0)), small_graph, None, Training(epochs=30, patience=0), recorder)
    assert len(recorder.warnings) == 1
    assert "'constant' had a value of zero" in recorder.warnings[0]


def test_a_term_that_is_cut_off_from_the_student_is_reported_and_training_goes_on(
    small_graph: Data, make_recorder: MakeRecorder
) -> None:
    class Detached(Constant):
        def forward(self, student: Any, targets: Any, batch: Any) -> dict[str, torch.Tensor]:
            return {"constant": student.logits.detach().mean() * 0 + self.value}

    recorder = make_recorder()
    fit(distiller(Detached(2.0)), small_graph, None, Training(epochs=60, patience=0, learning_rate=0.05), recorder)
    assert recorder.warnings == [
        "term 'constant' had a gradient on the student of zero for 10 epochs: it is not teaching anything"
    ]
    assert recorder.records[-1]["terms"]["task"]["value"] < recorder.records[0]["terms"]["task"]["value"]


def test_what_is_recorded_can_be_written_as_json(small_graph: Data, make_recorder: MakeRecorder) -> None:
    import json

    broken = small_graph.clone()
    broken.x[broken.val_mask] = math.inf
    recorder = make_recorder()
    with pytest.raises(RunError, match="no epoch gave a finite validation loss"):
        fit(distiller(), broken, None, Training(epochs=3, patience=0), recorder)
    json.dumps(recorder.records, allow_nan=False)


def test_small_pictures_are_logged_every_epoch(small_graph: Data, make_recorder: MakeRecorder) -> None:
    class Picture(Constant):
        def pictures(self) -> dict[str, torch.Tensor]:
            return {"map": torch.tensor([[0.123456, 1.0]]), "large": torch.zeros(100, 100)}

    recorder = make_recorder()
    fit(distiller(Picture(1.0)), small_graph, None, SHORT, recorder)
    assert all(record["pictures"] == {"map": [[0.1235, 1.0]]} for record in recorder.records)


def test_a_picture_that_is_not_finite_is_logged_with_gaps(small_graph: Data, make_recorder: MakeRecorder) -> None:
    import json

    class Picture(Constant):
        def pictures(self) -> dict[str, torch.Tensor]:
            return {"map": torch.tensor([[math.nan, 0.5, math.inf]])}

    recorder = make_recorder()
    fit(distiller(Picture(1.0)), small_graph, None, SHORT, recorder)
    assert recorder.records[0]["pictures"] == {"map": [[None, 0.5, None]]}
    json.dumps(recorder.records, allow_nan=False)


def test_a_teacher_is_never_looked_at_through_the_lens(
    small_graph: Data, make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    run = Step.run
    monkeypatch.setattr(Step, "run", lambda step, lens: (looks.append(lens), run(step, lens))[1])
    for objective in (None, Constant(1.0)):
        fit(distiller(objective), small_graph, None, SHORT.replace(epochs=2, lens_every=1), make_recorder())
    assert looks == [False, False, True, True]


def test_a_term_that_is_not_finite_is_reported_and_spoils_no_weights(
    small_graph: Data, make_recorder: MakeRecorder
) -> None:
    recorder = make_recorder()
    model = distiller(Constant(math.nan))
    before = {key: value.clone() for key, value in model.student.state_dict().items()}
    fit(model, small_graph, None, Training(epochs=5, patience=0), recorder)
    assert "'constant' was not finite" in recorder.warnings[0]
    assert all(torch.equal(model.student.state_dict()[key], value) for key, value in before.items())
    assert recorder.records[0]["terms"]["constant"]["value"] is None


def test_a_loss_that_never_becomes_finite_ends_the_run(small_graph: Data, make_recorder: MakeRecorder) -> None:
    with pytest.raises(RunError, match="not finite for 50 epochs"):
        fit(distiller(Constant(math.inf)), small_graph, None, Training(epochs=100, patience=0), make_recorder())


def test_bfloat16_trains_to_a_similar_loss(small_graph: Data, make_recorder: MakeRecorder) -> None:
    full, half = make_recorder(), make_recorder()
    fit(distiller(), small_graph, None, SHORT, full)
    fit(distiller(), small_graph, None, SHORT.replace(precision="bfloat16"), half)
    assert half.records[-1]["val"]["loss"] == pytest.approx(full.records[-1]["val"]["loss"], abs=0.1)


def test_accuracy_agrees_with_torchmetrics(small_graph: Data) -> None:
    from torchmetrics.functional.classification import multiclass_accuracy

    logits = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    found = NodeClassification().evaluate(logits, small_graph, "val")["accuracy"]
    mask = small_graph.val_mask
    assert found == pytest.approx(multiclass_accuracy(logits[mask], small_graph.y[mask], 3, average="micro").item())
