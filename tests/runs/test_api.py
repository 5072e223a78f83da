from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import workbench as wb
from workbench.errors import RunError, UsageError
from workbench.runs.folder import Run
from workbench.runs.launch import resume
from workbench.runs.store import list_runs

SHORT = {"epochs": 8, "patience": 0, "keep_every": 4}


def quick(root: Path, dataset: Any = "builtin-karate", **changes: Any) -> Run:
    options = {"teacher": "gat", "student": "gcn", "method": "kd", "training": SHORT, "teacher_training": SHORT}
    return wb.distill(dataset, **{**options, **changes}, device="cpu", root=root)


class OwnNet(nn.Module):
    """A module of a user who has never heard of the workbench."""

    def __init__(self, features: int, width: int, classes: int) -> None:
        super().__init__()
        from torch_geometric.nn import GCNConv

        self.first = GCNConv(features, width)
        self.second = GCNConv(width, classes)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.second(self.first(x, edge_index).relu(), edge_index)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return quick(tmp_path_factory.mktemp("runs"), method="kd+abkd", umap=False)


@pytest.fixture
def graph() -> Any:
    return wb.load_dataset("builtin-karate").clone()


def test_a_finished_run_holds_everything_needed_to_judge_it(finished: Run) -> None:
    assert finished.status.state == "done"
    result = finished.result
    assert result is not None
    for role in ("teacher", "student"):
        assert set(result[role]["metrics"]) == {"train", "val", "test"}
        assert 0 <= result[role]["metrics"]["test"]["accuracy"] <= 1
        assert result[role]["latency_ms"] > 0
        assert result[role]["bytes"] == 4 * result[role]["parameters"]
    assert result["compression"] == pytest.approx(
        result["teacher"]["parameters"] / result["student"]["parameters"], abs=1e-3
    )
    assert result["device"]["type"] == "cpu"
    assert result["versions"]["torch"] == torch.__version__
    assert result["peak_memory_bytes"] > 10_000_000
    assert len(result["dataset"]["fingerprint"]) >= 8
    assert json.loads((finished.path / "result.json").read_text()) == result


def test_every_epoch_is_recorded_with_its_terms(finished: Run) -> None:
    student = finished.metrics("student")
    assert [record["epoch"] for record in student] == list(range(1, 9))
    assert set(student[0]["terms"]) == {"task", "kd", "abkd"}
    assert len(finished.metrics("teacher")) == 8


def test_the_pictures_are_stored_per_kept_epoch(finished: Run) -> None:
    assert [name for name in finished.array_names() if name.startswith("epoch")] == [
        "epoch-00001",
        "epoch-00004",
        "epoch-00008",
    ]
    kept = finished.arrays("epoch-00004")
    np.testing.assert_allclose(kept["abkd-attention"].sum(axis=1), 1, atol=1e-5)
    graph = finished.arrays("graph")
    assert graph["y"].shape == graph["split"].shape == (34,)
    assert finished.arrays("teacher")["embedding"].shape == (34, 64)


def test_the_stored_test_accuracy_is_that_of_the_stored_weights(finished: Run) -> None:
    from safetensors.torch import load_file

    data = wb.load_dataset("builtin-karate")
    model = finished.spec.student.build(data.num_features, int(data.y.max()) + 1).eval()
    model.load_state_dict(load_file(finished.path / "student.safetensors"))
    with torch.no_grad():
        right = (model(data.x, data.edge_index).argmax(1) == data.y)[data.test_mask]
    assert finished.result is not None
    assert finished.result["student"]["metrics"]["test"]["accuracy"] == pytest.approx(right.float().mean().item())


def test_the_same_spec_is_not_run_twice_unless_asked(finished: Run) -> None:
    before = (finished.path / "result.json").stat().st_mtime_ns
    again = quick(finished.path.parent, method="kd+abkd")
    assert again.id == finished.id
    assert (again.path / "result.json").stat().st_mtime_ns == before
    fresh = quick(finished.path.parent, method="kd+abkd", fresh=True)
    assert fresh.id == f"{finished.id}-r2"
    assert fresh.result is not None
    assert finished.result is not None
    assert fresh.result["student"]["metrics"] == finished.result["student"]["metrics"], (
        "the same seed, the same numbers"
    )


