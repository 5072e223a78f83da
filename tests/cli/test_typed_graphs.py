"""``workbench distill`` on graphs with several types of nodes, from end to end."""

import json

import pytest
from typer.testing import CliRunner

from workbench.cli import app

SHORT = ["--training.epochs", "2", "--teacher-training.epochs", "2", "--device", "cpu"]
SMALL = ["--teacher.hidden-channels", "8", "--student.hidden-channels", "4"]


@pytest.mark.parametrize(
    ("dataset", "method"), [("acm", "none"), ("acm", "kd"), ("dblp", "fitnet"), ("dblp", "kd+gcrd"), ("acm", "lsp")]
)
def test_distill(runs_root, hetero_root, monkeypatch, dataset, method):
    monkeypatch.setenv("WORKBENCH_DATA", str(hetero_root))
    done = CliRunner().invoke(app, ["distill", dataset, "--method", method, *SMALL, *SHORT, "--json"])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)["runs"]
    assert found["state"] == "done"
    assert found["teacher"]["name"] == found["student"]["name"] == "rgcn"
    assert 0 <= found["student"]["metrics"]["test"]["accuracy"] <= 1


def test_the_list_of_datasets_counts_types():
    done = CliRunner().invoke(app, ["datasets"])
    assert done.exit_code == 0
    table = done.stdout.split("several types of nodes")[1].split("\n\n")[1]
    assert all(name in table for name in ("acm", "dblp", "mag", "node_types", "11,246", "26,128"))


@pytest.mark.parametrize("labels", ["10", "many"])
def test_labels_that_are_not_published_are_refused(runs_root, labels):
    done = CliRunner().invoke(app, ["distill", "acm", "--dataset.labels-per-class", labels])
    assert done.exit_code == 2
    assert "20, 40" in done.output
    assert not list(runs_root.iterdir())


def test_a_model_of_plain_graphs_is_refused(runs_root):
    done = CliRunner().invoke(app, ["distill", "acm", "--student", "gcn"])
    assert done.exit_code == 2
    assert "take one of rgcn" in " ".join(done.output.split())
    assert not list(runs_root.iterdir())
