"""The figure of two embeddings: what is drawn, in which frame, and what is refused."""

import numpy as np
import pytest

import workbench.plots
from workbench.errors import RunError, UsageError
from workbench.plots import embedding_arrays
from workbench.plots.embedding_arrays import Nodes, Pair, frame, likeness, read_pair
from workbench.plots.embedding_pair import draw, embeddings
from workbench.runs.folder import Run
from workbench.runs.side import Side, kept_epochs


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder(umap=True))


@pytest.fixture
def both(run):
    """Its teacher, its student, and what is known about their nodes."""
    left, right = Side(run, "teacher"), Side(run)
    return left, right, read_pair(left, right)


@pytest.fixture
def small_sample(monkeypatch):
    """As if the 30 nodes were too many to be drawn at once."""
    monkeypatch.setattr(embedding_arrays, "SAMPLE", 12)


def numbers(figure, column):
    """The nodes of one panel."""
    panel = [trace for trace in figure.data if trace.xaxis == ("x" if column == 1 else "x2")]
    return sorted(int(node) for trace in panel for node in trace.customdata[:, 0])


def test_views_are_found_on_the_package_even_after_their_module_was_imported():
    assert workbench.plots.embeddings is embeddings
    assert "embeddings" in dir(workbench.plots)
    with pytest.raises(AttributeError, match="views are"):
        _ = workbench.plots.no_such_view


@pytest.mark.parametrize("colour", ["class", "prediction", "agreement", "split", "overlap", "degree"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_node_is_drawn_once_per_panel(run, colour, dimensions):
    figure = embeddings(run, colour=colour, dimensions=dimensions)
    drawn = sorted(int(node) for trace in figure.data for node in trace.customdata[:, 0])
    assert drawn == sorted(list(range(30)) * 2)


def test_arrays_travel_as_float32(run):
    assert {trace.x.dtype for trace in embeddings(run).data} == {np.dtype(np.float32)}


def test_both_panels_share_one_scale(run):
    layout = embeddings(run).layout
    assert (layout.xaxis2.matches, layout.yaxis2.matches, layout.yaxis.scaleanchor) == ("x", "y", "x")


def test_a_legend_entry_speaks_for_both_panels(run):
    figure = embeddings(run)
    names = [trace.name for trace in figure.data if trace.showlegend]
    assert names == ["class 0", "class 1", "class 2"]
    assert {trace.legendgroup for trace in figure.data} == set(names)


def test_prediction_colours_each_panel_by_its_own_model(run):
    figure = embeddings(run, colour="prediction")
    for trace in figure.data:
        column = 2 if trace.xaxis in (None, "x") else 3  # of customdata: teacher's or student's class
        assert {f"class {c}" for c in trace.customdata[:, column]} == {trace.name}


def test_agreement_names_the_three_nodes_that_only_the_teacher_has_right(run):
    figure = embeddings(run, colour="agreement")
    wrong = [trace for trace in figure.data if trace.name == "teacher only"]
    assert [sorted(trace.customdata[:, 0]) for trace in wrong] == [[0, 10, 20]] * 2


def test_a_student_that_is_a_turned_and_scaled_teacher_lies_on_top_of_it(both):
    left, right, pair = both
    turned = pair.left.astype(float) @ np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0] * 5
    teacher, student, disparity = frame(left, right, Pair(pair.nodes, pair.left, turned, None))
    assert student == pytest.approx(teacher, abs=1e-3)
    assert disparity == pytest.approx(0, abs=1e-6)


def test_a_student_of_another_shape_is_drawn_as_large_as_its_teacher(both):
    teacher, student, disparity = frame(*both)
    assert 0.1 < disparity < 1
    assert np.linalg.norm(student - student.mean(0)) == pytest.approx(
        np.linalg.norm(teacher - teacher.mean(0)), rel=1e-4
    )


def test_highlighted_nodes_are_ringed_in_both_panels(both):
    teacher, student, _ = frame(*both)
    figure = draw(teacher, student, both[2].nodes, highlight=[3, 4])
    rings = [trace for trace in figure.data if trace.name == "selected"]
    assert [trace.customdata[:, 0].tolist() for trace in rings] == [[3, 4], [3, 4]]
    assert [ring.x.tolist() for ring in rings] == [teacher[[3, 4], 0].tolist(), student[[3, 4], 0].tolist()]


def test_kept_epochs_are_a_film_in_the_teachers_frame(run):
    assert kept_epochs(run) == [20, 40]
    first, last = (np.concatenate([t.x for t in embeddings(run, epoch=epoch).data]) for epoch in (20, 40))
    teachers = len(first) // 2
    assert np.array_equal(first[:teachers], last[:teachers])
    assert not np.array_equal(first[teachers:], last[teachers:])


def test_more_classes_than_colours_are_told_apart_by_their_marker():
    y = np.arange(40) % 16
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    figure = draw(points, points, Nodes(np.arange(40), y, y, y, np.zeros(40, int), y))
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 16


def test_umap_is_drawn_from_the_stored_arrays(run):
    figure = embeddings(run, projection="umap")
    assert np.concatenate([t.x for t in figure.data[:3]]).sum() == pytest.approx(
        run.arrays("umap")["teacher"][:, 0].sum()
    )


def test_a_run_without_umap_says_so(make_run_folder):
    with pytest.raises(RunError, match="no arrays 'umap'"):
        embeddings(Run(make_run_folder()), projection="umap")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"colour": "clas"}, "did you mean 'class'"),
        ({"projection": "tsne"}, "choose one of pca, umap"),
        ({"dimensions": 4}, "2 or 3"),
        ({"projection": "umap", "dimensions": 3}, "choose pca"),
        ({"projection": "umap", "epoch": 20}, "choose pca"),
    ],
)
def test_a_wrong_choice_is_explained(run, wrong, message):
    with pytest.raises(UsageError, match=message):
        embeddings(run, **wrong)


