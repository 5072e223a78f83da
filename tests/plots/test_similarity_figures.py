"""The three similarity figures as bars."""

import numpy as np
import pytest
from damages import change_arrays
from run_folders import write_run

import workbench as wb
from workbench.errors import UsageError
from workbench.plots.similarity_figures import draw, similarity_bars
from workbench.runs.folder import Run
from workbench.runs.similarity_table import FIGURES, similarity, similarity_table


@pytest.fixture
def runs(runs_root):
    found = []
    for seed in range(3):
        run = Run(write_run(runs_root, f"karate-kd-s{seed}-0123456789ab", nodes=60, seed=seed))
        noise = np.random.default_rng(seed).normal(size=(60, 2))
        change_arrays(run.path, "student", embedding=run.arrays("student")["embedding"] + noise)
        found.append(run)
    return found


def test_there_is_a_bar_for_every_figure_with_its_mean_and_spread(runs):
    figure = wb.plots.similarity_bars(runs)
    assert [trace.name for trace in figure.data] == list(FIGURES.values())
    for trace, name in zip(figure.data, FIGURES, strict=True):
        values = [similarity(run).values[name] for run in runs]
        assert list(trace.x) == pytest.approx([np.mean(values)])
        assert list(trace.error_x.array) == pytest.approx([np.std(values, ddof=1)])
        assert "(3 seeds)" in trace.customdata[0]
    assert list(figure.layout.yaxis.ticktext) == ["KD · gcn → gcn"]


def test_one_seed_has_no_whisker_and_an_open_figure_no_bar(runs):
    change_arrays(runs[0].path, "graph", edge_index=None)
    figure = similarity_bars(runs[0])
    local = figure.data[list(FIGURES).index("local")]
    assert np.isnan(local.x[0])
    assert local.customdata == ("–",)
    assert figure.data[0].error_x.array[0] == 0


def test_a_negative_figure_lies_within_the_axis(runs):
    change_arrays(runs[0].path, "student", embedding=np.random.default_rng(7).normal(size=(60, 2)))
    figure = similarity_bars(runs[0])
    low, high = figure.layout.xaxis.range
    lowest = min(trace.x[0] for trace in figure.data)
    assert low <= min(lowest, 0)
    assert high > 1


def test_markup_in_a_name_is_text(runs):
    import yaml

    for run in runs:
        spec = yaml.safe_load((run.path / "spec.yaml").read_text())
        (run.path / "spec.yaml").write_text(yaml.safe_dump({**spec, "student": {"name": "<img src=x>"}}))
    rows = similarity_table([Run(run.path) for run in runs]).rows
    assert "&lt;img" in draw(rows).layout.yaxis.ticktext[0]


def test_wrong_use_is_refused_in_words(runs, make_snapshot_folder, make_run_folder):
    with pytest.raises(UsageError, match="none is finished"):
        similarity_bars(Run(make_run_folder("failed-0123456789ab", state="failed")))
    with pytest.raises(UsageError, match="none of these runs has embeddings"):
        similarity_bars(Run(make_snapshot_folder()))
    with pytest.raises(UsageError, match="several datasets"):
        similarity_bars([runs[0], Run(make_run_folder("other-0123456789ab", nodes=30))])
