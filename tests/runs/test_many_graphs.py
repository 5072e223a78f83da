"""Runs on many graphs from end to end: of classes, of independent labels, and of the nodes of the graphs."""

import json

import numpy as np
import pytest
import torch
from graph_scores import expected_metrics, values
from sklearn.metrics import f1_score, roc_auc_score
from small_graph_runs import SHORT, TEACHER, graphs, model, molecules, nodes_of_graphs, run

from workbench.datasets import GraphCollection
from workbench.errors import RunError, UsageError
from workbench.registry import methods
from workbench.runs import recorder as recording
from workbench.runs.folder import Run
from workbench.runs.whole_graphs import permuted
from workbench.spec import Spec, Training
from workbench.training.random_state import seed_everything
from workbench.training.whole_graphs import predict

SPLITS = ("train", "val", "test")
SUITED = [name for name in methods.names() if "graph classification" in methods[name].tasks]
NODE_MODELS = ("gcn", "sage", "gat", "gatv2")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def data() -> GraphCollection:
    return graphs()


@pytest.fixture(scope="module")
def distilled(root) -> Run:
    return run(root)


@pytest.fixture(scope="module")
def alone(root, distilled) -> Run:
    return run(root, method="none")


@pytest.mark.parametrize("role", ["teacher", "student"])
@pytest.mark.parametrize("split", SPLITS)
def test_metrics_are_those_of_the_stored_weights(distilled, data, role, split):
    chosen = data.of_split(split)
    logits = predict(model(distilled, role, data), data, chosen, Training(batch_size=7))  # batches change no result
    expected = expected_metrics(logits, data.y[chosen])
    assert distilled.result[role]["metrics"][split] == pytest.approx(expected, rel=1e-4)


def test_what_the_result_says_of_sizes_and_data(distilled, data):
    result = distilled.result
    assert result["dataset"]["graphs"] == len(data) == 50
    assert result["dataset"]["fingerprint"] == data.fingerprint()
    assert result["teacher"]["latency_graphs"] == 8
    assert result["teacher"]["latency_ms"] > 0
    assert result["student"]["parameters"] == sum(p.numel() for p in model(distilled, "student", data).parameters())


def test_validation_has_selected_the_weights(distilled):
    for role in ("teacher", "student"):
        records = distilled.metrics(role)
        assert [record["epoch"] for record in records] == [1, 2, 3]
        best = max(records, key=lambda record: (record["val"]["accuracy"], -record["val"]["loss"]))
        assert distilled.result[role]["best_epoch"] == best["epoch"]
        assert distilled.result[role]["metrics"]["val"] == pytest.approx(best["val"], rel=1e-4)


def test_a_teacher_is_trained_once(distilled, alone):
    assert not distilled.result["teacher"]["reused"]
    assert alone.result["teacher"]["reused"]
    assert alone.result["teacher"]["hash"] == distilled.result["teacher"]["hash"]
    assert alone.result["teacher"]["metrics"] == distilled.result["teacher"]["metrics"]
    assert values(alone, "teacher", "task") == values(distilled, "teacher", "task")


def test_without_distillation_the_labels_are_the_only_term(alone):
    assert {name for record in alone.metrics("student") for name in record["terms"]} == {"task"}


def test_without_any_weight_distillation_changes_nothing(root, distilled, alone):
    found = run(root, method={"name": "kd", "alpha": 0.0})
    assert found.result["student"]["metrics"] == alone.result["student"]["metrics"]
    assert distilled.result["student"]["metrics"] != alone.result["student"]["metrics"]


@pytest.mark.parametrize("name", [name for name in SUITED if name not in ("none", "kd")])
def test_every_suited_method_pulls_at_the_student(root, distilled, name):
    found = run(root, method=name)
    terms = {term for record in found.metrics("student") for term in record["terms"]} - {"task"}
    assert terms
    for record in found.metrics("student"):
        assert all(record["terms"][term]["gradient"] > 0 for term in terms)


def test_outputs_that_are_not_kept_teach_the_same(root, distilled, monkeypatch, tmp_path):
    kept = run(root, method="lsp")
    monkeypatch.setattr("workbench.training.teacher_outputs.TeacherOutputs.__init__.__defaults__", (True, 0))
    anew = run(tmp_path, method="lsp")
    assert values(anew, "student", "lsp") == pytest.approx(values(kept, "student", "lsp"), rel=1e-3)


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
    for role, term in (("teacher", "task"), ("student", "task"), ("student", "kd")):
        assert values(found, role, term) == values(distilled, role, term)
    for role in ("teacher", "student"):
        assert found.result[role]["metrics"] == distilled.result[role]["metrics"]


def test_an_untrained_teacher_has_the_weights_that_it_was_built_with(root, distilled, data):
    found = run(root, teacher_control="untrained")
    assert (found.result["teacher"]["control"], found.result["teacher"]["epochs"]) == ("untrained", 0)
    assert found.result["teacher"]["hash"] != distilled.result["teacher"]["hash"]
    seed_everything(0, deterministic=True)
    fresh = found.spec.teacher.build(data.num_features, data.num_classes).state_dict()
    stored = model(found, "teacher", data).state_dict()
    assert all(torch.equal(stored[name], fresh[name]) for name in fresh)


def test_a_shuffled_teacher_is_measured_on_the_labels_that_it_was_given(root, data):
    done = run(root, teacher_control="shuffled")
    found, module, taught = done.result["teacher"], model(done, "teacher", data), permuted(data, seed=0)
    for split in SPLITS:
        chosen = data.of_split(split)
        assert torch.equal(taught.y[chosen].sort().values, data.y[chosen].sort().values)
        same = (taught.y[chosen] == data.y[chosen]).double().mean()
        assert found["labels_still_true"].get(split, 1.0) == pytest.approx(float(same))
        assert (same < 0.6) == (split != "test")
        expected = expected_metrics(predict(module, data, chosen, Training()), taught.y[chosen])
        assert found["metrics"][split] == pytest.approx(expected, rel=1e-4)


