"""Runs on many graphs on every page: watched, told about, compared, and kept off pages of one graph."""

from urllib.parse import unquote

import pytest
from small_graph_runs import nodes_of_graphs, run

from workbench.pages.navigation import PAGES
from workbench.pages.tasks import held_of, page_of, task_of
from workbench.runs.folder import Run


@pytest.fixture
def motifs(runs_root) -> Run:
    return run(runs_root)


@pytest.fixture
def proteins(runs_root) -> Run:
    """Of the nodes of one's own graphs, judged by their micro-F1."""
    models = {"teacher": {"name": "gcn", "hidden_channels": 8}, "student": {"name": "gcn", "hidden_channels": 4}}
    return run(runs_root, dataset=nodes_of_graphs(), **models)


def leads_to(app, page, run):
    found = [(element.proto.page, unquote(element.proto.query_string)) for element in app.get("page_link")]
    return any(address.endswith(page) and f"run={run}" in query for address, query in found)


def test_what_they_are_about(motifs, proteins):
    assert (task_of(motifs), held_of(motifs), page_of(motifs)) == ("graph classification", "graphs", "compare")
    assert (task_of(proteins), held_of(proteins), page_of(proteins)) == ("node classification", "graphs", "compare")


@pytest.mark.parametrize("page", [module for _, _, module in PAGES.values()])
def test_no_page_breaks(open_page, motifs, proteins, no_examples, page):
    for shown in (motifs, proteins):
        app = open_page(page, run=shown.id)
        assert not app.exception
        assert not app.error


@pytest.mark.parametrize("page", ["embeddings", "layer_pairs", "local_structure", "knowledge_gap"])
def test_pages_of_one_graph_say_where_it_can_be_looked_at(open_page, motifs, no_examples, texts, page):
    app = open_page(page, run=motifs.id)
    assert "is no run on the nodes of one graph" in texts(app)
    assert leads_to(app, "compare", motifs.id)
    assert "There is no run to look at yet" in texts(app)


def test_the_page_of_changing_graphs_does_not_offer_it(open_page, motifs, no_examples, texts):
    app = open_page("dynamic_graph", run=motifs.id)
    assert "is a run on a graph that does not change" in texts(app)
    assert "There is no run on a graph that changes yet" in texts(app)


def test_it_is_watched(open_page, motifs):
    app = open_page("distil", view="watch", run=motifs.id)
    assert not app.exception
    assert "Teacher, test accuracy" in [metric.label for metric in app.metric]
    assert leads_to(app, "compare", motifs.id)
    assert len(app.get("plotly_chart")) == 2  # curves of both, and the terms of the last epoch


def test_it_is_told_about_by_its_metric(open_page, proteins, texts):
    app = open_page("distil", view="watch", run=proteins.id)
    assert not app.exception
    of_student = 100 * proteins.result["student"]["metrics"]["test"]["micro_f1"]
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Student, test micro-F1"] == f"{of_student:.1f} %"
    assert "micro-F1" in texts(open_page("gallery"))


def test_it_is_compared(open_page, motifs, no_examples):
    app = open_page("compare", run=motifs.id)
    assert not app.exception
    assert len(app.get("plotly_chart")) + len(app.dataframe) > 0