def test_a_run_that_has_not_finished_says_which_arrays_are_missing(make_run_folder):
    with pytest.raises(RunError, match="no arrays 'graph'"):
        embeddings(Run(make_run_folder(state="running")))


def test_damaged_arrays_are_a_message(run):
    (run.path / "arrays/student.npz").write_bytes(b"half a file")
    with pytest.raises(RunError, match="damaged"):
        embeddings(run)


def test_arrays_of_another_version_are_a_message(run):
    np.savez(run.path / "arrays/student.npz", logits=np.zeros((30, 3)))
    with pytest.raises(RunError, match="embedding"):
        embeddings(run)


def test_a_picture_of_other_nodes_than_the_graphs_is_refused(run):
    np.savez(run.path / "arrays/student.npz", embedding=np.ones((7, 2)), logits=np.zeros((7, 3)))
    with pytest.raises(RunError, match="not of the same nodes"):
        embeddings(run)


def test_a_class_that_only_one_side_predicts_has_an_entry_in_the_legend():
    y, points = np.zeros(6, int), np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    nodes = Nodes(np.arange(6), y, y, np.array([0, 0, 1, 1, 2, 2]), y, y)
    named = [trace.name for trace in draw(points, points, nodes, "prediction").data if trace.showlegend]
    assert named == ["class 0", "class 1", "class 2"]


def test_nodes_without_a_label_are_named_so():
    y, points = np.array([-1, 0, 1]), np.eye(3, 2, dtype=np.float32)
    nodes = Nodes(np.arange(3), y, np.abs(y), np.abs(y), np.zeros(3, int), np.ones(3, int))
    assert {trace.name for trace in draw(points, points, nodes).data} == {"no class", "class 0", "class 1"}


def test_degrees_are_shaded_on_a_log_scale_and_named_as_they_are():
    degree, points = np.array([0, 1, 9, 99]), np.eye(4, 2, dtype=np.float32)
    nodes = Nodes(np.arange(4), *[np.zeros(4, int)] * 4, degree)
    left, right = draw(points, points, nodes, "degree").data
    assert left.marker.color == pytest.approx([0.0, np.log10(2), 1.0, 2.0])  # log10(1 + degree)
    bar = right.marker.colorbar
    assert list(bar.ticktext) == ["0", "1", "3", "10", "30"]  # up to the largest of these degrees
    assert list(bar.tickvals) == pytest.approx(np.log10([1, 2, 4, 11, 31]).tolist())
    assert "links, log" in bar.title.text
    assert (left.marker.showscale, right.marker.showscale) == (False, True)


def test_equal_degrees_are_no_division_by_zero():
    points = np.eye(4, 2, dtype=np.float32)
    nodes = Nodes(np.arange(4), *[np.zeros(4, int)] * 4, np.full(4, 7))
    marker = draw(points, points, nodes, "degree").data[1].marker
    assert marker.cmin < marker.cmax
    assert list(marker.colorbar.ticktext) == ["7"]


def test_axes_say_what_they_are(run):
    layout = embeddings(run).layout
    titles = (layout.xaxis.title.text, layout.yaxis.title.text, layout.xaxis2.title.text)
    assert titles == ("PC 1 of the left side", "PC 2 of the left side", "PC 1 of the left side")
    assert embeddings(run, projection="umap").layout.xaxis.title.text == "UMAP 1 of the left side"


