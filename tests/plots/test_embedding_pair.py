"""The figure of two embeddings: what is drawn, in which frame, and what is refused."""

import numpy as np
import pytest

import workbench.plots
from workbench.errors import RunError, UsageError
from workbench.plots.embedding_pair import Nodes, draw, embeddings, frame, kept_epochs, read_nodes
from workbench.runs.folder import Run


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder(umap=True))


def test_views_are_found_on_the_package_even_after_their_module_was_imported():
    assert workbench.plots.embeddings is embeddings
    assert "embeddings" in dir(workbench.plots)
    with pytest.raises(AttributeError, match="views are"):
        _ = workbench.plots.no_such_view


@pytest.mark.parametrize("colour", ["class", "prediction", "agreement", "split", "overlap"])
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


def test_a_student_that_is_a_turned_and_scaled_teacher_lies_on_top_of_it(run):
    nodes = read_nodes(run)
    turned = nodes.teacher.astype(float) @ np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0] * 5
    same = Nodes(nodes.teacher, turned, nodes.y, nodes.y, nodes.y, nodes.split, nodes.degree)
    teacher, student, disparity = frame(run, same)
    assert student == pytest.approx(teacher, abs=1e-3)
    assert disparity == pytest.approx(0, abs=1e-6)


def test_a_student_of_another_shape_is_drawn_as_large_as_its_teacher(run):
    teacher, student, disparity = frame(run, read_nodes(run))
    assert 0.1 < disparity < 1
    assert np.linalg.norm(student - student.mean(0)) == pytest.approx(
        np.linalg.norm(teacher - teacher.mean(0)), rel=1e-4
    )


def test_highlighted_nodes_are_ringed_in_both_panels(run):
    nodes = read_nodes(run)
    teacher, student, _ = frame(run, nodes)
    figure = draw(teacher, student, nodes, highlight=np.array([3, 4]))
    rings = [trace for trace in figure.data if trace.name == "selected"]
    assert [trace.customdata[:, 0].tolist() for trace in rings] == [[3, 4], [3, 4]]


def test_kept_epochs_are_a_film_in_the_teachers_frame(run):
    assert kept_epochs(run) == [20, 40]
    first, last = (np.concatenate([t.x for t in embeddings(run, epoch=epoch).data]) for epoch in (20, 40))
    teachers = len(first) // 2
    assert np.array_equal(first[:teachers], last[:teachers])
    assert not np.array_equal(first[teachers:], last[teachers:])


def test_more_classes_than_colours_are_told_apart_by_their_marker():
    y = np.arange(40) % 20
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    figure = draw(points, points, Nodes(points, points, y, y, y, np.zeros(40, int), y))
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 20


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
