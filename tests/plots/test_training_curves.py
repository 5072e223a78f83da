"""The curves of a training: weights applied, scales chosen, gaps kept."""

import json

import numpy as np
import pytest

from workbench.plots.embedding_pair import embeddings
from workbench.plots.loss_terms import terms
from workbench.plots.training_curves import curves, of_records, step_starts, validation_score, weighted_terms
from workbench.runs.folder import Run


def traces(figure, axis):
    return {trace.name: trace for trace in figure.data if (trace.yaxis or "y") == axis}


def test_a_term_is_drawn_with_its_weight(make_run_folder):
    figure = curves(Run(make_run_folder()))
    epochs = np.arange(1, 41)
    assert traces(figure, "y")["kd"].y == pytest.approx(0.5 * 30 / epochs)
    assert traces(figure, "y2")["kd"].y == pytest.approx(0.5 * 9 / epochs)
    assert traces(figure, "y3")["student"].y == pytest.approx(0.8 * (1 - 1 / (epochs + 1)))


def test_a_term_has_one_colour_and_one_legend_entry(make_run_folder):
    figure = curves(Run(make_run_folder()))
    loss, pull = traces(figure, "y")["kd"], traces(figure, "y2")["kd"]
    assert loss.line.color == pull.line.color
    assert (loss.showlegend, pull.showlegend) == (True, False)


def test_terms_decades_apart_are_drawn_on_a_logarithmic_axis(make_run_folder):
    layout = curves(Run(make_run_folder())).layout
    assert (layout.yaxis.type, layout.yaxis2.type) == ("log", "log")


def test_every_panel_has_its_axes_labelled(make_run_folder):
    layout = curves(Run(make_run_folder())).layout
    assert {layout[f"xaxis{n}"].title.text for n in ("", 2, 3)} == {"epoch"}
    assert layout.yaxis.title.text == "weight × value"


def test_a_value_that_was_not_finite_is_a_gap():
    term = {"value": None, "weight": 0.5, "gradient": None}
    records = [{"epoch": 1, "terms": {"kd": term}}, {"epoch": 2, "terms": {"kd": {**term, "value": 4.0}}}]
    epochs, values = weighted_terms(records, "value")["kd"]
    assert epochs.tolist() == [1, 2]
    assert np.isnan(values[0])
    assert values[1] == 2.0


TERM = {"value": 1.0, "weight": 1.0, "gradient": 1.0}


def records(stage, steps, **val):
    return [
        {"stage": stage, "epoch": epoch, "terms": {"task": TERM}, "val": {"loss": 1.0, **val}, "step": step}
        for epoch, step in enumerate(steps, 1)
    ]


def test_on_snapshots_the_validation_auc_of_all_three_is_drawn():
    stages = {"teacher": records("teacher", [4] * 3, auc=0.9), "student": records("student", [4] * 3, auc=0.8)}
    figure = of_records(**stages, plain=records("plain", [4] * 3, auc=0.7))
    drawn = traces(figure, "y3")
    assert {name: trace.y[-1] for name, trace in drawn.items()} == pytest.approx(
        {"teacher": 0.9, "student": 0.8, "student alone": 0.7}
    )
    assert len({trace.line.color for trace in drawn.values()}) == 3
    assert "Validation AUC" in [note.text for note in figure.layout.annotations]
    assert set(traces(of_records(**stages), "y3")) == {"teacher", "student"}


def test_where_the_student_goes_on_to_the_next_snapshot_is_marked_in_every_panel():
    student = records("student", [4, 4, 5, 5, 5, 6], auc=0.8)
    assert step_starts(student) == [3, 6]
    lines = [shape for shape in of_records([], student).layout.shapes if shape.type == "line"]
    assert sorted(line.x0 for line in lines) == [2.5] * 3 + [5.5] * 3


def test_on_one_graph_nothing_is_marked(make_run_folder):
    figure = curves(Run(make_run_folder()))
    assert not figure.layout.shapes
    assert "Validation accuracy" in [note.text for note in figure.layout.annotations]


def test_a_run_that_has_just_begun_is_drawn_empty(make_run_folder):
    folder = make_run_folder(state="running")
    (folder / "metrics.jsonl").unlink()
    assert {len(trace.x) for trace in curves(Run(folder)).data} == {0}


def test_until_the_student_begins_the_terms_are_the_teachers(make_run_folder):
    folder = make_run_folder(state="running")
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    (folder / "metrics.jsonl").write_text("\n".join(lines[:25]))  # the teacher's 25 epochs
    figure = curves(Run(folder))
    assert figure.layout.annotations[0].text == "Teacher: weighted loss terms"
    assert len(traces(figure, "y")["task"].x) == 25


def test_a_half_written_last_line_is_left_out(make_run_folder):
    folder = make_run_folder(state="running")
    lines = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(lines + json.dumps({"stage": "student", "epoch": 26})[:-4])
    assert len(traces(curves(Run(folder)), "y")["kd"].x) == 25


def test_records_without_validation_are_no_points(make_run_folder):
    folder = make_run_folder(state="running")
    (folder / "metrics.jsonl").write_text(json.dumps({"stage": "teacher", "epoch": 1, "loss": 1.0, "terms": {}}))
    assert len(traces(curves(Run(folder)), "y3")["teacher"].x) == 0


def test_a_score_that_was_not_finite_is_a_gap():
    scores = ({"accuracy": None}, {"accuracy": 0.5}, None)
    records = [{"epoch": epoch, "val": score} for epoch, score in enumerate(scores, start=1)]
    epochs, values = validation_score(records)
    assert epochs.tolist() == [1, 2]
    assert np.isnan(values[0])
    assert values[1] == 0.5


def test_a_run_without_any_finite_number_is_drawn(make_run_folder):
    folder = make_run_folder()
    term = {"value": None, "weight": 0.5, "gradient": None}
    record = {"epoch": 1, "loss": None, "terms": {"kd": term}, "val": {"accuracy": None, "loss": None}}
    lines = [json.dumps({"stage": stage, **record}) for stage in ("teacher", "student")]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    figure = curves(Run(folder))
    assert all(np.isnan(trace.y).all() for trace in figure.data)


@pytest.mark.parametrize(
    ("view", "panels"), [(curves, 3), (terms, 1), (embeddings, 2), (lambda run: embeddings(run, dimensions=3), 2)]
)
def test_every_panel_has_its_title_at_its_left_edge(make_run_folder, view, panels):
    """In the middle, the tool bar of the app would lie over the title of the last panel."""
    figure = view(Run(make_run_folder()))
    domains = [axis.domain for axis in figure.select_xaxes()] + [scene.domain.x for scene in figure.select_scenes()]
    titles = figure.layout.annotations
    assert [title.x for title in titles] == [domain[0] for domain in domains if domain]
    assert [title.xanchor for title in titles] == ["left"] * panels
