"""Runs on a graph with several types of nodes on every page: the nodes that are looked at are those with labels."""

import pytest
from small_hetero import bibliography

import workbench as wb
from workbench.pages.navigation import PAGES
from workbench.pages.sizes import widths_of
from workbench.pages.tasks import held_of, page_of, task_of
from workbench.runs.folder import Run
from workbench.spec import Spec

MODELS = {"teacher": {"name": "rgcn", "hidden_channels": 8}, "student": {"name": "rgcn", "hidden_channels": 4}}
SHORT = {"epochs": 3, "keep_every": 1, "patience": 0}
RUN = {**MODELS, "training": SHORT, "teacher_training": SHORT, "device": "cpu"}


@pytest.fixture
def own(runs_root) -> Run:
    return wb.distill(bibliography(cites=True), method="gcrd", root=runs_root, **RUN)


@pytest.fixture
def acm(runs_root, hetero_root, monkeypatch) -> Run:
    monkeypatch.setenv("WORKBENCH_DATA", str(hetero_root))
    return wb.distill("acm", method="kd", root=runs_root, **RUN)


def test_what_it_is_about(own):
    assert (task_of(own), held_of(own), page_of(own)) == ("node classification", "hetero", "embeddings")


@pytest.mark.parametrize("page", [module for _, _, module in PAGES.values()])
def test_no_page_breaks(open_page, own, no_examples, page):
    app = open_page(page, run=own.id)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", ["embeddings", "layer_pairs", "local_structure", "knowledge_gap", "compare"])
def test_the_labelled_nodes_are_drawn(open_page, own, no_examples, page):
    app = open_page(page, run=own.id)
    assert len(app.get("plotly_chart")) + len(app.dataframe) > 0


def test_the_page_of_changing_graphs_does_not_offer_it(open_page, own, no_examples, texts):
    assert "is a run on a graph that does not change" in texts(open_page("dynamic_graph", run=own.id))


def test_robustness_is_not_offered_for_it(open_page, own, no_examples, texts):
    assert "not been measured on disturbed graphs" not in texts(open_page("compare", run=own.id))


def test_a_run_on_acm(open_page, acm, no_examples):
    for page in ("embeddings", "knowledge_gap", "compare"):
        app = open_page(page, run=acm.id)
        assert not app.exception
        assert not app.error
    app = open_page("distil", view="watch", run=acm.id)
    assert "Student, test accuracy" in [metric.label for metric in app.metric]


def test_the_form_counts_models_of_every_type(open_page, acm):
    widths = widths_of(Spec.parse({"dataset": "acm"}, "test"))
    # relations: 1902 twice for papers, 1902 for authors, 128 for subjects; roots of all three; then 8 wide to 3 classes
    first = (3 * 1902 + 128) * 8 + (2 * 1902 + 128) * 8 + 3 * 8
    assert acm.spec.teacher.count_parameters(*widths.teacher) == first + 4 * 8 * 3 + 3 * (8 * 3 + 3)
    assert acm.result["teacher"]["parameters"] == first + 4 * 8 * 3 + 3 * (8 * 3 + 3)
    app = open_page("distil")
    (chosen,) = [box for box in app.selectbox if str(box.key).endswith("-dataset")]
    chosen.set_value("acm").run()
    assert not app.exception
    assert not app.error
