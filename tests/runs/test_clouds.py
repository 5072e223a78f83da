"""Runs on point clouds from end to end: teacher, student, what is measured of them and what is stored to be drawn."""

import json

import numpy as np
import pytest
import torch
from graph_scores import expected_metrics, values
from small_cloud_runs import SHORT, TEACHER, model, run

from workbench.datasets import load_dataset
from workbench.datasets.point_clouds import PointClouds
from workbench.errors import RunError, UsageError
from workbench.methods.base import Widths
from workbench.registry import datasets
from workbench.runs import recorder as recording
from workbench.runs.folder import Run
from workbench.runs.whole_graphs import permuted
from workbench.spec import Training
from workbench.training.random_state import seed_everything
from workbench.training.whole_graphs import encode_batch, predict

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def data() -> PointClouds:
    return load_dataset(datasets["builtin-shapes"](shapes_per_class=5, points=32))


@pytest.fixture(scope="module")
def distilled(root) -> Run:
    return run(root)


@pytest.fixture(scope="module")
def alone(root, distilled) -> Run:
    return run(root, method="none")


@pytest.mark.parametrize("role", ["teacher", "student"])
@pytest.mark.parametrize("split", SPLITS)
def test_metrics_are_those_of_the_stored_weights(distilled, data, role, split):
    shapes = data.of_split(split)
    logits = predict(model(distilled, role), data, shapes, Training(batch_size=7))  # batches change no result
    expected = expected_metrics(logits, data.labels[shapes])
    assert distilled.result[role]["metrics"][split] == pytest.approx(expected, rel=1e-5)


def test_validation_has_selected_the_weights(distilled, data):
    for role in ("teacher", "student"):
        records = distilled.metrics(role)
        assert [record["epoch"] for record in records] == [1, 2, 3]
        best = max(records, key=lambda record: (record["val"]["accuracy"], -record["val"]["loss"]))
        assert distilled.result[role]["best_epoch"] == best["epoch"]
        assert distilled.result[role]["metrics"]["val"] == pytest.approx(best["val"], rel=1e-5)


def test_a_teacher_is_trained_once(distilled, alone):
    assert not distilled.result["teacher"]["reused"]
    assert alone.result["teacher"]["reused"]
    for key in ("hash", "metrics", "best_epoch"):
        assert alone.result["teacher"][key] == distilled.result["teacher"][key]
    assert values(alone, "teacher", "task") == values(distilled, "teacher", "task")
    same = (run_.arrays("teacher") for run_ in (distilled, alone))
    assert all(np.array_equal(*pair) for pair in zip(*(arrays.values() for arrays in same), strict=True))


def test_without_distillation_the_labels_are_the_only_term(alone):
    assert {name for record in alone.metrics("student") for name in record["terms"]} == {"task"}


def test_without_any_weight_distillation_changes_nothing(root, distilled, alone):
    found = run(root, method={"name": "lsp", "weight": 0.0})
    assert found.result["student"]["metrics"] == alone.result["student"]["metrics"]
    assert distilled.result["student"]["metrics"] != alone.result["student"]["metrics"]


def test_soft_labels_are_of_whole_shapes(root):
    found = run(root, method={"name": "kd", "alpha": 0.75})
    for record in found.metrics("student"):
        weights = {name: term["weight"] for name, term in record["terms"].items()}
        assert weights == {"task": 0.25, "kd": 0.75}
        assert record["terms"]["kd"]["value"] > 0
        assert record["terms"]["kd"]["gradient"] > 0


def test_local_structure_pulls_at_every_epoch(distilled):
    for record in distilled.metrics("student"):
        assert record["terms"]["lsp"]["weight"] == 100
        assert record["terms"]["lsp"]["value"] > 0
        assert record["terms"]["lsp"]["gradient"] > 0


def divergence(student, teacher, neighbours) -> float:
    """LSP's loss with the rbf kernel, σ = 1, in float64: the mean over points of KL(student ‖ teacher)."""
    total = 0.0
    for centre, around in enumerate(neighbours):
        logs = []
        for features in (student, teacher):
            apart = ((features[sorted(around)] - features[centre]) ** 2).sum(1)
            similarity = np.exp(-apart / 2)
            logs.append(similarity - np.log(np.exp(similarity).sum()))
        total += (np.exp(logs[0]) * (logs[0] - logs[1])).sum()
    return total / len(neighbours)