def test_two_runs_show_their_students_and_say_in_what_they_differ(run, make_run_folder):
    other = Run(make_run_folder("other-run-0123456789ab", seed=5))
    figure = embeddings(run, other, colour="agreement")
    assert [title.text for title in figure.layout.annotations] == ["Student (seed 0)", "Student (seed 5)"]
    assert numbers(figure, 1) == numbers(figure, 2) == list(range(30))
    own, others = (np.concatenate([t.x for t in figure.data if t.xaxis == axis]) for axis in ("x", "x2"))
    assert own == pytest.approx(others, abs=1e-3)  # both folders hold the same arrays


def test_any_side_may_stand_left_and_right(run):
    figure = embeddings(Side(run, "student", 20), Side(run, "teacher"), colour="agreement")
    assert [title.text for title in figure.layout.annotations] == ["Student, epoch 20", "Teacher"]
    assert {trace.name for trace in figure.data} == {"both right", "teacher only"}


def test_who_is_alone_right_is_named_by_its_place_where_both_are_students(run):
    np.savez(run.path / "arrays/epoch-00020.npz", embedding=np.ones((30, 2)), logits=np.eye(3)[np.arange(30) % 3])
    figure = embeddings(Side(run, "student", 20), Side(run), colour="agreement")
    assert {trace.name for trace in figure.data} == {"both right", "left only"}
    assert "left says" in figure.data[0].hovertemplate


def test_markup_in_a_title_is_shown_as_it_is_written(run, make_run_folder):
    other = make_run_folder("other-run-0123456789ab")
    spec = (other / "spec.yaml").read_text()
    (other / "spec.yaml").write_text(spec.replace("name: kd", "name: <b>kd</b>"))
    assert embeddings(run, Run(other)).layout.annotations[1].text == "Student (&lt;b&gt;kd&lt;/b&gt;)"


def test_runs_on_different_graphs_are_refused(run, make_run_folder):
    with pytest.raises(UsageError, match="different graphs"):
        embeddings(run, Run(make_run_folder("other-run-0123456789ab", nodes=40)))


@pytest.mark.parametrize("sides", [("teacher", 20), ("two runs", None)])
def test_only_a_runs_teacher_and_student_at_their_best_have_a_umap(run, make_run_folder, sides):
    other = Run(make_run_folder("other-run-0123456789ab", umap=True)) if sides[0] == "two runs" else run
    with pytest.raises(UsageError, match="choose pca"):
        embeddings(Side(run, "teacher"), Side(other, "student", sides[1]), projection="umap")


def test_a_umap_may_be_looked_at_the_other_way_round(run):
    figure = embeddings(Side(run, "student"), Side(run, "teacher"), projection="umap")
    x = np.concatenate([trace.x for trace in figure.data if trace.xaxis == "x"])
    assert sorted(x) == pytest.approx(sorted(run.arrays("umap")["student"][:, 0]), rel=1e-6)


def test_too_many_nodes_are_sampled_by_class_and_all_of_them_drawn_on_demand(run, small_sample):
    figure = embeddings(run)
    assert len(numbers(figure, 1)) == 12
    assert numbers(figure, 1) == numbers(figure, 2)
    assert {trace.name: len(trace.x) for trace in figure.data} == {"class 0": 4, "class 1": 4, "class 2": 4}
    assert numbers(embeddings(run), 1) == numbers(figure, 1)
    assert numbers(embeddings(run, points="all"), 1) == list(range(30))


def test_a_sampled_node_keeps_its_number_its_facts_and_its_links(both, small_sample):
    left, right, whole = both
    pair = read_pair(left, right)
    chosen = pair.nodes.number
    assert pair.left.tolist() == whole.left[chosen].tolist()
    assert pair.nodes.split.tolist() == whole.nodes.split[chosen].tolist()
    linked = {tuple(chosen[edge]) for edge in pair.edge_index.T}
    assert linked == {tuple(edge) for edge in whole.edge_index.T if set(edge) <= set(chosen)}


def test_a_sample_rings_only_the_nodes_that_it_has(both, small_sample):
    pair = read_pair(*both[:2])
    left, right, _ = frame(*both[:2], pair)
    inside, outside = pair.nodes.number[2], min(set(range(30)) - set(pair.nodes.number.tolist()))
    figure = draw(left, right, pair.nodes, highlight=[inside, outside])
    assert [t.customdata[:, 0].tolist() for t in figure.data if t.name == "selected"] == [[inside], [inside]]


