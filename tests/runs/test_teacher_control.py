"""Teachers without what one should know: what they are told, what is stored, and what their students learn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv

import workbench as wb
from workbench.errors import RunError, UsageError
from workbench.runs.folder import Run
from workbench.runs.recorder import RunRecorder
from workbench.runs.teacher_control import labels_still_true, permuted_labels
from workbench.training.random_state import seed_everything, surroundings_kept

SHORT = {"epochs": 12, "patience": 0, "keep_every": 0}


def quick(root: Path, dataset: Any = "builtin-karate", **changes: Any) -> Run:
    options = {"teacher": "gcn", "student": "gcn", "method": "kd", "training": SHORT, "teacher_training": SHORT}
    return wb.distill(dataset, **{**options, **changes}, device="cpu", root=root)


def result(run: Run) -> dict[str, Any]:
    assert run.result is not None
    return run.result


def teacher_weights(run: Run) -> dict[str, Tensor]:
    place = json.loads((run.path / "teacher").read_text())
    folder = run.path.parent / ".workbench" / "teachers" / place["cache"] if "cache" in place else run.path
    return load_file(folder / "teacher.safetensors")


def accuracy(logits: Any, y: Tensor, mask: Tensor) -> float:
    return float((torch.as_tensor(logits).argmax(1) == y)[mask].float().mean())


@pytest.fixture(scope="module")
def graph() -> Data:
    return wb.load_dataset("builtin-karate")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def plain(root: Path) -> Run:
    return quick(root)


@pytest.fixture(scope="module")
def untrained(root: Path) -> Run:
    return quick(root, teacher_control="untrained")


@pytest.fixture(scope="module")
def shuffled(root: Path) -> Run:
    return quick(root, teacher_control="shuffled")


def big_graph() -> Data:
    nodes = torch.arange(3000)
    masks = {name: nodes % 3 == k for k, name in enumerate(("train_mask", "val_mask", "test_mask"))}
    return Data(x=torch.zeros(3000, 1), y=(nodes // 3) % 5, **masks)


def test_labels_are_permuted_within_their_part_and_test_labels_stay() -> None:
    data = big_graph()
    before = data.y.clone()
    found = permuted_labels(data, seed=3)
    for mask in (data.train_mask, data.val_mask):
        assert torch.equal(found.y[mask].bincount(), data.y[mask].bincount()), "the class frequencies stay"
        # Of 1,000 nodes in five equal classes 200 keep theirs by chance, with a standard deviation of about 14.
        assert 130 < int((found.y == data.y)[mask].sum()) < 270
    assert torch.equal(found.y[data.test_mask], data.y[data.test_mask])
    assert torch.equal(data.y, before), "the graph itself is left alone"


def test_the_share_of_labels_that_stayed_true_is_counted() -> None:
    part = torch.arange(7) < 4
    data = Data(y=torch.tensor([0, 1, 2, 0, 1, 2, 2]), train_mask=part, val_mask=~part)
    permuted = Data(y=torch.tensor([0, 0, 2, 1, 2, 2, 1]), train_mask=part, val_mask=~part)
    assert labels_still_true(data, permuted) == {"train": 0.5, "val": pytest.approx(1 / 3)}


def test_the_share_is_recorded_with_a_shuffled_teacher(shuffled: Run, untrained: Run, graph: Data) -> None:
    kept = permuted_labels(graph, 0).y == graph.y
    expected = {split: kept[graph[f"{split}_mask"]].double().mean().item() for split in ("train", "val")}
    assert result(shuffled)["teacher"]["labels_still_true"] == pytest.approx(expected)
    assert "labels_still_true" not in result(untrained)["teacher"]


def test_the_permutation_depends_on_the_seed_alone() -> None:
    first, again, other = (permuted_labels(big_graph(), seed).y for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    permuted_labels(big_graph(), 3)
    assert torch.equal(torch.get_rng_state(), state), "the run's own random numbers are left alone"


def test_an_untrained_teacher_has_the_weights_that_training_would_start_from(untrained: Run, graph: Data) -> None:
    with surroundings_kept():
        seed_everything(0, deterministic=True)
        expected = untrained.spec.teacher.build(graph.num_features, 4).state_dict()
    found = teacher_weights(untrained)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_an_untrained_teacher_is_said_to_be_one(untrained: Run, graph: Data) -> None:
    teacher = result(untrained)["teacher"]
    assert (teacher["control"], teacher["epochs"], teacher["best_epoch"]) == ("untrained", 0, None)
    assert untrained.metrics("teacher") == []
    assert len(untrained.metrics("student")) == 12
    logits = untrained.arrays("teacher")["logits"]
    assert teacher["metrics"]["test"]["accuracy"] == pytest.approx(accuracy(logits, graph.y, graph.test_mask))


def test_a_shuffled_teacher_is_judged_by_the_true_labels_on_test_nodes_only(shuffled: Run, graph: Data) -> None:
    teacher = result(shuffled)["teacher"]
    assert (teacher["control"], teacher["epochs"]) == ("shuffled", 12)
    logits, told = shuffled.arrays("teacher")["logits"], permuted_labels(graph, 0)
    found = {split: metrics["accuracy"] for split, metrics in teacher["metrics"].items()}
    assert found["test"] == pytest.approx(accuracy(logits, graph.y, graph.test_mask))
    assert found["train"] == pytest.approx(accuracy(logits, told.y, graph.train_mask))
    assert found["val"] == pytest.approx(accuracy(logits, told.y, graph.val_mask))


def test_a_shuffled_teacher_learns_what_it_was_told_and_no_more(tmp_path: Path) -> None:
    long = {"epochs": 150, "patience": 0, "keep_every": 0, "weight_decay": 0.0}
    run = quick(tmp_path, "builtin-citation", teacher_control="shuffled", teacher_training=long)
    last = run.metrics("teacher")[-1]
    assert last["train"]["accuracy"] > 0.9, "it fits the permuted labels"
    classes = result(run)["dataset"]["classes"]
    # Chance, plus what the communities of a few hundred correct-by-chance labels can give away.
    assert result(run)["teacher"]["metrics"]["test"]["accuracy"] < 1 / classes + 0.15
    assert last["val"]["accuracy"] < 1 / classes + 0.15


def test_only_the_teacher_is_told_permuted_labels(root: Path) -> None:
    """The student alone sees nothing of its teacher, so it must come out the same beside any."""
    found = [
        result(quick(root, method="none", teacher_control=control))["student"]["metrics"]
        for control in ("none", "untrained", "shuffled")
    ]
    assert found[0] == found[1] == found[2]


def test_students_of_controls_and_of_the_teacher_are_different_runs(plain: Run, untrained: Run, shuffled: Run) -> None:
    runs = (plain, untrained, shuffled)
    assert len({run.id for run in runs}) == 3
    assert len({json.dumps(result(run)["student"]["metrics"]) for run in runs}) == 3
    assert "control" not in result(plain)["teacher"]
    assert [run.title.split(" · ")[1] for run in runs] == ["gcn → gcn", "untrained gcn → gcn", "shuffled gcn → gcn"]
    assert "-kd-shuffled-gcn-gcn-s0-" in shuffled.id


@pytest.mark.parametrize("control", ["untrained", "shuffled"])
def test_a_control_is_cached_beside_the_teacher_and_reused(
    root: Path, plain: Run, untrained: Run, shuffled: Run, control: str
) -> None:
    first = {"untrained": untrained, "shuffled": shuffled}[control]
    second = quick(root, method="at", teacher_control=control)
    for name in ("metrics", "control", "hash", "epochs"):
        assert result(second)["teacher"][name] == result(first)["teacher"][name]
    assert result(second)["teacher"]["reused"] is True
    assert second.metrics("teacher") == first.metrics("teacher")
    assert result(second)["teacher"]["hash"] != result(plain)["teacher"]["hash"]


def test_a_stopped_shuffled_teacher_goes_on_with_the_same_labels(
    tmp_path: Path, shuffled: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(RunRecorder, "stop_requested", lambda self: len(self.run.metrics("teacher")) >= 5)
        patch.setattr("workbench.runs.recorder.CHECKPOINT_SECONDS", 0.0)
        with pytest.raises(RunError, match="stopped"):
            quick(tmp_path, teacher_control="shuffled")
    (folder,) = tmp_path.glob("builtin-karate-*")
    assert 0 < len(Run(folder).metrics("teacher")) < 12
    resumed = quick(tmp_path, teacher_control="shuffled")
    assert resumed.id == folder.name
    assert "going on after epoch" in resumed.log()
    for role in ("teacher", "student"):
        assert result(resumed)[role]["metrics"] == result(shuffled)[role]["metrics"]


class OwnNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = GCNConv(34, 8), GCNConv(8, 4)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.second(self.first(x, edge_index).relu(), edge_index)


@pytest.mark.parametrize("control", ["untrained", "shuffled"])
def test_a_control_works_on_ones_own_graph(tmp_path: Path, graph: Data, control: str) -> None:
    run = quick(tmp_path, graph.clone(), teacher_control=control)
    assert result(run)["teacher"]["control"] == control
    assert (run.path / "teacher.safetensors").is_file()


def test_ones_own_teacher_can_be_told_permuted_labels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    teacher = OwnNet()
    before = teacher.first.lin.weight.clone()
    run = quick(tmp_path, teacher=teacher, teacher_control="shuffled")
    assert result(run)["teacher"]["control"] == "shuffled"
    assert not torch.equal(teacher.first.lin.weight, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teacher_control": "untrained"}, "train_teacher=False and leave teacher_control out"),
        ({"teacher_control": "shuffled", "train_teacher": False}, "leave one of them out"),
        ({"teacher_control": "untrainde"}, "'none', 'untrained' or 'shuffled'"),
    ],
)
def test_a_control_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        quick(tmp_path / "runs", teacher=OwnNet(), **options)
    assert not (tmp_path / "runs").exists()