def test_local_structure_is_compared_over_the_neighbours_of_either_model(distilled, data):
    batch = data.mini_batch(data.of_split("train")[:4])
    assert batch.edge_index is None  # there is no other graph
    with torch.no_grad():
        teacher, student = (encode_batch(model(distilled, role), batch) for role in ("teacher", "student"))
        objective = distilled.spec.objective.build(Widths.of(teacher), Widths.of(student))
        (term,) = objective(student, objective.targets(teacher, batch), batch).values()
    features = [output.hidden[-1].double().numpy() for output in (student, teacher)]
    graphs = []
    for output in (student, teacher):
        source, centre = output.edges[-1].numpy()
        graphs.append([set(source[centre == point]) for point in range(len(features[0]))])
    union = [of_student | of_teacher for of_student, of_teacher in zip(*graphs, strict=True)]
    assert float(term) == pytest.approx(divergence(*features, union), rel=1e-3)
    assert all(float(term) != pytest.approx(divergence(*features, graph), rel=1e-2) for graph in graphs)


@pytest.mark.parametrize("after", [1, 3, 4, 5])
def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(tmp_path, monkeypatch, distilled, after):
    monkeypatch.setattr(recording, "CHECKPOINT_SECONDS", 0.0)
    epochs = 0
    asked = recording.RunRecorder.stop_requested

    def stop_once(self):
        nonlocal epochs
        epochs += 1
        return epochs == after or asked(self)

    monkeypatch.setattr(recording.RunRecorder, "stop_requested", stop_once)
    with pytest.raises(RunError, match="stopped"):
        run(tmp_path)
    found = run(tmp_path)
    for role, term in (("teacher", "task"), ("student", "task"), ("student", "lsp")):
        assert values(found, role, term) == values(distilled, role, term)
    for role in ("teacher", "student"):
        assert found.result[role]["metrics"] == distilled.result[role]["metrics"]
        assert np.array_equal(found.arrays(role)["logits"], distilled.arrays(role)["logits"])


def test_an_untrained_teacher_has_the_weights_that_it_was_built_with(root, distilled):
    found = run(root, teacher_control="untrained")
    assert (found.result["teacher"]["control"], found.result["teacher"]["epochs"]) == ("untrained", 0)
    assert found.result["teacher"]["hash"] != distilled.result["teacher"]["hash"]
    seed_everything(0, deterministic=True)
    fresh = found.spec.teacher.build(3, 10).state_dict()
    stored = model(found, "teacher").state_dict()
    assert all(torch.equal(stored[name], fresh[name]) for name in fresh)


def test_a_shuffled_teacher_is_measured_on_the_labels_that_it_was_given(root, data):
    done = run(root, teacher_control="shuffled")
    found, module, taught = done.result["teacher"], model(done, "teacher"), permuted(data, seed=0)
    assert found["control"] == "shuffled"
    for split in SPLITS:
        shapes = data.of_split(split)
        assert torch.equal(taught.labels[shapes].sort().values, data.labels[shapes].sort().values)
        same = (taught.labels[shapes] == data.labels[shapes]).double().mean()
        assert found["labels_still_true"].get(split, 1.0) == pytest.approx(float(same))
        assert (same < 0.5) == (split != "test")
        expected = expected_metrics(predict(module, data, shapes, Training()), taught.labels[shapes])
        assert found["metrics"][split] == pytest.approx(expected, rel=1e-5)


def test_ones_own_clouds(tmp_path, data, distilled):
    found = run(tmp_path, dataset=data)
    assert found.result["student"]["metrics"] == distilled.result["student"]["metrics"]
    assert found.result["dataset"]["fingerprint"] == distilled.result["dataset"]["fingerprint"] == data.fingerprint()
    assert json.loads((found.path / "teacher").read_text())["file"] == "teacher.safetensors"
    assert not (tmp_path / "teachers").exists()


def test_ones_own_clouds_are_looked_at_first(tmp_path, data):
    broken = PointClouds(data.points.clone(), data.labels, data.class_names, data.split)
    broken.points[3, 0] = torch.nan
    with pytest.raises(UsageError, match="the first is shape 3"):
        run(tmp_path, dataset=broken)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"student": torch.nn.Linear(3, 10)}, "your own module as student can be used for node classification"),
        ({"teacher": "gcn"}, "teacher 'gcn' is made for node classification"),
        ({"method": "glnn"}, "method 'glnn' cannot be used for graph classification"),
        ({"teacher": {**TEACHER, "k": 40}}, "the smallest cloud has 32 points"),
        ({"method": {"name": "lsp", "nodes": "train"}}, "nodes='train' chooses nodes of one graph"),
        ({"training": {**SHORT, "batch_size": 1}}, "give --training.batch-size 2 or more"),
        ({"teacher_training": {**SHORT, "batch_size": 1}}, "give --teacher-training.batch-size 2 or more"),
        ({"umap": True}, "leave umap out"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        run(tmp_path, **changes)
    assert not list(tmp_path.iterdir())
