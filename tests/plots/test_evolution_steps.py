"""The figures of the online steps: embeddings with trails, link scores, AUC, temporal attention."""

import json

import numpy as np
import pytest

from workbench.errors import RunError, UsageError
from workbench.plots import auc_over_steps, embeddings_over_time, link_scores, temporal_attention
from workbench.plots.evolution_arrays import Step, was_judged
from workbench.plots.evolution_embeddings import draw as draw_journey
from workbench.plots.evolution_embeddings import read_journey
from workbench.plots.evolution_scores import draw as draw_scores
from workbench.runs.folder import Run


@pytest.fixture
def run(make_snapshot_folder):
    return Run(make_snapshot_folder())


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def titles(figure):
    return [title.text for title in figure.layout.annotations]


def test_the_teacher_shows_the_nodes_that_it_knows_and_the_student_all(run):
    for step, there in ((4, 54), (5, 60)):
        figure = embeddings_over_time(run, step)
        assert titles(figure) == ["Teacher: 54 nodes", f"Student: {there} nodes"]
        assert [len(named(figure, f"nodes {column}")[0].x) for column in (1, 2)] == [54, there]


def test_axes_are_the_same_at_all_steps_and_in_both_panels(run):
    figures = [embeddings_over_time(run, step) for step in (4, 5, 6)]
    assert len({(f.layout.xaxis.range, f.layout.yaxis.range) for f in figures}) == 1
    assert all((f.layout.xaxis2.matches, f.layout.yaxis2.matches) == ("x", "y") for f in figures)


def test_a_chosen_node_draws_its_last_places_the_older_the_fainter(run):
    journey = read_journey(run)
    trails = [trace for trace in named(draw_journey(journey, 6, trail=2, nodes=[3]), "trail") if trace.xaxis == "x2"]
    ways = [np.stack([trace.x, trace.y], axis=1)[:2] for trace in trails]
    assert ways[0] == pytest.approx(np.stack([journey.student[0][3], journey.student[1][3]]), abs=1e-5)
    assert ways[1] == pytest.approx(np.stack([journey.student[1][3], journey.student[2][3]]), abs=1e-5)
    faint, clear = (float(trace.line.color.split(",")[-1].strip(" )")) for trace in trails)
    assert 0 < faint < clear == 1


def test_trails_begin_with_a_nodes_birth_and_the_first_step_has_none(run):
    born = [trace for trace in named(embeddings_over_time(run, 6, trail=2, nodes=[59]), "trail") if trace.xaxis == "x2"]
    assert [bool(np.isfinite(trace.x).any()) for trace in born] == [False, True]  # it is born in snapshot 5
    assert not any(np.isfinite(trace.x).any() for trace in named(embeddings_over_time(run, 4), "trail"))


def test_unless_chosen_the_nodes_that_drift_most_are_followed(run):
    journey = read_journey(run)
    way = np.zeros(60)
    for before, now in zip(journey.student[:-1], journey.student[1:], strict=True):
        way[: len(before)] += np.linalg.norm(now[: len(before)] - before, axis=1)
    assert journey.drifters(5).tolist() == np.argsort(-way)[:5].tolist()
    rings = named(draw_journey(journey, 6), "nodes 2")[0].marker.line.width
    assert set(np.flatnonzero(np.asarray(rings) > 1)) == set(journey.drifters())


def test_of_a_large_graph_the_nodes_with_most_links_are_drawn(run):
    figure = embeddings_over_time(run, 5, most_nodes=20)
    assert titles(figure)[1] == "Student: 20 nodes of 60, those with most links"


@pytest.mark.parametrize(
    "view", [embeddings_over_time, link_scores, temporal_attention], ids=lambda view: view.__name__
)
def test_a_step_that_there_is_not_is_refused(run, view):
    with pytest.raises(UsageError, match="the run has 4, 5, 6"):
        view(run, 3)


@pytest.mark.parametrize("node", [-1, 60, 10**25])
def test_a_node_that_there_is_not_is_refused(run, node):
    with pytest.raises(UsageError, match=r"0\.\.59"):
        embeddings_over_time(run, 5, nodes=[node])
    with pytest.raises(UsageError, match=r"0\.\.59"):
        temporal_attention(run, 5, node=node)


@pytest.fixture
def scored():
    """Three true links and three negatives; the teacher does not know the last negative."""
    links = np.arange(6).reshape(2, 3)
    student = np.array([0.9, 0.9, 0.1, 0.1, 0.2, 0.3])
    teacher = np.array([1.0, 0.8, 0.7, 0.0, 0.1, np.nan])
    return Step(np.zeros((6, 2)), np.zeros((6, 2)), links, links[::-1], student, teacher)


def test_the_histograms_hold_the_shares_of_true_links_and_negatives(scored):
    figure = draw_scores(scored, {})
    areas = [trace for trace in figure.data if trace.fill]
    shares = {(trace.xaxis, trace.name[:4]): (trace.x, trace.y[:-1]) for trace in areas}
    assert all(share.sum() == pytest.approx(1) for _, share in shares.values())
    edges, share = shares[("x2", "true")]
    assert {round(float(x), 2): float(y) for x, y in zip(edges[:-1], share, strict=True) if y} == pytest.approx(
        {0.88: 2 / 3, 0.08: 1 / 3}
    )


def test_the_auc_stands_in_the_titles(run, scored):
    assert titles(link_scores(run, 5)) == ["Teacher · AUC 0.900", "Student · AUC 0.750", "Link by link"]
    assert titles(draw_scores(scored, {"teacher": {"auc": None}})) == ["Teacher", "Student", "Link by link"]


