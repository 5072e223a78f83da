"""The figure of a method beside its controls: where zero lies in each interval, and what has no test."""

import math

import pytest
from control_folders import write_controls

from workbench.errors import UsageError
from workbench.plots.control_intervals import FRAME_HEIGHT, ROW_HEIGHT, VERDICTS, Gain, controls, draw, of_table
from workbench.runs.control_launch import control_table
from workbench.runs.control_table import ALONE, SAME_UPDATES


def trace_of(figure, verdict):
    (found,) = [trace for trace in figure.data if trace.name == VERDICTS[verdict][0]]
    return found


def names(figure):
    return [trace.name for trace in figure.data if trace.showlegend is not False]


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.01, 0.03), "above"),
        ((-0.01, 0.03), "open"),
        ((-0.03, -0.01), "below"),
        ((0.0, 0.0), "open"),
        (None, "untested"),
    ],
)
def test_the_colour_says_on_which_side_of_the_interval_zero_lies(interval, verdict):
    figure = draw([Gain("student alone", "does it?", 0.01, interval, (0.01,))], "kd")
    assert names(figure) == [VERDICTS[verdict][0]]


def test_differences_are_points_with_the_interval_of_the_t_test(runs_root):
    rows = write_controls(runs_root, {"kd": [0.52, 0.64, 0.76], ALONE: [0.51, 0.62, 0.73]})
    figure = controls(rows["kd"][0])
    mean = trace_of(figure, "open")
    # Differences of 1, 2 and 3 points: 2 plus or minus t(0.975, 2) standard errors of 1 / √3.
    half = 4.302652729911275 / math.sqrt(3)
    assert mean.x == pytest.approx([2.0])
    assert mean.error_x.array == pytest.approx([half])
    assert mean.error_x.arrayminus == pytest.approx([half])
    seeds = next(trace for trace in figure.data if trace.showlegend is False)
    assert sorted(seeds.x) == pytest.approx([1.0, 2.0, 3.0])


def test_the_first_control_stands_on_top_and_says_what_it_asks(runs_root):
    rows = write_controls(
        runs_root, {"kd": [0.5, 0.6], ALONE: [0.4, 0.4], SAME_UPDATES: [0.4, 0.3], "label smoothing": [0.6, 0.6]}
    )
    figure = controls(rows["kd"][0])
    axis = figure.layout.yaxis
    assert axis.range[0] > axis.range[1], "the first one is on top"
    assert [text.partition("<br>")[0] for text in axis.ticktext] == [
        "<b>student alone</b>",
        "<b>student alone, same updates</b>",
        "<b>label smoothing</b>",
    ]
    assert "does distillation help at all?" in axis.ticktext[0]
    assert figure.layout.xaxis.title.text == "kd minus the control, points of test accuracy"
    assert figure.layout.height == FRAME_HEIGHT + 3 * ROW_HEIGHT


def test_one_seed_has_a_difference_and_no_interval(runs_root):
    rows = write_controls(runs_root, {"kd": [0.6], ALONE: [0.5]})
    mean = trace_of(controls(rows["kd"][0]), "untested")
    assert mean.x == pytest.approx([10.0])
    assert mean.error_x.array == pytest.approx([0.0])
    assert mean.customdata[0] == "student alone: +10.0 points"


def test_the_seeds_that_are_named_count_alone(runs_root):
    rows = write_controls(runs_root, {"kd": [0.6, 0.9], ALONE: [0.5, 0.5]})
    assert trace_of(controls(rows["kd"][0], seeds=[1]), "untested").x == pytest.approx([40.0])


def test_a_table_and_its_run_make_the_same_figure(runs_root):
    rows = write_controls(runs_root, {"kd": [0.6, 0.9], ALONE: [0.5, 0.5]})
    run = rows["kd"][0]
    assert controls(control_table(run)) == controls(run) == of_table(control_table(run))


def test_nothing_to_compare_is_an_empty_figure(runs_root):
    rows = write_controls(runs_root, {"kd": [0.6]})
    assert names(controls(rows["kd"][0])) == []


def test_a_control_has_no_controls(runs_root):
    rows = write_controls(runs_root, {"kd": [0.6], ALONE: [0.5]})
    with pytest.raises(UsageError, match="one of the controls itself"):
        controls(rows[ALONE][0])


def test_an_interval_wider_than_any_difference_does_not_hide_the_others():
    wide = Gain("student alone", "does it?", 0.02, (-2.2, 2.24), (0.2, -0.16))
    near = Gain("label smoothing", "or?", 0.02, (0.01, 0.03), (0.02, 0.02))
    assert draw([wide, near], "kd").layout.xaxis.range == (-100, 100)
    low, high = draw([near], "kd").layout.xaxis.range
    assert -100 < low < 0 < high < 100
