"""An epoch on a CUDA device: it does not wait for the host, and recorded as a graph it is the same epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

import workbench as wb
from workbench.methods.base import Objective
from workbench.models.mlp import MLP
from workbench.spec import Training
from workbench.tasks import NodeClassification, with_split_nodes
from workbench.training.distiller import Distiller
from workbench.training.loop import fit
from workbench.training.random_state import seed_everything
from workbench.training.step import Step

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]
TRAINING = Training(epochs=40, patience=0, keep_every=0, lens_every=4)


class Listed:
    """A recorder that keeps records and warnings."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.warnings: list[str] = []

    def epoch(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def keep(self, *_: Any) -> None: ...
    def checkpoint(self, make: Any) -> None: ...
    def stop_requested(self) -> bool:
        return False


class Smooth(Objective):
    """A term that looks at its value on the host when ``when`` says so, which no capture survives."""

    def __init__(self, when: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self.when = when

    def forward(self, student: Any, targets: Any, batch: Any) -> dict[str, torch.Tensor]:
        value = student.logits.pow(2).mean()
        if self.when():
            value.item()
        return {"smooth": value}

    def weights(self) -> dict[str, float]:
        return {"task": 1.0, "smooth": 0.1}


@pytest.fixture
def karate() -> Data:
    return wb.load_dataset("builtin-karate").clone().cuda()


def start(batch: Data, objective: Objective) -> Distiller:
    seed_everything(0, deterministic=True)
    student = MLP(batch.num_features, 16, 4, dropout=0.5, batch_norm=True)
    return Distiller(student, objective, NodeClassification()).cuda()


def trained(batch: Data, training: Training, when: Callable[[], bool] = lambda: False) -> Listed:
    recorder = Listed()
    fit(start(batch, Smooth(when)), batch, None, training, recorder)
    return recorder


def check_alike(captured: Listed, eager: Listed) -> None:
    """Capture draws the same random numbers, so the epochs agree and not only the ends."""
    for here, there in zip(captured.records, eager.records, strict=True):
        assert here["loss"] == pytest.approx(there["loss"], rel=1e-3)
        assert here["val"]["loss"] == pytest.approx(there["val"]["loss"], rel=1e-3)
        for name, term in there["terms"].items():
            assert here["terms"][name] == pytest.approx(term, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_an_epoch_does_not_wait_for_the_host(karate: Data, optimizer: str) -> None:
    training = TRAINING.replace(optimizer=optimizer, gradient_clip=1.0)
    step = Step(start(karate, Smooth()), with_split_nodes(karate), None, training)
    step.run(lens=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        done = step.run(lens=True)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(done.numbers.fetch()["terms"]) == 2


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_a_step_that_is_not_finite_spoils_no_weights(karate: Data, optimizer: str) -> None:
    karate.x[karate.train_mask] = torch.nan
    distiller = start(karate, Smooth())
    before = {name: p.detach().clone() for name, p in distiller.named_parameters()}
    step = Step(distiller, with_split_nodes(karate), None, TRAINING.replace(optimizer=optimizer))
    for _ in range(3):
        step.run(lens=False)
    assert all(torch.equal(p, before[name]) for name, p in distiller.named_parameters())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_captured_training_goes_as_an_eager_one(karate: Data, optimizer: str, precision: str) -> None:
    training = TRAINING.replace(optimizer=optimizer, precision=precision, gradient_clip=1.0)
    captured = trained(karate, training.replace(cuda_graph=True))
    assert captured.warnings == []
    check_alike(captured, trained(karate, training))


@pytest.mark.parametrize("when", [lambda: True, torch.cuda.is_current_stream_capturing], ids=["always", "captured"])
def test_where_capture_fails_training_goes_on(karate: Data, when: Callable[[], bool]) -> None:
    """Found in the warm-up, or only in the capture itself, after which dropout must still draw."""
    captured = trained(karate, TRAINING.replace(cuda_graph=True), when)
    assert len(captured.warnings) == 1
    assert captured.warnings[0].startswith("the epoch could not be captured as a CUDA graph")
    check_alike(captured, trained(karate, TRAINING))


@pytest.mark.parametrize(("student", "method"), [("mlp", "glnn"), ("gcn", "kd+gcrd")])
def test_a_whole_run_ends_alike_with_and_without_capture(tmp_path: Path, student: str, method: str) -> None:
    found = {}
    for wanted in (False, True):  # one spec: in one folder the second run would be the first
        training = {"epochs": 60, "patience": 0, "cuda_graph": wanted}
        run = wb.distill(
            "builtin-citation", "gat", student, method, training=training, device="cuda", root=tmp_path / str(wanted)
        )
        assert run.result is not None
        found[wanted] = run.result["student"]["metrics"]["test"]["accuracy"]
    assert found[True] == pytest.approx(found[False], abs=0.02)