def test_more_points_than_a_lasso_can_stand_carry_nothing_to_be_selected_by():
    count = 10_001
    points, y = np.zeros((count, 2), np.float32), np.zeros(count, int)
    nodes = Nodes(np.arange(count), y, y, y, y, y)
    assert draw(points, points, nodes).data[0].customdata is None
    few = Nodes(*(facts[:-1] for facts in vars(nodes).values()))
    assert draw(points[:-1], points[:-1], few).data[0].customdata.shape == (10_000, 4)


def test_numbers_are_of_the_validation_nodes_with_rows_of_length_one(both):
    pair = both[2]
    chosen = np.arange(30) % 3 == 1  # the split of the folder
    x, y = (f[chosen].astype(float) for f in (pair.left, pair.right))
    x, y = (f / np.linalg.norm(f, axis=1, keepdims=True) for f in (x, y))
    upper = np.triu_indices(10, 1)
    found = likeness(pair)
    assert found.global_correlation == pytest.approx(np.corrcoef((x @ x.T)[upper], (y @ y.T)[upper])[0, 1])
    x, y = x - x.mean(0), y - y.mean(0)
    expected = np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    assert found.cka == pytest.approx(expected)
    assert (found.nodes, found.validation) == (10, True)


def test_local_structure_is_that_of_links_between_those_nodes(both):
    pair = both[2]  # node i is linked to i + 3, of the same split
    near = [[], []]
    for i in range(1, 30, 3):
        for of, features in zip(near, (pair.left, pair.right), strict=True):
            a, b = features[i].astype(float), features[(i + 3) % 30].astype(float)
            of.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    found = likeness(pair)
    assert found.edges == 20
    assert found.local_correlation == pytest.approx(np.corrcoef(*near)[0, 1])


def test_without_a_validation_split_all_nodes_are_compared(run):
    graph = run.arrays("graph")
    np.savez(run.path / "arrays/graph.npz", **{**graph, "split": np.ones(30, int)})
    found = likeness(read_pair(Side(run, "teacher"), Side(run)))
    assert (found.nodes, found.validation) == (30, False)


def test_a_run_without_its_links_has_no_local_structure(run):
    graph = run.arrays("graph")
    del graph["edge_index"]
    np.savez(run.path / "arrays/graph.npz", **graph)
    found = likeness(read_pair(Side(run, "teacher"), Side(run)))
    assert np.isnan(found.local_correlation)
    assert found.edges is None
    assert np.isfinite(found.global_correlation)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edge_index": np.array([[0], [99]])}, "not between its nodes"),
        ({"edge_index": np.array([0, 1])}, "not between its nodes"),
        ({"edge_index": np.array([[0], [-1]])}, "not between its nodes"),
        ({"split": np.full(30, 9)}, "split that is not known"),
        ({"y": np.zeros((30, 3), int)}, "not of the same nodes"),
        ({"degree": np.zeros(30)}, "not of the same nodes"),
    ],
)
def test_a_graph_that_was_stored_otherwise_is_a_message(run, change, message):
    np.savez(run.path / "arrays/graph.npz", **{**run.arrays("graph"), **change})
    with pytest.raises(RunError, match=message):
        embeddings(run)


def test_a_umap_of_fewer_nodes_is_a_message(run):
    np.savez(run.path / "arrays/umap.npz", teacher=np.ones((7, 2)), student=np.ones((7, 2)))
    with pytest.raises(RunError, match=r"UMAP of run .* not of the same nodes"):
        embeddings(run, projection="umap")


def test_many_classes_share_traces_and_keep_their_colours():
    from workbench.plots import theme

    count = 40
    points = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    classes = np.arange(count)
    nodes = Nodes(
        number=classes, y=classes, left_class=classes, right_class=classes, split=np.ones(count), degree=classes
    )
    figure = draw(points, points, nodes, "class")
    assert len(figure.data) == 2 * count / len(theme.PALETTE)  # both panels, a trace per marker
    drawn = {}
    for trace in figure.data:
        for x, shade in zip(trace.x, trace.marker.color, strict=True):
            share = (shade - trace.marker.cmin) / (trace.marker.cmax - trace.marker.cmin)
            stop = next(
                i for i in range(0, len(trace.marker.colorscale), 2) if share < trace.marker.colorscale[i + 1][0]
            )
            drawn[float(x)] = (trace.marker.colorscale[stop][1], trace.marker.symbol)
    for node in range(count):
        assert drawn[float(points[node, 0])] == theme.appearance(node)