def test_every_link_that_both_score_is_a_point_with_its_nodes(scored):
    points = [trace for trace in draw_scores(scored, {}).data if trace.mode == "markers"]
    found = {
        tuple(nodes): (x, y)
        for trace in points
        for nodes, x, y in zip(trace.customdata.tolist(), trace.x, trace.y, strict=True)
    }
    assert set(found) == {(0, 3), (1, 4), (2, 5), (3, 0), (4, 1)}
    assert found[(2, 5)] == pytest.approx((0.7, 0.1))


def test_a_line_per_predictor_that_was_measured(run):
    figure = auc_over_steps(run)
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines) == ["teacher", "student", "student alone", "common neighbours", "Adamic–Adar"]
    assert list(lines["student"].x) == [5, 6, 7]  # the predicted snapshots
    assert lines["student"].y == pytest.approx([0.74, 0.75, 0.76])
    assert lines["student"].error_y.array is None


def test_over_seeds_the_mean_and_the_sample_deviation_are_drawn(make_snapshot_folder):
    runs = [Run(make_snapshot_folder(f"seed-{seed}", seed=seed)) for seed in range(3)]
    figure = auc_over_steps(runs)
    lines = {trace.name: trace for trace in figure.data}
    assert lines["student"].y == pytest.approx([0.76, 0.77, 0.78])  # 0.02 more with every seed
    assert lines["student"].error_y.array == pytest.approx([0.02] * 3)
    assert "mean ± std of 3 seeds" in titles(figure)[0]


def test_another_metric_can_be_drawn_and_the_present_step_is_marked(run):
    figure = auc_over_steps(run, metric="dot_auc", step=5)
    assert [trace.name for trace in figure.data] == ["teacher", "student", "student alone"]
    assert figure.data[1].y == pytest.approx([0.69, 0.70, 0.71])
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [6]


def test_an_unknown_metric_and_runs_without_numbers_are_refused(run):
    with pytest.raises(UsageError, match="did you mean 'auc'"):
        auc_over_steps(run, metric="auk")
    (run.path / "result.json").write_text(json.dumps({"steps": []}))
    with pytest.raises(RunError, match="not finished"):
        auc_over_steps(Run(run.path))


def test_a_step_that_could_not_be_judged_breaks_the_lines_and_can_be_marked(run):
    result = json.loads((run.path / "result.json").read_text())
    for metrics in result["steps"][1]["metrics"].values():
        metrics.update(dict.fromkeys(metrics))
    (run.path / "result.json").write_text(json.dumps(result))
    figure = auc_over_steps(Run(run.path), step=5)
    (student,) = named(figure, "student")
    assert list(student.x) == [5, 6, 7]
    assert np.isfinite(student.y).tolist() == [True, False, True]
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [6]
    with pytest.raises(UsageError, match="the run has 4, 5, 6"):
        auc_over_steps(Run(run.path), step=9)


def test_the_title_says_which_links_are_predicted(run):
    assert titles(auc_over_steps(run)) == ["AUC on new links"]
    spec = run.path / "spec.yaml"
    spec.write_text(spec.read_text() + "\nonline:\n  predict: all\n")
    assert titles(auc_over_steps(Run(run.path))) == ["AUC on all links"]


def leave_out(run, step, *words):
    """Rewrite the arrays of a step without those whose names hold one of ``words``."""
    stored = run.arrays(f"step-{step:05d}")
    kept = {name: of for name, of in stored.items() if not any(word in name for word in words)}
    np.savez(run.path / f"arrays/step-{step:05d}.npz", **kept)


def test_a_step_that_could_not_be_judged_has_embeddings_and_no_scores(run):
    before = read_journey(run).student
    leave_out(run, 5, "positives", "negatives", "scores")
    for then, now in zip(before, read_journey(run).student, strict=True):
        assert now == pytest.approx(then)
    with pytest.raises(UsageError, match="step 5 could not be judged"):
        link_scores(run, 5)
    assert was_judged(run, 4)
    assert not was_judged(run, 5)


def test_half_of_what_a_judged_step_stores_is_a_damaged_run(run):
    leave_out(run, 5, "positives")
    with pytest.raises(RunError, match="hold no 'positives'"):
        link_scores(run, 5)


def test_attention_is_causal_and_its_rows_sum_to_one(run):
    figure = temporal_attention(run, 5)
    for trace, window in zip(figure.data, (6, 3), strict=True):
        assert trace.z.shape == (window, window)
        assert np.isnan(trace.z[np.triu_indices(window, 1)]).all()
        assert np.nansum(trace.z, axis=1) == pytest.approx(np.ones(window), abs=2e-3)  # stored in float16
        assert list(trace.x) == list(trace.y) == list(range(5 - window + 1, 6))


def test_the_attention_of_one_node_is_its_own(run):
    stored = run.arrays("step-00005")["attention_student"][7].astype(np.float32)
    shown = temporal_attention(run, 5, node=7).data[1].z
    assert np.nan_to_num(shown) == pytest.approx(stored)


def test_a_node_that_the_teacher_does_not_know_has_only_the_students_map(run):
    figure = temporal_attention(run, 5, node=59)
    assert len(figure.data) == 1
    assert titles(figure) == ["Teacher: does not know this node", "Student: a window of 3 snapshots"]


def test_a_model_whose_attention_is_not_stored_says_so(run):
    leave_out(run, 5, "attention_teacher")
    figure = temporal_attention(run, 5)
    assert titles(figure) == ["Teacher: not stored, too many nodes", "Student: a window of 3 snapshots"]
    assert [trace.xaxis for trace in figure.data] == ["x2"]
    leave_out(run, 5, "attention")
    with pytest.raises(RunError, match="stored no temporal attention"):
        temporal_attention(run, 5)