def test_a_teacher_is_reused_and_the_student_does_not_notice(tmp_path: Path, finished: Run) -> None:
    other = quick(finished.path.parent, method="none")
    assert other.result is not None
    assert other.result["teacher"]["reused"] is True
    alone = quick(tmp_path, method="none")
    assert alone.result is not None
    assert alone.result["teacher"]["reused"] is False
    assert alone.result["student"]["metrics"] == other.result["student"]["metrics"]
    assert [r["loss"] for r in alone.metrics("teacher")] == [r["loss"] for r in other.metrics("teacher")]


def test_a_damaged_cached_teacher_is_noticed_and_trained_again(tmp_path: Path) -> None:
    first = quick(tmp_path, method="none")
    cache = json.loads((first.path / "teacher").read_text())["cache"]
    weights = tmp_path / ".workbench" / "teachers" / cache / "teacher.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    second = quick(tmp_path, method="kd")
    assert second.result is not None
    assert first.result is not None
    assert "damaged" in " ".join(second.result["warnings"])
    assert second.result["teacher"]["metrics"] == first.result["teacher"]["metrics"]


def test_configs_and_sums_are_accepted(tmp_path: Path) -> None:
    method = wb.methods.KD(alpha=0.5) + wb.methods.LSP(kernel="rbf", weight=2.0)
    run = quick(tmp_path, method=method, student=wb.models.MLPConfig(hidden_channels=8))
    terms = run.metrics("student")[0]["terms"]
    assert {name: term["weight"] for name, term in terms.items()} == {"task": 0.5, "kd": 0.5, "lsp": 2.0}


def test_ones_own_graph_and_modules_work_without_changing_a_line(tmp_path: Path, graph: Any) -> None:
    torch.manual_seed(0)
    teacher, student = OwnNet(34, 32, 4), OwnNet(34, 4, 4)
    run = quick(tmp_path, graph, teacher=teacher, student=wb.wrap(student, layers=["first"]))
    assert run.status.state == "done"
    assert [run.document[role]["module"].split(".")[-1] for role in ("teacher", "student")] == ["OwnNet", "OwnNet"]
    assert run.document["dataset"]["name"] == "live"
    assert list_runs(tmp_path)[0].id == run.id
    with pytest.raises(RunError, match="live Python objects"):
        _ = run.spec


def test_a_trained_teacher_of_ones_own_can_be_used_as_it_is(tmp_path: Path, graph: Any) -> None:
    torch.manual_seed(0)
    teacher = OwnNet(34, 32, 4)
    before = {key: value.clone() for key, value in teacher.state_dict().items()}
    quick(tmp_path, graph, teacher=teacher, train_teacher=False)
    assert all(torch.equal(teacher.state_dict()[key], value) for key, value in before.items())


def test_a_run_of_live_objects_cannot_be_resumed(tmp_path: Path, graph: Any) -> None:
    run = quick(tmp_path, graph)
    (run.path / "status.json").write_text((run.path / "status.json").read_text().replace('"done"', '"stopped"'))
    with pytest.raises(UsageError, match="made from live Python objects"):
        resume(run)


def test_a_notebook_cell_may_be_run_twice(tmp_path: Path, graph: Any) -> None:
    torch.manual_seed(0)
    teacher, student = OwnNet(34, 32, 4), OwnNet(34, 4, 4)
    first, second = (quick(tmp_path, graph, teacher=teacher, student=student) for _ in range(2))
    assert first.id != second.id
    assert second.status.state == "done"


def test_a_frozen_teacher_of_ones_own_still_has_its_size(tmp_path: Path, graph: Any) -> None:
    teacher = OwnNet(34, 32, 4).requires_grad_(False)
    run = quick(tmp_path, graph, teacher=teacher, train_teacher=False)
    assert run.result is not None
    assert run.result["teacher"]["parameters"] == 34 * 32 + 32 + 32 * 4 + 4
    assert run.result["compression"] > 1
    assert run.result["warnings"] == []