def test_labels_of_nodes_are_permuted_within_a_split():
    data = nodes_of_graphs()
    taught = permuted(data, seed=3)
    for split in SPLITS:
        before, after = data.labels_of(data.of_split(split)), taught.labels_of(data.of_split(split))
        assert torch.equal(before.sum(0), after.sum(0))
        assert torch.equal(before, after) == (split == "test")


def test_ones_own_graphs(tmp_path, data, distilled):
    found = run(tmp_path, dataset=data)
    assert found.result["student"]["metrics"] == distilled.result["student"]["metrics"]
    assert json.loads((found.path / "teacher").read_text())["file"] == "teacher.safetensors"
    assert not (tmp_path / "teachers").exists()


def test_molecules_are_judged_by_the_mean_auc_of_their_labels(tmp_path):
    data = molecules()
    found = run(tmp_path, dataset=data, student={"name": "gcn-graph", "hidden_channels": 4, "num_layers": 2})
    for role in ("teacher", "student"):
        test = data.of_split("test")
        logits, y = predict(model(found, role, data), data, test, Training()).numpy(), data.y[test].numpy()
        known = ~np.isnan(y)
        areas = [roc_auc_score(y[known[:, k], k], logits[known[:, k], k]) for k in range(2)]
        assert found.result[role]["metrics"]["test"]["auc"] == pytest.approx(np.mean(areas), abs=1e-5)
        records = found.metrics(role)
        best = max(records, key=lambda record: (record["val"]["auc"], -record["val"]["loss"]))
        assert found.result[role]["best_epoch"] == best["epoch"]


@pytest.mark.parametrize("name", NODE_MODELS)
def test_nodes_of_many_graphs_are_judged_by_their_micro_f1(tmp_path, name):
    data = nodes_of_graphs()
    sizes = {"hidden_channels": 4, "dropout": 0.1}
    short = {**SHORT, "batch_size": 1}
    found = run(
        tmp_path,
        dataset=data,
        teacher={"name": name, **sizes, "hidden_channels": 8},
        student={"name": name, **sizes},
        method="kd+gcrd",
        training=short,
        teacher_training=short,
    )
    for role in ("teacher", "student"):
        test = data.of_split("test")
        logits = predict(model(found, role, data), data, test, Training()).numpy()
        expected = f1_score(data.labels_of(test).numpy(), logits > 0, average="micro")
        assert found.result[role]["metrics"]["test"]["micro_f1"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"student": torch.nn.Linear(3, 10)}, "your own module as student can be used for node classification"),
        ({"teacher": "gcn"}, "teacher 'gcn' is made for node classification"),
        ({"teacher": "dgcnn"}, "teacher 'dgcnn' cannot read dataset 'builtin-motifs', which holds many graphs"),
        ({"method": "glnn"}, "method 'glnn' cannot be used for graph classification"),
        ({"method": {"name": "lsp", "nodes": "train"}}, "nodes='train' chooses nodes of one graph"),
        ({"training": {**SHORT, "batch_size": 1}}, "give --training.batch-size 2 or more"),
        ({"umap": True}, "leave umap out"),
        ({"dataset": "builtin-shapes", "student": "dgcnn"}, "teacher 'gine' cannot read dataset 'builtin-shapes'"),
        ({"dataset": nodes_of_graphs(), "student": "gcn", "teacher": "gat", "method": "glnn"}, "use kd"),
        ({"dataset": nodes_of_graphs(), "student": "gcn", "teacher": "gat", "umap": True}, "of many graphs"),
        ({"dataset": nodes_of_graphs(), "student": torch.nn.Linear(5, 4), "teacher": "gat"}, "which holds many graphs"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        run(tmp_path, **changes)
    assert not list(tmp_path.iterdir())


def test_ones_own_graphs_are_looked_at_first(tmp_path, data):
    broken = data.with_labels(data.y - 1)
    with pytest.raises(UsageError, match="y goes down to -1"):
        run(tmp_path, dataset=broken)
    assert not list(tmp_path.iterdir())


def test_a_network_that_passes_messages_finds_the_motifs(tmp_path):
    found = run(
        tmp_path,
        dataset={"name": "builtin-motifs", "graphs_per_class": 60},
        teacher={"name": "gin-graph", "hidden_channels": 16, "num_layers": 4, "dropout": 0.0, "pooling": "sum"},
        method="none",
        teacher_training={"learning_rate": 0.01, "epochs": 20, "batch_size": 32},
        training={**SHORT, "epochs": 1},
    )
    assert found.result["teacher"]["metrics"]["test"]["accuracy"] > 0.6  # by chance 0.2


def test_a_student_that_only_sees_features_stays_at_chance(data):
    """All features are the same, so without edges a pooled perceptron gives the same logits for every graph."""
    spec = Spec.parse({"dataset": "builtin-motifs", "teacher": TEACHER, "student": TEACHER, "method": "none"})
    module = spec.student.build(data.num_features, data.num_classes).eval()
    cut = GraphCollection(data.x, data.edge_index[:, :0], data.node_slices, data.edge_slices * 0, data.y, data.split)
    logits = predict(module, cut, torch.arange(len(data)), Training())
    torch.testing.assert_close(logits, logits[:1].expand_as(logits), rtol=1e-4, atol=1e-5)
