"""The Dynamic graph page on runs whose arrays or results hold what they should not: a message, and what is left."""

import json

import numpy as np
import pytest
from damages import cases, change_arrays, damage

from workbench.plots.evolution_arrays import metrics_of
from workbench.runs.folder import Run

RUN = "communities-distill2vec-s0-0123456789ab"
KINDS = "text, NaN, unsigned, complex, flat, short, empty"  # that no array of links or nodes may have
SEQUENCE = {
    "birth": "short, empty, deep, text, NaN, large, negative, unsigned",
    "links_3": f"{KINDS}, large, negative",
    "groups": KINDS,
}
STEP = {
    "embeddings": {"student": "short, empty, flat, text, complex, without columns", "teacher": "empty, flat, text"},
    "scores": {
        "positives": f"{KINDS}, large, negative, without columns",
        "negatives": f"{KINDS}, large, negative",
        "scores_student": "short, empty, deep, text, complex",
        "scores_teacher": "short, text",
    },
    "attention": {"attention_student": "short, empty, flat, text, without columns", "attention_teacher": "deep, short"},
}


def charts(app):
    return app.get("plotly_chart")


def student(app):
    return next(metric.value for metric in app.metric if metric.label == "AUC, student")


@pytest.fixture
def change_result(make_snapshot_folder):
    """``change_result(change)``: a run whose result a function has changed."""

    def make(change, name=RUN, **options):
        folder = make_snapshot_folder(name, **options)
        result = json.loads((folder / "result.json").read_text())
        change(result)
        (folder / "result.json").write_text(json.dumps(result))
        return folder

    return make


def shows_damage(app, name=""):
    """``name`` is empty where another array may show that they do not fit."""
    assert not app.exception
    assert [f"damaged, '{name}" in error.value for error in app.error] == [True]
    assert not charts(app)


@pytest.mark.parametrize(
    ("name", "kind", "figure"), [*((*case, "graph") for case in cases(SEQUENCE)), ("links_3", "large", "embeddings")]
)
def test_snapshots_that_do_not_fit_are_a_message(open_page, make_snapshot_folder, name, kind, figure):
    damage(make_snapshot_folder(), "sequence", name, kind)
    shows_damage(open_page("dynamic_graph", figure=figure, step="5"))


@pytest.mark.parametrize(
    ("figure", "name", "kind"), [(figure, *case) for figure, table in STEP.items() for case in cases(table)]
)
def test_arrays_of_a_step_that_do_not_fit_are_a_message(open_page, make_snapshot_folder, figure, name, kind):
    damage(make_snapshot_folder(), "step-00005", name, kind)
    shows_damage(open_page("dynamic_graph", figure=figure, step="5"))


@pytest.mark.parametrize(
    "boundaries",
    [np.arange(8.0), np.zeros((9, 1)), np.full(9, np.nan), np.arange(9.0)[::-1], np.array([*"abcdefghi"])],
    ids=["short", "deep", "NaN", "falling", "text"],
)
def test_times_that_are_none_are_a_message(open_page, make_snapshot_folder, boundaries):
    change_arrays(make_snapshot_folder(), "sequence", boundaries=boundaries)
    shows_damage(open_page("dynamic_graph"), "boundaries")


def test_snapshots_that_end_before_the_last_step_are_a_message(open_page, make_snapshot_folder):
    change_arrays(make_snapshot_folder(), "sequence", groups=None, links_6=None, links_7=None)
    for step in "46":
        shows_damage(open_page("dynamic_graph", step=step), "links")


def test_other_integers_of_the_same_values_are_no_damage(open_page, make_snapshot_folder):
    folder = make_snapshot_folder()
    with np.load(folder / "arrays/sequence.npz") as stored:
        wide = {name: stored[name].astype(np.int64) for name in ("groups", "links_3")}
        change_arrays(folder, "sequence", **wide, birth=stored["birth"].astype(np.uint8), links_4=np.zeros((2, 0), int))
    app = open_page("dynamic_graph", step="5")
    assert not app.error
    assert len(charts(app)) == 2


