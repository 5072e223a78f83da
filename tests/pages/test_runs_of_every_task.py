"""Runs on snapshots and on point clouds, watched, listed, told about, and sent to the page that shows them."""

import json
from urllib.parse import unquote

import pytest

from workbench.pages.gallery import STORY
from workbench.pages.wording import judged_by, score, story
from workbench.runs.folder import Run

ONLINE = "communities-distill2vec-s0-0123456789ab"
CLOUDS = "shapes-lsp-s0-0123456789ab"
KARATE = "karate-kd-s0-0123456789ab"


@pytest.fixture
def clouds(make_run_folder):
    """A finished run on point clouds, which has none of the arrays of a run on nodes."""
    folder = make_run_folder(CLOUDS)
    text = (folder / "spec.yaml").read_text().replace("builtin-karate", "builtin-shapes")
    (folder / "spec.yaml").write_text(text)
    for file in (folder / "arrays").iterdir():
        file.unlink()
    result = json.loads((folder / "result.json").read_text())
    result["dataset"] = {"name": "builtin-shapes", "shapes": 1000, "points": 256, "classes": 10}
    (folder / "result.json").write_text(json.dumps(result))
    return Run(folder)


@pytest.fixture
def snapshots(make_snapshot_folder):
    """A finished run on snapshots, with the records of five epochs at each of two online steps."""
    folder = make_snapshot_folder(ONLINE)
    write_records(folder)
    return Run(folder)


def write_records(folder):
    lines = []
    for stage, level in (("teacher", 0.9), ("student", 0.8), ("plain", 0.7)):
        for epoch in range(1, 11):
            val = {"auc": level - 0.1 / epoch, "average_precision": level, "loss": 1.0}
            terms = {"task": {"value": 3 / epoch, "weight": 1.0, "gradient": 1 / epoch}}
            step = 4 + (epoch > 5) * (stage != "teacher")
            lines.append({"stage": stage, "epoch": epoch, "terms": terms, "val": val, "seconds": 0.1, "step": step})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def addresses(app):
    return [(element.proto.page, unquote(element.proto.query_string)) for element in app.get("page_link")]


def leads_to(app, page, run):
    return any(address.endswith(page) and f"run={run}" in query for address, query in addresses(app))


def test_the_outcome_on_snapshots_is_the_mean_auc_of_all_three(open_page, snapshots, texts):
    app = open_page("distil", view="watch", run=ONLINE)
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Teacher, mean AUC"] == "90.0 %"
    assert shown["Student, mean AUC"] == "75.0 %"
    assert shown["Student alone, mean AUC"] == "70.0 %"
    assert "15.0 points of AUC worse than its teacher, and 5.0 points of AUC better than the student alone" in texts(
        app
    )
    assert leads_to(app, "dynamic", ONLINE)
    assert not leads_to(app, "embeddings", ONLINE)


def test_the_curves_on_snapshots_are_drawn_with_a_word_on_the_dotted_lines(open_page, snapshots, texts):
    app = open_page("distil", view="watch", run=ONLINE)
    (chart,) = app.get("plotly_chart")
    figure = json.loads(chart.proto.spec)
    assert {trace["name"] for trace in figure["data"]} == {"task", "teacher", "student", "student alone"}
    assert "Validation AUC" in [note["text"] for note in figure["layout"]["annotations"]]
    assert "Dotted lines" in texts(app)


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_on_snapshots_can_be_watched(open_page, make_snapshot_folder, state):
    write_records(make_snapshot_folder(ONLINE, state=state))
    app = open_page("distil", view="watch", run=ONLINE)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


def test_the_outcome_on_point_clouds_is_their_accuracy(open_page, clouds):
    app = open_page("distil", view="watch", run=CLOUDS)
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert (shown["Teacher, test accuracy"], shown["Student, test accuracy"]) == ("91.2 %", "85.0 %")
    assert leads_to(app, "dynamic", CLOUDS)


