"""Score against cost: the front, the points, the marked budget."""

import math

import numpy as np
import pytest
from scored_folders import write_scored

from workbench.errors import RunError, UsageError
from workbench.plots.pareto import NO_TEACHER, Point, appearances, draw, front, score_against_cost
from workbench.plots.theme import TEACHER
from workbench.runs.entry_names import METHODS, title_of_method
from workbench.runs.folder import Run


@pytest.fixture
def add(runs_root):
    number = iter(range(1000))
    return lambda score, **more: Run(write_scored(runs_root, f"run-{next(number):03d}-0123456789ab", score, **more))


def student(cost, score, std=None, method="KD", name="KD · gat → gcn"):
    return Point(cost, score, std, 3, name, method)


def trace(figure, name):
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def brute_force(cost, score):
    """Points that no other one dominates, by the definition."""
    known = [at for at in range(len(cost)) if math.isfinite(cost[at]) and math.isfinite(score[at])]

    def beats(a, b):
        return cost[a] <= cost[b] and score[a] >= score[b] and (cost[a] < cost[b] or score[a] > score[b])

    return {b for b in known if not any(beats(a, b) for a in known)}


@pytest.mark.parametrize("seed", range(30))
def test_the_front_is_what_no_point_dominates(seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 8, size=25).astype(float)  # few values, so that there are ties and equal points
    score = rng.integers(0, 8, size=25) / 8
    cost[rng.integers(25)] = np.nan
    score[rng.integers(25)] = np.inf
    found = front(cost, score)
    assert set(found.tolist()) == brute_force(cost, score)
    assert len(set(found.tolist())) == len(found)
    assert (np.diff(cost[found]) >= 0).all()


def test_the_front_of_nothing_is_empty():
    assert front([], []).tolist() == []
    assert front([np.nan], [0.5]).tolist() == []


def test_the_front_is_drawn_as_steps_that_go_on_to_the_dearest_model():
    steps = trace(draw([student(10, 0.7), student(100, 0.6), student(1000, 0.8), student(5000, 0.75)]), "Pareto front")
    assert steps.line.shape == "hv"
    assert list(steps.x) == [10, 1000, 5000]
    assert list(steps.y) == [0.7, 0.8, 0.8]


def test_bars_are_standard_deviations_and_missing_ones_are_not_drawn():
    figure = draw([student(10, 0.7, 0.01), student(20, 0.8, None), student(30, 0.75, None, "LSP")])
    bars = trace(figure, "KD").error_y.array
    assert bars[0] == 0.01
    assert np.isnan(bars[1])
    assert trace(figure, "LSP").error_y.array is None


def test_teachers_and_students_differ_in_symbol_and_methods_in_colour():
    models = [student(10, 0.7), student(10, 0.6, method="LSP"), student(100, 0.9, method=None, name="Teacher gat")]
    looks = {name: trace(draw(models), name).marker for name in ("KD", "LSP", "Teacher")}
    assert looks["KD"].color != looks["LSP"].color
    assert looks["Teacher"].symbol not in (looks["KD"].symbol, looks["LSP"].symbol)
    assert looks["Teacher"].color == TEACHER not in (looks["KD"].color, looks["LSP"].color)


def test_a_method_looks_the_same_whatever_is_beside_it_and_no_two_look_alike():
    known = [title_of_method(name) for name in METHODS]
    every = appearances([*known, "KD + G-CRD", "Mine"])
    assert len(set(every.values())) == len(known) + 2
    assert {name: appearances([name])[name] for name in known} == {name: every[name] for name in known}
    assert TEACHER not in NO_TEACHER


def test_the_axis_is_logarithmic_and_holds_every_point_and_the_budget():
    figure = draw([student(100, 0.7), student(10_000, 0.8)], target=10)
    assert figure.layout.xaxis.type == "log"
    low, high = figure.layout.xaxis.range
    assert low < math.log10(10) < math.log10(10_000) < high
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1) == (10, 10)
    (text,) = figure.layout.annotations
    assert (text.text, text.x) == ("budget", pytest.approx(math.log10(10)))
    assert not draw([student(100, 0.7)]).layout.shapes


def test_a_point_says_its_name_seeds_and_spread():
    facts = trace(draw([student(10, 0.7, 0.0123, name="KD <b>mine</b>")]), "KD").customdata
    assert list(facts[0]) == ["KD &lt;b&gt;mine&lt;/b&gt;", "3 seeds", " ± 1.2"]


def test_axes_have_titles_with_what_they_measure():
    titles = {x: draw([student(10, 0.7)], x, "AUC").layout for x in ("parameters", "bytes", "latency_ms")}
    assert [layout.xaxis.title.text for layout in titles.values()] == ["parameters", "size in bytes", "one pass, ms"]
    assert {layout.yaxis.title.text for layout in titles.values()} == {"test AUC"}


def test_seeds_are_one_point_and_their_teacher_is_drawn_once(add):
    runs = [add(score, seed=seed) for seed, score in enumerate((0.7, 0.8))]
    figure = score_against_cost([*runs, add(0.6, method="lsp", facts={"parameters": 500})])
    assert list(trace(figure, "KD").y) == [pytest.approx(0.75)]
    assert trace(figure, "KD").error_y.array[0] == pytest.approx(np.std([0.7, 0.8], ddof=1))
    assert (list(trace(figure, "Teacher").x), list(trace(figure, "Teacher").y)) == ([12345], [0.9])
    assert list(trace(figure, "LSP").x) == [500]


def test_a_run_alone_is_a_comparison_of_its_two_models(add):
    assert {trace.name for trace in score_against_cost(add(0.8)).data} == {"Pareto front", "KD", "Teacher"}


def test_teachers_that_differ_in_an_option_are_told_apart(add):
    runs = [
        add(0.8, spec={"teacher": {"name": "gat", "heads": heads}}, teacher=score)
        for heads, score in ((4, 0.9), (8, 0.92))
    ]
    names = sorted(facts[0] for facts in trace(score_against_cost(runs), "Teacher").customdata)
    assert names == ["Teacher gat (heads 4)", "Teacher gat (heads 8)"]


@pytest.mark.parametrize("cost", [None, 0.0, -1.0, "much"])
def test_a_model_whose_cost_was_not_measured_is_left_out(add, cost):
    figure = score_against_cost([add(0.8, facts={"latency_ms": cost}), add(0.7, method="lsp")], x="latency_ms")
    assert {trace.name for trace in figure.data} == {"Pareto front", "LSP", "Teacher"}


def test_wrong_use_is_refused_in_words(add):
    with pytest.raises(UsageError, match="did you mean 'parameters'"):
        score_against_cost(add(0.8), x="parameter")
    with pytest.raises(UsageError, match="several datasets"):
        score_against_cost([add(0.8), add(0.8, fingerprint="another-graph")])
    with pytest.raises(UsageError, match="none of these runs is finished"):
        score_against_cost(add(0.8, state="failed"))
    with pytest.raises(RunError, match="has not been measured"):
        draw([])
