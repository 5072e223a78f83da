"""A run on nodes of two classes that is judged by the area under the ROC curve: selected, stored and shown so."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench.cli.history import _scores
from workbench.cli.results import print_report, report, score_on_test
from workbench.datasets import BuiltinKarateConfig
from workbench.errors import UsageError
from workbench.pages.wording import judged_by, story
from workbench.plots.training_curves import curves
from workbench.runs.leaderboard import leaderboard

SHORT = {"epochs": 12, "keep_every": 0, "patience": 0}


@pytest.fixture
def two_clubs(monkeypatch):
    """The karate club with two of its classes put together, judged by the area under the ROC curve."""
    original = BuiltinKarateConfig.load

    def load(self, root, progress=None):
        data = original(self, root, progress)
        data.y = data.y % 2
        return data

    monkeypatch.setattr(BuiltinKarateConfig, "card", replace(BuiltinKarateConfig.card, metric="auc"))
    monkeypatch.setattr(BuiltinKarateConfig, "load", load)


@pytest.fixture
def run(two_clubs, runs_root):
    return wb.distill(
        "builtin-karate", "gcn", "gcn", "kd", device="cpu", training=SHORT, teacher_training=SHORT, root=runs_root
    )


def test_auc_accuracy_and_loss_are_stored_and_the_auc_selects(run):
    for stage in ("teacher", "student"):
        metrics = run.result[stage]["metrics"]
        assert all(list(found) == ["auc", "accuracy", "loss"] for found in metrics.values())
        records = run.metrics(stage)
        best = max(records, key=lambda r: (r["val"]["auc"], -r["val"]["loss"], -r["epoch"]))
        assert run.result[stage]["best_epoch"] == best["epoch"]


def test_the_stored_logits_have_the_auc_of_the_result(run):
    graph = run.arrays("graph", "y", "split")
    nodes = graph["split"] == 3
    for stage in ("teacher", "student"):
        logits = run.arrays(stage, "logits")["logits"][nodes].astype(np.float64)
        expected = roc_auc_score(graph["y"][nodes], logits[:, 1] - logits[:, 0])
        assert run.result[stage]["metrics"]["test"]["auc"] == pytest.approx(expected, abs=1e-6)


def test_every_door_says_auc(run, capsys):
    assert judged_by(run.result) == "auc"
    assert "accurate" not in story(run.result)
    (entry,) = leaderboard([run]).entries
    assert entry.metric == "auc"
    assert entry.values() == {0: run.result["student"]["metrics"]["test"]["auc"]}
    assert [title.text for title in curves(run).layout.annotations][-1] == "Validation AUC"
    assert list(_scores(run.result)) == ["train AUC", "validation AUC", "test AUC"]
    assert score_on_test(run.result["student"]).endswith("% AUC")
    print_report(report([run]))
    head = capsys.readouterr().out.splitlines()[0]
    assert "teacher AUC" in head
    assert "teacher test" not in head


def test_controls_are_judged_by_it_too(two_clubs, runs_root):
    table = wb.controls(
        "builtin-karate", "gcn", "gcn", "kd", [0], device="cpu", training=SHORT, teacher_training=SHORT, root=runs_root
    )
    assert table.metric == "auc"
    assert "test AUC %" in table.columns
    for row in table.rows:
        assert row.values == tuple(found.result["student"]["metrics"]["test"]["auc"] for found in row.runs)


@pytest.mark.parametrize(
    ("metric", "said"), [("auc", "two classes, and it has 4"), ("micro_f1", "judged by accuracy or auc")]
)
def test_a_metric_that_does_not_fit_is_refused_before_anything_is_written(metric, said, monkeypatch, runs_root):
    monkeypatch.setattr(BuiltinKarateConfig, "card", replace(BuiltinKarateConfig.card, metric=metric))
    with pytest.raises(UsageError, match=said):
        wb.distill("builtin-karate", "gcn", "gcn", "kd", device="cpu", training=SHORT, root=runs_root)
    assert list(runs_root.iterdir()) == []