def test_a_notebook_is_left_as_it_was(tmp_path: Path) -> None:
    torch.use_deterministic_algorithms(False)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    quick(tmp_path)
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


class Broken(nn.Module):
    """Cannot be run at all."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        raise ValueError("not today")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": OwnNet(34, 32, 4), "method": "lsp"}, "wrap(module, layers"),
        ({"student": OwnNet(34, 4, 7)}, "returns logits of shape (34, 7)"),
        ({"student": OwnNet(20, 4, 4)}, "your student cannot be run on this graph"),
        ({"teacher": Broken()}, "not today"),
        ({"teacher": OwnNet(34, 8, 4).requires_grad_(False)}, "no parameter to train"),
        ({"train_teacher": False}, "pass your module as teacher"),
    ],
)
def test_a_module_that_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, graph: Any, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        quick(tmp_path / "runs", graph, **change)
    assert message in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_one_module_cannot_teach_itself(tmp_path: Path, graph: Any) -> None:
    module = OwnNet(34, 8, 4)
    with pytest.raises(UsageError, match="same object"):
        quick(tmp_path, graph, teacher=module, student=module)


def test_a_picture_that_cannot_be_made_does_not_cost_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.runs.execute.add_umap", lambda run, say: 1 / 0)
    run = quick(tmp_path, umap=True)
    assert run.status.state == "done"
    assert run.result is not None
    assert "UMAP could not be computed" in " ".join(run.status.warnings)


def test_a_student_one_unit_wide_can_be_drawn(tmp_path: Path) -> None:
    run = quick(tmp_path, student={"name": "gcn", "hidden_channels": 1}, umap=True)
    assert run.arrays("umap")["student"].shape == (34, 2)


def test_a_student_larger_than_its_teacher_is_allowed_and_said(tmp_path: Path) -> None:
    run = quick(tmp_path, teacher="gcn", student={"name": "gcn", "hidden_channels": 200})
    assert run.result is not None
    assert "larger than its teacher" in " ".join(run.result["warnings"])
    assert run.result["compression"] < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "builtin-karte"}, "did you mean 'builtin-karate'"),
        ({"method": "kdd"}, "did you mean 'kd'"),
        ({"student": {"name": "gcn", "num_layers": 1}, "method": "lsp"}, "this student has none"),
        ({"device": "cuda:7"}, "not on this machine"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_a_mistake_is_said_before_anything_is_written(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    options = {"dataset": "builtin-karate", "device": "cpu", **change}
    with pytest.raises(UsageError) as caught:
        wb.distill(root=tmp_path / "runs", **options)
    assert message in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_method_that_has_nothing_to_compare_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    ring = np.arange(12)
    split = np.array(["train", "val", "test"])[ring % 3]
    edges = np.stack([ring, (ring + 1) % 12])
    np.savez(tmp_path / "ring.npz", x=np.eye(12, dtype=np.float32), edge_index=edges, y=ring // 6, split=split)
    with pytest.raises(UsageError, match="no two training nodes are neighbours"):
        quick(tmp_path / "runs", tmp_path / "ring.npz", method={"name": "lsp", "nodes": "train"})
    assert not (tmp_path / "runs").exists()


def test_a_graph_with_a_fault_is_refused(tmp_path: Path, graph: Any) -> None:
    graph.x[3, 2] = float("nan")
    with pytest.raises(UsageError):
        quick(tmp_path, graph)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("door", [wb.distill, wb.controls])
def test_a_list_of_events_is_shown_the_way_to_snapshots(tmp_path: Path, door: Any) -> None:
    from torch_geometric.data import TemporalData

    data = TemporalData(src=torch.tensor([0, 1]), dst=torch.tensor([1, 2]), t=torch.tensor([0, 9]))
    with pytest.raises(UsageError, match=r"TemporalData is a list of events.*SnapshotSequence\.from_temporal_data"):
        door(data, root=tmp_path)
    assert list(tmp_path.iterdir()) == []