@pytest.mark.parametrize("figure", ["graph", "embeddings", "scores", "attention"])
def test_a_second_run_without_the_step_is_a_message(open_page, make_snapshot_folder, figure):
    make_snapshot_folder("other-run-0123456789ab", seed=1, online=(4,))
    make_snapshot_folder()
    app = open_page(
        "dynamic_graph", **{"run": RUN, "right-run": "other-run-0123456789ab", "figure": figure, "step": "6"}
    )
    assert not app.exception
    said = [error.value for error in app.error]
    assert ["there is no step 6" in text for text in said] == [True] * (figure != "graph")


@pytest.mark.parametrize(
    "steps", [[1, 2], "a step", 3, {"step": 5}, [{"step": "5"}], [{"step": True}, {"step": 10**30}]]
)
def test_a_result_without_records_of_steps_has_no_numbers(open_page, change_result, steps):
    change_result(lambda result: result.update(steps=steps))
    app = open_page("dynamic_graph", step="5")
    assert not app.exception
    assert student(app) == "–"
    assert ["has been measured" in error.value for error in app.error] == [True, True]  # beside the graph, below it
    assert len(charts(app)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(metrics="high"),
        lambda record: record.update(metrics=[0.9]),
        lambda record: record["metrics"].update(student=[0.9]),
        lambda record: record["metrics"].update(student=None),
        lambda record: record["metrics"]["student"].update(auc="high"),
        lambda record: record["metrics"]["student"].update(auc=[0.9]),
        lambda record: record["metrics"]["student"].update(auc=float("inf")),
        lambda record: record["metrics"]["student"].update(auc=10**400),
        lambda record: record["metrics"]["student"].update(auc=True),
    ],
)
def test_a_metric_that_is_no_number_is_left_out(open_page, change_result, change):
    change_result(lambda result: change(result["steps"][1]))
    app = open_page("dynamic_graph", figure="scores", step="5")
    assert not app.exception
    assert not app.error
    assert student(app) == "–"
    assert list(app.dataframe[0].value["student"].isna()) == [False, True, False]
    assert not open_page("dynamic_graph", figure="graph", step="5").error


def test_the_first_record_of_a_step_counts_and_a_wrong_prediction_is_of_the_next_snapshot(change_result):
    def change(result):
        result["steps"] += [{"step": 4, "predicts": 5, "metrics": {}}]
        result["steps"][1]["predicts"] = "6"

    records = metrics_of(Run(change_result(change)))
    assert [(step, predicts) for step, predicts, _ in records] == [(4, 5), (5, 6), (6, 7)]
    assert records[0][2]["teacher"]["auc"] == 0.9


def test_every_seed_counts_once_the_shown_run_first_and_else_the_newest(open_page, texts, change_result):
    def lower(result):
        for record in result["steps"]:
            record["metrics"]["student"]["auc"] -= 0.3

    keep = dict  # the result as it is
    change_result(keep)
    assert "seeds" not in texts(open_page("dynamic_graph", run=RUN))
    change_result(lower, "same-seed-0123456789ab")
    app = open_page("dynamic_graph", run=RUN)
    assert "seeds" not in texts(app)
    assert list(app.dataframe[0].value["student"]) == ["0.740", "0.750", "0.760"]
    change_result(keep, "seed-one-old-0123456789ab", seed=1)
    change_result(lower, "seed-one-new-0123456789ab", seed=1)
    change_result(lambda result: result.update(steps=[]), "seed-one-newest-0123456789ab", seed=1)  # it has no numbers
    for run, means in ((RUN, (0.6, 0.61, 0.62)), ("same-seed-0123456789ab", (0.45, 0.46, 0.47))):
        app = open_page("dynamic_graph", run=run)
        assert "over the 2 seeds" in texts(app)
        found = [float(cell.split(" ±")[0]) for cell in app.dataframe[0].value["student"]]
        assert found == pytest.approx(means)  # of 0.74 and 0.76 − 0.3, and of 0.44 and 0.46, in the first step
