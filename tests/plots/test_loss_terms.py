"""The loss-term lens as a figure: shares that fill the panel, directions with their zero, and what older runs lack."""

import json

import numpy as np
import pytest

import workbench.plots
from workbench.errors import UsageError
from workbench.plots.loss_terms import cosines, has_directions, shares, terms
from workbench.plots.training_curves import curves, weighted_terms
from workbench.runs.folder import Run
from workbench.runs.store import demo_runs


def traces(figure, axis):
    return {trace.name: trace for trace in figure.data if (trace.yaxis or "y") == axis}


def student_record(epoch, **of_kd):
    """Task 0.5 × 2 and KD 0.5 × 6: shares of a quarter and three quarters."""
    task = {"value": 2.0, "weight": 0.5, "share": 0.25, "gradient": 1.0}
    kd = {"value": 6.0, "weight": 0.5, "share": 0.75, "gradient": 1.0, **of_kd}
    return {
        "stage": "student",
        "epoch": epoch,
        "loss": 4.0,
        "terms": {"task": task, "kd": kd},
        "val": {"accuracy": 0.5},
    }


@pytest.fixture
def looked(make_run_folder):
    """A run that looked through the lens in epochs 1, 10 and 20, the last time without a gradient to compare."""
    folder = make_run_folder()
    seen = {1: {"cosine": 0.5}, 10: {"cosine": -0.25}, 20: {"cosine": None}}
    records = [student_record(epoch, **seen.get(epoch, {})) for epoch in range(1, 26)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return Run(folder)


def test_the_view_is_on_the_package():
    assert workbench.plots.terms is terms


def test_every_term_has_its_share_and_every_distillation_term_its_direction(looked):
    figure = terms(looked)
    assert traces(figure, "y")["kd"].y == pytest.approx([0.75] * 25)
    direction = traces(figure, "y2")
    assert set(direction) == {"kd"}, "the task has no direction beside itself"
    assert direction["kd"].x.tolist() == [1, 10, 20]
    assert direction["kd"].y[:2].tolist() == [0.5, -0.25]
    assert np.isnan(direction["kd"].y[2]), "a gradient of zero has no direction: a gap"


def test_shares_are_stacked_up_to_the_whole(looked):
    figure = terms(looked)
    assert {trace.stackgroup for trace in traces(figure, "y").values()} == {"share"}
    assert sum(trace.y[0] for trace in traces(figure, "y").values()) == pytest.approx(1)
    assert figure.layout.yaxis.range == (0, 1)


def test_directions_go_from_against_to_along_with_a_line_at_zero(looked):
    layout = terms(looked).layout
    low, high = layout.yaxis2.range
    assert low <= -1
    assert high >= 1
    (zero,) = layout.shapes
    assert (zero.y0, zero.y1, zero.yref) == (0, 0, "y2")
    assert "below 0, against" in layout.annotations[-1].text


def test_a_term_has_the_colour_that_it_has_among_the_curves(looked):
    colours = {name: trace.line.color for name, trace in traces(curves(looked), "y").items()}
    for axis in ("y", "y2"):
        assert {
            name: trace.line.color for name, trace in traces(terms(looked), axis).items()
        }.items() <= colours.items()
    assert [trace.name for trace in terms(looked).data if trace.showlegend is not False] == ["task", "kd"]


def test_an_older_run_has_shares_and_no_second_panel(make_run_folder):
    run = Run(make_run_folder())  # task 0.5 · 2 / epoch, KD 0.5 · 30 / epoch
    figure = terms(run)
    assert traces(figure, "y")["kd"].y == pytest.approx([15 / 16] * 40)
    assert "xaxis2" not in figure.layout.to_plotly_json()
    assert not has_directions(run.metrics("student"))


def test_the_examples_are_drawn():
    for run in demo_runs():
        assert set(traces(terms(run), "y")) == set(traces(curves(run), "y"))


def test_a_run_whose_student_has_not_begun_is_refused_with_what_to_do(make_run_folder):
    folder = make_run_folder(state="queued")
    (folder / "metrics.jsonl").unlink()
    with pytest.raises(UsageError, match="no epoch yet"):
        terms(Run(folder))


@pytest.mark.parametrize("value", [None, 0.0])
def test_a_share_that_is_not_known_is_a_gap(value):
    term = {"value": value, "weight": 0.5, "gradient": None}
    for record in ({"kd": term}, {"kd": {**term, "share": None}}):
        epochs, values = shares([{"epoch": 3, "terms": record}])["kd"]
        assert epochs.tolist() == [3]
        assert np.isnan(values).all()


def test_a_term_that_never_had_a_direction_is_left_out():
    records = [student_record(1, cosine=None), student_record(2)]
    assert cosines(records) == {}


def test_a_term_of_weight_zero_pulls_at_nothing_also_where_its_gradient_is_known():
    """GLNN without labels: the lens takes the task's gradient in some epochs, and no step does."""
    term = {"value": 2.0, "weight": 0.0, "share": 0.0}
    records = [{"epoch": e, "terms": {"task": {**term, "gradient": g}}} for e, g in ((1, 3.0), (2, None))]
    assert np.isnan(weighted_terms(records, "gradient")["task"][1]).all()
    assert weighted_terms(records, "value")["task"][1].tolist() == [0, 0]
