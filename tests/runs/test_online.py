"""Runs on snapshots from end to end: a frozen teacher, students that follow the graph, and what is recorded of them."""

import itertools
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.datasets import load_dataset
from workbench.errors import RunError, UsageError
from workbench.registry import datasets
from workbench.runs import recorder as recording
from workbench.runs.folder import Run
from workbench.training import checkpoint as checkpoints

DATASET = {"name": "builtin-communities", "nodes": 90, "snapshots": 6}
TEACHER = {"name": "dysat", "hidden_channels": 16, "heads": 2, "window": 3}
STUDENT = {"name": "dysat", "hidden_channels": 8, "heads": 2, "window": 1}
SHORT = {"epochs": 4, "learning_rate": 0.01, "batch_size": 32}
WHO = ("teacher", "student", "plain", "common_neighbours", "adamic_adar", "preferential_attachment", "edge_bank")


def run(root, **changes) -> Run:
    options = {"teacher": TEACHER, "student": STUDENT, "training": SHORT, "teacher_training": SHORT, "device": "cpu"}
    dataset = changes.pop("dataset", DATASET)
    return wb.distill(dataset, root=root, **{**options, **changes})


def judged(found, who):
    return [step["metrics"][who] for step in found.result["steps"]]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def data():
    return load_dataset(datasets["builtin-communities"](nodes=90, snapshots=6))


@pytest.fixture(scope="module")
def distilled(root) -> Run:
    return run(root)


def test_every_online_step_is_recorded(distilled, data):
    steps = distilled.result["steps"]
    assert [step["step"] for step in steps] == [2, 3, 4]  # the teacher has seen 0, 1 and 2; 5 is predicted last
    assert [step["predicts"] for step in steps] == [3, 4, 5]
    assert [step["nodes"] for step in steps] == [data.seen(t) for t in (2, 3, 4)]
    assert {step["known"] for step in steps} == {data.seen(2)}
    for step in steps:
        assert set(step["metrics"]) == set(WHO)
        assert sum(step["links"].values()) == data.new_links(step["predicts"]).shape[1]
        assert all(0 <= step["metrics"][who]["auc"] <= 1 for who in WHO)
        assert step["metrics"]["edge_bank"]["auc"] == 0.5  # no new link was there before
        assert set(step["update_seconds"]) == {"student", "plain"}
        assert set(step["latency_ms"]) >= {"teacher", "student"}


def parameters(nodes, d, heads, places):
    return nodes * d + 2 * d + 2 * heads + places * d + 3 * d**2 + d**2 + d


def test_a_student_grows_with_the_graph_and_its_teacher_does_not(distilled, data):
    for step in distilled.result["steps"]:
        assert step["parameters"]["teacher"] == parameters(data.seen(2), 16, 2, 4)
        assert step["parameters"]["student"] == parameters(data.seen(step["step"]), 8, 2, 2)
    assert distilled.result["student"]["parameters"] == parameters(data.seen(4), 8, 2, 2)


def test_means_over_the_steps_are_the_result(distilled):
    for who, place in (("teacher", "teacher"), ("student", "student"), ("plain", "plain")):
        mean = np.mean([metrics["auc"] for metrics in judged(distilled, who)])
        assert distilled.result[place]["metrics"]["test"]["auc"] == pytest.approx(mean)
    mean = np.mean([metrics["average_precision"] for metrics in judged(distilled, "adamic_adar")])
    assert distilled.result["baselines"]["adamic_adar"]["average_precision"] == pytest.approx(mean)


def test_recorded_areas_are_those_of_the_stored_scores(distilled):
    for step in distilled.result["steps"]:
        arrays = distilled.arrays(f"step-{step['step']:05d}")
        count = arrays["positives"].shape[1]
        assert arrays["negatives"].shape[1] == count == step["links"]["test"]
        for who in ("teacher", "student", "plain"):
            links, others = arrays[f"scores_{who}"][:count, None], arrays[f"scores_{who}"][None, count:]
            area = np.mean((links > others) + 0.5 * (links == others))
            assert step["metrics"][who]["auc"] == pytest.approx(area, abs=1e-3)  # scores are stored in float32


def test_what_views_draw_is_stored(distilled, data):
    sequence = distilled.arrays("sequence")
    assert np.array_equal(sequence["birth"], data.birth.numpy())
    assert np.array_equal(sequence["groups"], data.groups.numpy())
    assert all(np.array_equal(sequence[f"links_{t}"], data.links[t].numpy()) for t in range(len(data)))
    arrays = distilled.arrays("step-00004")
    assert arrays["teacher"].shape == (data.seen(2), 16)
    assert arrays["student"].shape == arrays["plain"].shape == (data.seen(4), 8)
    assert arrays["attention_teacher"].shape == (data.seen(2), 4, 4)
    assert arrays["attention_student"].shape == (data.seen(4), 2, 2)
    for attention in (arrays["attention_teacher"], arrays["attention_student"]):
        assert np.allclose(attention.astype(float).sum(2), 1, atol=2e-3)
        assert not np.triu(attention[0], 1).any()


