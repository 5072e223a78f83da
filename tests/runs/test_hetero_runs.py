"""Runs on a graph with several types of nodes, from end to end: everything is about the nodes that have labels."""

import numpy as np
import pytest
import torch
from small_hetero import PAPERS, bibliography
from torch_geometric.data import HeteroData

import workbench as wb
from workbench.datasets.hetero.graph import HeteroGraph
from workbench.errors import UsageError
from workbench.registry import methods
from workbench.runs.latency_budget import solve_latency
from workbench.runs.model_widths import model_widths
from workbench.runs.pictures import add_umap
from workbench.spec import Spec

SHORT = {"epochs": 4, "keep_every": 2, "patience": 0}
TEACHER, STUDENT = {"name": "rgcn", "hidden_channels": 12}, {"name": "rgcn", "hidden_channels": 4}
# of the student. Relations: writes 3, rev_writes 6, in 6, rev_in 128; roots: 6, 3 and 128; then all of width 4
SMALL = (3 + 6 + 6 + 128) * 4 + (6 + 3 + 128) * 4 + 3 * 4 + 4 * 4 * 2 + 3 * (4 * 2 + 2)
SUITED = [name for name in methods.names() if "node classification" in methods[name].tasks]


def run(root, data=None, method="kd", **more):
    values = {"teacher": TEACHER, "student": STUDENT, "training": SHORT, "teacher_training": SHORT, "device": "cpu"}
    return wb.distill(bibliography() if data is None else data, method=method, root=root, **{**values, **more})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return run(tmp_path_factory.mktemp("runs"))


def test_arrays_are_of_the_papers_alone(finished):
    graph, data = finished.arrays("graph"), bibliography()
    expected = HeteroGraph.from_hetero_data(data)
    np.testing.assert_array_equal(graph["y"], data["paper"].y)
    np.testing.assert_array_equal(graph["edge_index"], expected.edge_index)
    np.testing.assert_array_equal(graph["degree"], np.bincount(expected.edge_index[1], minlength=PAPERS))
    for who, width in (("teacher", 12), ("student", 4), ("epoch-00002", 4)):
        arrays = finished.arrays(who)
        assert arrays["embedding"].shape == (PAPERS, width)
        assert arrays["logits"].shape == (PAPERS, 2)


@pytest.mark.parametrize("who", ["teacher", "student"])
def test_accuracy_is_the_share_of_papers_that_are_right(finished, who):
    logits, data = finished.arrays(who)["logits"], bibliography()
    for split in ("train", "val", "test"):
        mask = data["paper"][f"{split}_mask"].numpy()
        share = (logits.argmax(1) == data["paper"].y.numpy())[mask].mean()
        assert finished.result[who]["metrics"][split]["accuracy"] == pytest.approx(share)


def test_embeddings_of_nodes_are_told_apart_from_the_models_size(finished):
    assert finished.result["student"]["parameters"] == SMALL
    assert finished.result["student"]["embedding_parameters"] == 4 * 128


def test_what_is_recorded_of_the_data(finished):
    facts = finished.result["dataset"]
    assert (facts["nodes"], facts["target_nodes"], facts["node_types"]) == (69, 40, 3)
    assert finished.document["dataset"]["fingerprint"] == facts["fingerprint"]


@pytest.mark.parametrize("name", [name for name in SUITED if name not in ("none", "kd")])
def test_every_method_pulls_at_the_student(tmp_path, name):
    found = run(tmp_path, method=name)
    terms = {term for record in found.metrics("student") for term in record["terms"]} - {"task"}
    assert terms
    assert all(record["terms"][term]["gradient"] > 0 for record in found.metrics("student") for term in terms)


def test_heads_that_sum_over_neighbours_take_those_of_the_papers(tmp_path):
    found = run(tmp_path, method={"name": "gcrd", "head": "gcn"})
    assert all(record["terms"]["gcrd"]["gradient"] > 0 for record in found.metrics("student"))


def test_without_neighbours_lsp_is_refused_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.datasets.hetero.neighbours.LIMIT", 1)
    with pytest.raises(UsageError, match="the graph has no edges"):
        run(tmp_path / "runs", method="lsp")
    assert not (tmp_path / "runs").exists()
    assert run(tmp_path / "runs", method="gcrd").result["student"]["metrics"]["test"]["accuracy"] >= 0


def test_a_model_of_plain_graphs_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"'gcn' cannot read dataset .* several types of nodes: take one of rgcn"):
        run(tmp_path, student="gcn")
    with pytest.raises(UsageError, match="'rgcn' cannot read dataset 'cora', which holds one graph"):
        Spec.parse({"dataset": "cora", "teacher": "rgcn"}, "test")


def test_ones_own_module_is_refused(tmp_path):
    with pytest.raises(UsageError, match="several types of nodes"):
        run(tmp_path, student=torch.nn.Linear(6, 2))


def test_rgcn_is_what_is_usual():
    spec = Spec.parse({"dataset": "dblp"}, "test")
    assert (spec.teacher.name, spec.student.name, [part.name for part in spec.method]) == ("rgcn", "rgcn", ["kd"])


def test_the_same_seed_gives_the_same_student(finished, tmp_path):
    again = run(tmp_path)
    assert again.result["student"]["metrics"] == finished.result["student"]["metrics"]
    np.testing.assert_array_equal(again.arrays("student")["logits"], finished.arrays("student")["logits"])


@pytest.mark.parametrize("control", ["untrained", "shuffled"])
def test_controls_of_the_teacher(tmp_path, control):
    assert run(tmp_path, teacher_control=control).result["teacher"]["control"] == control


def test_the_umap_is_of_the_papers(finished):
    add_umap(finished)
    assert finished.arrays("umap")["student"].shape[0] == PAPERS


def test_sizes_for_the_budget_know_every_type():
    data = HeteroGraph.from_hetero_data(bibliography())
    spec = Spec.parse({"dataset": "acm", "student": STUDENT}, "test")
    teacher, student = model_widths(spec, data)
    assert teacher == student == (6, 2)
    assert spec.student.count_parameters(*student) == SMALL
    assert solve_latency(spec, data, 1000.0).config.name == "rgcn"


def test_a_graph_without_labels_is_refused(tmp_path):
    with pytest.raises(UsageError, match="one type of nodes has to have labels"):
        run(tmp_path, HeteroData())


def test_a_graph_whose_target_was_named_gives_the_same_run(finished, tmp_path):
    data = bibliography()
    data["author"].y = torch.zeros(25, dtype=torch.long)
    with pytest.raises(UsageError, match="paper, author has them"):
        run(tmp_path, data)
    found = run(tmp_path, HeteroGraph.from_hetero_data(data, target="paper"))
    assert found.result["student"]["metrics"] == finished.result["student"]["metrics"]


def test_views_of_the_papers_are_drawn(finished):
    for view in (wb.plots.embeddings, wb.plots.knowledge_gap, wb.plots.neighbourhood_divergence):
        assert view(finished).data
    assert wb.plots.neighbourhood(finished, node=0).data
