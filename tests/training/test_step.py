"""The economy of an epoch: no forward pass twice, no look at the device but one, and the same numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils._python_dispatch import TorchDispatchMode
from torch_geometric.data import Data
from torch_geometric.nn import GATConv

from workbench.errors import Stopped
from workbench.methods.base import Objective, Sum, Widths
from workbench.methods.gcrd import GCRD
from workbench.methods.kd import KD
from workbench.models.base import Output
from workbench.models.gat import GAT
from workbench.models.gcn import GCN
from workbench.models.gcnii import GCNII
from workbench.models.mlp import MLP
from workbench.models.stack import Stack
from workbench.registry import models
from workbench.spec import Training
from workbench.tasks import NodeClassification, with_split_nodes
from workbench.training.distiller import Distiller
from workbench.training.loop import fit
from workbench.training.random_state import seed_everything
from workbench.training.step import Packed, Step, same_in_training

MakeRecorder = Callable[..., Any]
SHORT = Training(epochs=12, patience=0, learning_rate=0.05, keep_every=5, lens_every=4)
STILL = {"dropout": 0.0, "batch_norm": False}
ON_GRAPHS = [name for name in models.names() if models[name].task == "node classification"]
METHOD = Sum((KD(alpha=0.5, nodes="train"), GCRD(weight=0.1, projection=8, max_samples=30)))


def still_gcn() -> GCN:
    """A student whose forward pass is the same in training as in evaluation."""
    return GCN(3, 8, 3, dropout=0.0)


def start(batch: Data, build: Callable[[], torch.nn.Module] = still_gcn) -> tuple[Distiller, Any]:
    """A distiller with trained heads, always from the same weights; and its targets."""
    seed_everything(0, deterministic=True)
    student = build()
    teacher = Output(torch.randn(60, 3), [torch.randn(60, 16).relu()])
    with torch.no_grad():
        widths = Widths.of(student.encode(batch.x, batch.edge_index))
    objective = METHOD.build(Widths.of(teacher), widths)
    return Distiller(student, objective, NodeClassification()), objective.targets(teacher, batch)


def counted(student: torch.nn.Module) -> list[bool]:
    """Grows by one entry per forward pass: whether it was one of training mode."""
    passes: list[bool] = []
    encode = student.encode
    student.encode = lambda *inputs: (passes.append(student.training), encode(*inputs))[1]  # type: ignore[assignment]
    return passes


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ON_GRAPHS)
def test_a_forward_pass_that_is_reused_gives_the_same_bits(
    small_graph: Data, make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch, name: str, precision: str
) -> None:
    still = {key: value for key, value in STILL.items() if key in models[name].model_fields}
    config = models[name](hidden_channels=8, **still)
    model = config.build(3, 3)
    if isinstance(model, (Stack, GCNII, GAT)):
        assert model.same_in_training
    elif not model.same_in_training:
        pytest.skip(f"{name} does not say that training is evaluation")
    reused = fit_once(small_graph, make_recorder(), config, precision)
    monkeypatch.setattr(type(model), "same_in_training", False)
    plain = fit_once(small_graph, make_recorder(), config, precision)
    assert reused[0] == plain[0]
    assert all(torch.equal(reused[1][key], value) for key, value in plain[1].items())


def fit_once(batch: Data, recorder: Any, config: Any, precision: str) -> tuple[list[Any], dict[str, torch.Tensor]]:
    distiller, targets = start(batch, lambda: config.build(3, 3))
    fitted = fit(distiller, batch, targets, SHORT.replace(precision=precision), recorder)
    assert recorder.kept == [1, 5, 10]
    return recorder.numbers(), fitted.weights


@pytest.mark.parametrize(("dropout", "passes"), [(0.0, 13), (0.5, 24)])  # of 12 epochs
def test_one_forward_pass_per_epoch_where_training_is_evaluation(
    small_graph: Data, make_recorder: MakeRecorder, dropout: float, passes: int
) -> None:
    distiller, targets = start(small_graph, lambda: GCN(3, 8, 3, dropout=dropout))
    seen = counted(distiller.student)
    fit(distiller, small_graph, targets, SHORT, make_recorder())
    assert len(seen) == passes


def test_a_norm_that_was_put_into_a_student_sees_every_training_pass(small_graph: Data) -> None:
    def with_norm() -> GCN:
        model = still_gcn()
        model.norms[0] = torch.nn.BatchNorm1d(8)
        return model

    distiller, targets = start(small_graph, with_norm)
    seen = counted(distiller.student)
    norm = distiller.student.norms[0]  # type: ignore[union-attr, index]
    before = int(norm.num_batches_tracked)  # type: ignore[arg-type, union-attr]
    step = Step(distiller, with_split_nodes(small_graph), targets, SHORT)
    for _ in range(3):
        step.run(lens=False)
    assert seen == [True, False] * 3
    assert norm.num_batches_tracked == before + 3  # type: ignore[union-attr]


def replaced(part: torch.nn.Module) -> Callable[[GCN], object]:
    return lambda model: model.norms.__setitem__(0, part)


CHANGES: dict[str, Callable[[GCN], object]] = {
    "dropout": replaced(torch.nn.Dropout(0.9)),
    "instance norm": replaced(torch.nn.InstanceNorm1d(8, track_running_stats=True)),
    "random slope": replaced(torch.nn.RReLU()),
    "attention with dropout": lambda model: model.convs.__setitem__(0, GATConv(3, 8, dropout=0.5)),
    "spectral norm": lambda model: spectral_norm(model.convs[0].lin),
    "older spectral norm": lambda model: torch.nn.utils.spectral_norm(model.convs[0].lin),
    "hook": lambda model: model.convs[0].register_forward_hook(lambda *_: None),
    "hook before": lambda model: model.convs[0].register_forward_pre_hook(lambda *_: None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_student_with_another_part_is_not_taken_at_its_word(name: str) -> None:
    model = still_gcn()
    assert same_in_training(model)
    CHANGES[name](model)
    assert not same_in_training(model)


def test_layers_that_are_the_same_in_training_may_be_put_in() -> None:
    model = still_gcn()
    model.norms[0] = torch.nn.LayerNorm(8)
    assert same_in_training(model)


class BrokenHead(Objective):
    """A term whose gradient is finite on the student and not on its own weight."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Parameter(torch.zeros(()))

    def forward(self, student: Output, targets: Any, batch: Data) -> dict[str, torch.Tensor]:
        return {"broken": student.logits.pow(2).mean() + self.head.sqrt()}

    def weights(self) -> dict[str, float]:
        return {"broken": 1.0}