def test_epochs_are_counted_over_all_steps(distilled):
    for who in ("student", "plain"):
        records = distilled.metrics(who)
        assert [record["epoch"] for record in records] == list(range(1, 13))
        assert [record["step"] for record in records] == [2] * 4 + [3] * 4 + [4] * 4
        assert all({"auc", "average_precision", "loss"} == set(record["val"]) for record in records)
    terms = distilled.metrics("student")[0]["terms"]
    assert {name: term["weight"] for name, term in terms.items()} == {"task": 0.5, "distill2vec": 0.5}
    assert [record["epoch"] for record in distilled.metrics("teacher")] == [1, 2, 3, 4]


def test_the_student_alone_is_the_student_beside_a_distilled_one(distilled, root):
    alone = run(root, method="none")
    assert judged(alone, "student") == judged(distilled, "plain")
    assert "plain" not in alone.result
    assert alone.result["teacher"]["reused"]
    assert alone.result["teacher"]["hash"] == distilled.result["teacher"]["hash"]
    assert judged(alone, "teacher") == judged(distilled, "teacher")


def test_without_any_share_distillation_changes_nothing(root, distilled):
    found = run(root, method={"name": "distill2vec", "gamma": 0.0})
    assert judged(found, "student") == judged(distilled, "plain")


def test_distillation_changes_the_student(distilled):
    assert judged(distilled, "student") != judged(distilled, "plain")


@pytest.mark.parametrize("after", [2, 6, 15, 22])
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
    for who in WHO:
        assert judged(found, who) == judged(distilled, who)
    for who in ("teacher", "student", "plain"):
        before, now = ([r["terms"]["task"]["value"] for r in each.metrics(who)] for each in (distilled, found))
        assert now == before


def test_an_untrained_teacher_is_a_control(root):
    found = run(root, teacher_control="untrained")
    assert found.result["teacher"]["control"] == "untrained"
    assert found.result["teacher"]["epochs"] == 0


def test_a_student_can_start_anew_at_every_step(root, distilled):
    found = run(root, online={"restart": True})
    first, *later = zip(judged(found, "student"), judged(distilled, "student"), strict=True)
    assert first[0] == first[1]
    assert all(a != b for a, b in later)
    assert found.result["teacher"]["reused"]  # the teacher knows nothing of that


def test_ones_own_snapshots(tmp_path, data, distilled):
    found = run(tmp_path, dataset=data)
    assert judged(found, "student") == judged(distilled, "student")
    assert json.loads((found.path / "teacher").read_text())["file"] == "teacher.safetensors"


def test_ones_own_module_is_refused(tmp_path):
    with pytest.raises(UsageError, match="your own module as student can be used for node classification"):
        run(tmp_path, student=torch.nn.Linear(2, 2))
    assert not list(tmp_path.iterdir())


def test_models_and_methods_of_another_task_are_refused(tmp_path):
    with pytest.raises(UsageError, match="teacher 'gat' is made for node classification"):
        run(tmp_path, teacher="gat")
    with pytest.raises(UsageError, match="method 'kd' cannot be used for link prediction"):
        run(tmp_path, method="kd")
    assert not list(tmp_path.iterdir())


def test_a_student_stays_as_it_is_while_nothing_happens(tmp_path):
    rng = np.random.default_rng(0)
    snapshot = np.repeat([0, 1, 2, 3, 6], 90)
    ends = rng.integers(0, 60, size=(2, len(snapshot)))
    silent = wb.datasets.SnapshotSequence.from_snapshot_column(snapshot, *ends)  # snapshots 4 and 5 are empty
    found = run(tmp_path, dataset=silent)
    steps = {step["step"]: step for step in found.result["steps"]}
    assert steps[5]["best_epoch"] == {"student": None, "plain": None}
    assert steps[5]["update_seconds"] == {"student": 0.0, "plain": 0.0}
    assert np.array_equal(found.arrays("step-00005")["student"].shape, found.arrays("step-00004")["student"].shape)
    assert steps[3]["metrics"]["student"]["auc"] is None  # there is no link in snapshot 4
    assert steps[5]["metrics"]["student"]["auc"] is not None


def test_pairs_that_the_teacher_knows_are_judged_by_themselves(distilled, data):
    known = data.seen(2)
    for step in distilled.result["steps"]:
        arrays = distilled.arrays(f"step-{step['step']:05d}")
        count = arrays["positives"].shape[1]
        among = (np.concatenate([arrays["positives"], arrays["negatives"]], axis=1) < known).all(0)
        for who in ("teacher", "student"):
            links = arrays[f"scores_{who}"][:count][among[:count], None]
            others = arrays[f"scores_{who}"][count:][among[count:]][None]
            area = np.mean((links > others) + 0.5 * (links == others))
            assert step["metrics"][who]["known_auc"] == pytest.approx(area, abs=2e-3)


def test_short_trainings_one_after_another_leave_checkpoints(tmp_path, monkeypatch):
    """Four epochs are over in less than the seconds between two checkpoints; six trainings are not."""
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: 0.2 * next(ticks), strftime=time.strftime)
    monkeypatch.setattr(recording, "time", clock)
    assert recording.CHECKPOINT_SECONDS == 5
    stored = []
    save = checkpoints.save_tensors

    def noting(path, tensors, header=None):
        stored.append((header or {}).get("stage"))
        save(path, tensors, header)

    monkeypatch.setattr(checkpoints, "save_tensors", noting)
    run(tmp_path)
    assert {"student", "plain"} & set(stored)
