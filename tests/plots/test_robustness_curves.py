"""Robustness as lines and bands."""

import numpy as np
import pytest
from robust_folders import write_robustness_file
from scored_folders import write_scored

import workbench as wb
from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.robustness_curves import MOST, draw, robustness
from workbench.runs.folder import Run
from workbench.runs.robustness_curves import Curve

LEVELS = np.array([0.0, 0.5, 1.0])


def curve(name="KD", role="student", values=((0.8, 0.6, 0.4), (0.7, 0.5, 0.3)), trainings=2):
    return Curve(name, role, LEVELS, np.array(values), trainings)


def line(figure, name):
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def bands(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


def test_a_line_is_the_mean_and_a_band_one_standard_deviation():
    figure = draw([curve()], "remove_edges")
    mean, std = np.array([0.75, 0.55, 0.35]), 0.1 / np.sqrt(2)
    assert np.asarray(line(figure, "KD").y) == pytest.approx(mean)
    assert np.asarray(line(figure, "KD").x) == pytest.approx(LEVELS)
    (band,) = bands(figure)
    assert np.asarray(band.y) == pytest.approx([*(mean - std), *(mean + std)[::-1]])
    assert line(figure, "KD").customdata[1] == f"55.0 ± {100 * std:.1f} %"
    assert "2 training seeds" in line(figure, "KD").hovertemplate


def test_a_band_stays_between_nothing_and_all():
    figure = draw([curve(values=((1.0, 0.5, 0.0), (0.9, 0.5, 0.1)))], "remove_edges")
    (band,) = bands(figure)
    assert np.max(band.y) == 1.0
    assert np.min(band.y) == 0.0


def test_one_row_has_no_band():
    figure = draw([curve(values=((0.8, 0.6, 0.4),), trainings=1)], "add_edges")
    assert bands(figure) == []
    assert line(figure, "KD").customdata[0] == "80.0 %"


def test_roles_have_their_own_colours_and_a_band_goes_with_its_line():
    figure = draw([curve("T", "teacher"), curve("A", "alone"), curve("K"), curve("G")], "remove_edges")
    colours = {name: line(figure, name).line.color for name in "TAKG"}
    assert colours["T"] == theme.TEACHER
    assert colours["K"] == theme.STUDENT
    assert len(set(colours.values())) == 4
    assert [band.legendgroup for band in bands(figure)] == [line(figure, name).legendgroup for name in "TAKG"]


def test_axes_say_what_they_are_of_and_the_title_which_dataset():
    figure = draw([curve()], "noisy_features", "cora <b>")
    assert figure.layout.xaxis.title.text == "noise, in standard deviations of each feature"
    assert figure.layout.yaxis.title.text == "test accuracy"
    assert figure.layout.yaxis.tickformat == ".0%"
    assert figure.layout.title.text == "Robustness on cora &lt;b&gt;"
    assert draw([curve()], "add_edges").layout.xaxis.tickformat == ".0%"


def test_more_students_than_can_be_told_apart_are_cut_and_the_others_stay():
    many = [curve(f"student {number}") for number in range(MOST + 3)]
    figure = draw([curve("T", "teacher"), *many], "remove_edges")
    names = [trace.name for trace in figure.data if trace.fill != "toself"]
    assert names == ["T", *(f"student {number}" for number in range(MOST))]


@pytest.fixture
def runs(runs_root):
    found = []
    for number, (method, seed) in enumerate((m, s) for m in ("kd", "none") for s in (0, 1)):
        folder = write_scored(runs_root, f"run-{number}-0123456789ab", 0.8, method=method, seed=seed)
        write_robustness_file(folder, {"teacher": 0.9, "student": 0.8})
        found.append(Run(folder))
    return found


def test_the_view_shows_what_runs_have_stored(runs):
    figure = wb.plots.robustness(runs, kind="add_edges")
    assert {trace.name for trace in figure.data if trace.name} == {
        "Teacher gcn",
        "KD · gcn → gcn",
        "Student alone · gcn → gcn",
    }
    assert "builtin-karate" in figure.layout.title.text
    single = wb.plots.robustness(runs[0])
    assert "2 disturbance seeds" in line(single, "KD · gcn → gcn").hovertemplate


def test_wrong_use_is_refused_in_words(runs, make_run_folder):
    with pytest.raises(UsageError, match="did you mean 'remove_edges'"):
        robustness(runs, "remove")
    with pytest.raises(UsageError, match="none of these runs has been measured"):
        robustness(Run(make_run_folder("unmeasured-0123456789ab")))
    with pytest.raises(UsageError, match="none of these runs"):
        robustness([])