@pytest.mark.parametrize("gradient_clip", [None, 1.0])
def test_a_gradient_of_a_head_that_is_not_finite_does_not_reach_the_student(
    small_graph: Data, make_recorder: MakeRecorder, gradient_clip: float | None
) -> None:
    distiller = Distiller(still_gcn(), BrokenHead(), NodeClassification())
    before = {key: value.clone() for key, value in distiller.student.state_dict().items()}
    recorder = make_recorder()
    fit(distiller, small_graph, None, SHORT.replace(gradient_clip=gradient_clip), recorder)
    assert all(torch.equal(distiller.student.state_dict()[key], value) for key, value in before.items())
    assert "'broken' was not finite" in recorder.warnings[0]


def test_a_step_that_is_to_be_recorded_keeps_no_forward_pass_for_the_next(small_graph: Data) -> None:
    distiller, targets = start(small_graph)
    seen = counted(distiller.student)
    step = Step(distiller, with_split_nodes(small_graph), targets, SHORT, reuse=False)
    for _ in range(3):
        step.run(lens=False)
    assert seen == [True, False] * 3


def test_the_heads_of_the_method_train_on_a_reused_pass(small_graph: Data) -> None:
    distiller, targets = start(small_graph)
    head = distiller.objective.parts["gcrd"].student_head  # type: ignore[union-attr]
    step = Step(distiller, with_split_nodes(small_graph), targets, SHORT)
    for _ in range(3):
        step.run(lens=False)
    assert head.norm.num_batches_tracked == 3, "one batch of statistics per step: batch normalisation was training"


def test_a_resumed_training_does_its_first_forward_pass_anew(small_graph: Data, make_recorder: MakeRecorder) -> None:
    whole, first, second = make_recorder(), make_recorder(stop_after=5), make_recorder()
    distiller, targets = start(small_graph)
    expected = fit(distiller, small_graph, targets, SHORT, whole)
    distiller, _ = start(small_graph)
    with pytest.raises(Stopped):
        fit(distiller, small_graph, targets, SHORT, first)
    torch.manual_seed(999)  # whatever happened in between
    distiller, _ = start(small_graph)
    found = fit(distiller, small_graph, targets, SHORT, second, first.saved)
    assert first.numbers() + second.numbers() == whole.numbers()
    assert all(torch.equal(found.weights[key], value) for key, value in expected.weights.items())


class Looks(TorchDispatchMode):
    """Counts what makes the host wait for a device: a scalar that is read, a size that depends on data."""

    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique")

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        masks = name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if masks or any(name.startswith(waiting) for waiting in self.WAITING):
            self.seen[name] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("fused", "looks"), [(False, {"_local_scalar_dense": 1}), (True, {})])
def test_an_epoch_waits_for_the_device_at_most_to_decide_on_its_step(
    small_graph: Data, monkeypatch: pytest.MonkeyPatch, fused: bool, looks: dict[str, int]
) -> None:
    from workbench.training import step as module

    make = module.make_optimiser
    monkeypatch.setattr(module, "make_optimiser", lambda *arguments: make(*arguments, fused=fused))
    distiller, targets = start(small_graph, lambda: MLP(3, 8, 3, dropout=0.5))
    training = SHORT.replace(gradient_clip=1.0, optimizer="sgd")  # Adam's plain form reads its own counter on the CPU
    step = Step(distiller, with_split_nodes(small_graph), targets, training)
    step.run(lens=True)
    with Looks() as mode:
        step.run(lens=True)
    assert mode.seen == looks


@pytest.mark.parametrize("name", ON_GRAPHS)
def test_no_model_waits_for_the_device_once_its_graph_is_prepared(small_graph: Data, name: str) -> None:
    module = models[name](num_layers=2).build(3, 3)
    module(small_graph.x, small_graph.edge_index)
    with Looks() as mode:
        module(small_graph.x, small_graph.edge_index).sum().backward()
    assert mode.seen == {}


def test_numbers_come_back_in_the_shapes_they_had() -> None:
    parts = {"rows": torch.arange(6.0).view(2, 3), "one": torch.tensor([7.0]), "scalar": torch.tensor(8.0)}
    assert Packed(parts).fetch() == {"rows": [[0, 1, 2], [3, 4, 5]], "one": [7], "scalar": 8}
