"""Every seed's score: dots, means with their intervals, and lines to a baseline."""

import numpy as np
import pytest
from scipy import stats
from scored_folders import write_scored

from workbench.errors import UsageError
from workbench.plots.seed_scores import MOST, Row, draw, scores_by_seed
from workbench.runs.entry_differences import Baseline
from workbench.runs.folder import Run


@pytest.fixture
def add(runs_root):
    number = iter(range(1000))
    return lambda score, **more: Run(write_scored(runs_root, f"run-{next(number):03d}-0123456789ab", score, **more))


def trace(figure, start):
    (found,) = [trace for trace in figure.data if trace.name.startswith(start)]
    return found


def names(figure):
    return [trace.name for trace in figure.data]


def dots(of):
    """Row (rounded), seed and score of every dot."""
    return sorted((round(float(y)), int(seed), float(x)) for x, y, seed in zip(of.x, of.y, of.customdata, strict=True))


def test_every_seed_is_a_dot_in_its_row():
    figure = draw([Row("first", {0: 0.8, 4: 0.7}), Row("second", {1: 0.6})])
    assert dots(trace(figure, "Student")) == [(0, 0, 0.8), (0, 4, 0.7), (1, 1, 0.6)]
    assert list(figure.layout.yaxis.ticktext) == ["first", "second"]
    low, high = figure.layout.yaxis.range
    assert low > 1 > 0 > high  # the first one on top


def test_the_mean_stands_with_its_interval_by_students_t():
    values = [0.80, 0.83, 0.78, 0.81]
    bar = trace(draw([Row("many", dict(enumerate(values))), Row("one", {0: 0.5})]), "mean")
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert list(bar.x) == pytest.approx([np.mean(values), 0.5])
    assert bar.error_x.array[0] == pytest.approx((high - low) / 2)
    assert np.isnan(bar.error_x.array[1])
    assert bar.customdata[1] == "mean of 1: 50.0 %"
    assert bar.customdata[0] == f"mean of 4: 80.5 % ± {100 * (high - low) / 2:.1f} (95 %)"


def test_lines_join_equal_seeds_with_the_baseline():
    figure = draw([Row("ours", {0: 0.8, 1: 0.7, 5: 0.9}, Baseline("Student alone", {0: 0.75, 1: 0.72, 8: 0.1}))])
    lines = trace(figure, "same seed")
    ends = np.asarray(lines.x, dtype=float).reshape(-1, 3)
    assert sorted(ends[:, :2].tolist()) == [[0.7, 0.72], [0.8, 0.75]]
    assert np.isnan(ends[:, 2]).all()
    assert dots(trace(figure, "Baseline")) == [(0, 0, 0.75), (0, 1, 0.72), (0, 8, 0.1)]
    assert trace(figure, "Baseline").name == "Baseline: Student alone"


def test_without_a_baseline_there_is_neither_line_nor_circle():
    assert names(draw([Row("ours", {0: 0.8})])) == ["mean, 95 % interval", "Student"]


def test_more_rows_than_can_be_told_apart_are_cut():
    figure = draw([Row(f"entry {number}", {0: 0.5}) for number in range(MOST + 7)])
    assert len(figure.layout.yaxis.ticktext) == MOST
    assert len(trace(figure, "Student").x) == MOST


def test_labels_are_short_lines_of_plain_text():
    figure = draw([Row("KD · <a href='x'> → gcn (hidden 4, T 2)", {0: 0.5}), Row("x" * 200, {0: 0.4})])
    first, second = figure.layout.yaxis.ticktext
    assert first == "KD · &lt;a href='x'&gt; → gcn<br>hidden 4, T 2"
    assert len(second) < 60


def test_seeds_of_one_spec_share_a_row(add):
    runs = [add(0.8, seed=0), add(0.7, seed=1), add(0.6, method="lsp")]
    figure = scores_by_seed(runs)
    assert list(figure.layout.yaxis.ticktext) == ["KD · gcn → gcn", "LSP · gcn → gcn"]
    assert dots(trace(figure, "Student")) == [(0, 0, 0.8), (0, 1, 0.7), (1, 0, 0.6)]
    assert figure.layout.xaxis.title.text == "test accuracy"


def test_a_baseline_is_a_run_of_an_entry_and_brings_its_other_seeds(add):
    ours, theirs = [add(0.8, seed=0), add(0.7, seed=1)], [add(0.6, method="lsp", seed=seed) for seed in (0, 1)]
    figure = scores_by_seed([*ours, *theirs], baseline=theirs[0])
    assert dots(trace(figure, "Baseline")) == [(0, 0, 0.6), (0, 1, 0.6)]
    beside = scores_by_seed(ours, baseline=theirs[0], beside=theirs)
    assert list(beside.layout.yaxis.ticktext) == ["KD · gcn → gcn"]
    assert dots(trace(beside, "Baseline")) == [(0, 0, 0.6), (0, 1, 0.6)]


def test_the_student_alone_is_found_for_each_student(add):
    wide = {"student": {"name": "gcn", "hidden_channels": 8}}
    runs = [add(0.8), add(0.9, spec=wide)]
    alone = [add(0.7, method="none"), add(0.6, method="none", spec=wide)]
    figure = scores_by_seed(runs, baseline="alone", beside=alone)
    assert dots(trace(figure, "Baseline")) == [(0, 0, 0.6), (1, 0, 0.7)]  # the best, which is wide, stands on top
    assert "Baseline: Student alone" in names(figure)
    assert "same seed" not in names(scores_by_seed(runs, baseline="alone"))


def test_wrong_use_is_refused_in_words(add):
    run = add(0.8)
    with pytest.raises(UsageError, match="a baseline is a run"):
        scores_by_seed(run, baseline="teacher")
    with pytest.raises(UsageError, match="not finished"):
        scores_by_seed(run, baseline=add(0.7, method="lsp", state="failed"))
    with pytest.raises(UsageError, match="several datasets"):
        scores_by_seed([run, add(0.8, fingerprint="another-graph")])
    with pytest.raises(UsageError, match="none of these runs is finished"):
        scores_by_seed([])