def test_every_run_leads_to_the_page_that_shows_it(open_page, snapshots, clouds, make_run_folder, texts):
    make_run_folder(KARATE)
    app = open_page("gallery")
    assert not app.exception
    assert leads_to(app, "dynamic", ONLINE)
    assert leads_to(app, "embeddings", KARATE)
    assert leads_to(app, "dynamic", CLOUDS)
    assert not leads_to(app, "embeddings", CLOUDS)
    assert "AUC 90.0 % → **75.0 %**, 12.3 × smaller" in texts(app)
    assert "91.2 % → **85.0 %**, 12.3 × smaller" in texts(app)


def test_examples_of_every_task_are_cards(open_page, snapshots, clouds, texts, monkeypatch):
    monkeypatch.setattr("workbench.pages.gallery.demo_runs", lambda: [snapshots, clouds])
    for example in (snapshots, clouds):
        (example.path / STORY).write_text("What it shows.\n")
    app = open_page("gallery")
    assert not app.exception
    shown = [(metric.label, metric.value) for metric in app.metric]
    assert ("AUC", "90.0 % → 75.0 %") in shown
    assert ("Test accuracy", "91.2 % → 85.0 %") in shown
    assert "· 60 nodes" in texts(app)
    assert "· 1,000 shapes" in texts(app)


def test_embeddings_are_offered_of_runs_on_the_nodes_of_a_graph(
    open_page, snapshots, clouds, make_run_folder, no_examples
):
    make_run_folder(KARATE)
    app = open_page("embeddings")
    assert not app.exception
    assert app.selectbox(key="choice-run").value == KARATE
    assert len(app.selectbox(key="choice-run").options) == 1


@pytest.mark.parametrize("others", [0, 1])
def test_the_embeddings_page_says_where_another_run_is_to_be_seen(
    open_page, snapshots, make_run_folder, no_examples, texts, others
):
    if others:
        make_run_folder(KARATE)
    app = open_page("embeddings", run=ONLINE)
    assert not app.exception
    assert not app.toast
    assert "is no run on the nodes of one graph" in texts(app)
    assert leads_to(app, "dynamic", ONLINE)
    assert len(app.get("plotly_chart")) == others


def test_a_run_whose_spec_is_damaged_stays_where_it_was(open_page, make_run_folder, no_examples, texts):
    (make_run_folder(KARATE) / "spec.yaml").write_text("{half")
    app = open_page("embeddings", run=KARATE)
    assert not app.exception
    assert "no embeddings to show" in texts(app)


def result(teacher, student, plain=None, metric="auc"):
    sides = {"teacher": teacher, "student": student} | ({} if plain is None else {"plain": plain})
    return {**{who: {"metrics": {"test": {metric: value}}} for who, value in sides.items()}, "compression": 10.0}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            result(0.6, 0.75, 0.738),
            "15.0 points of AUC better than its teacher, and 1.2 points of AUC better than the student alone.",
        ),
        (result(0.6, 0.55), "5.0 points of AUC worse than its teacher."),
        (result(0.6, 0.6, 0.6), "as good as its teacher, and as good as the student alone."),
        (
            result(0.6, 0.5, 0.55, "accuracy"),
            "10.0 points worse than its teacher, and 5.0 points worse than the student alone.",
        ),
    ],
)
def test_a_story_of_snapshots_has_the_student_alone_in_it(found, expected):
    assert story(found) == f"The student is 10.0 × smaller and {expected}"


def test_a_run_is_judged_by_its_auc_where_it_has_one():
    assert judged_by(result(0.6, 0.7)) == "auc"
    assert score(result(0.6, 0.7, 0.65), "plain") == 0.65
    assert score(result(0.6, 0.7), "plain") is None
    assert judged_by(result(0.6, 0.7, metric="accuracy")) == judged_by({}) == judged_by(None) == "accuracy"
