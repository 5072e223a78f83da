"""The views of local structure: shares of a node's neighbours in two models, and the divergence of all nodes."""

import numpy as np
import pytest

from workbench.errors import RunError, UsageError
from workbench.plots.local_divergence import draw_divergence, neighbourhood_divergence
from workbench.plots.local_structure import BARS, Structure, draw_neighbourhood, nats, neighbourhood
from workbench.runs.folder import Run
from workbench.runs.side import Side


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder())


def bars(figure):
    return {bar.name: dict(zip(bar.x, bar.y, strict=True)) for bar in figure.data if bar.type == "bar"}


def shares_of(run, model, node):
    """RBF shares with σ = 1 from the stored embedding, written out."""
    z = run.arrays(model)["embedding"].astype(float)
    sender, receiver = run.arrays("graph")["edge_index"]
    own = sender[receiver == node]
    weight = np.exp(np.exp(-((z[own] - z[node]) ** 2).sum(axis=1) / 2))
    return dict(zip(own.tolist(), weight / weight.sum(), strict=True))


def star(count):
    """Node 0 and ``count`` neighbours with shares 1 : 2 : … : count on the left, and even ones on the right."""
    edge_index = np.stack([np.arange(1, count + 1), np.zeros(count, dtype=int)])
    left = np.arange(1, count + 1) / (count * (count + 1) / 2)
    right = np.full(count, 1 / count)
    return Structure(edge_index, np.zeros(count + 1, dtype=int), np.log(left), np.log(right), ("Teacher", "Student"))


def test_bars_are_the_shares_of_both_models(run):
    figure = neighbourhood(run, node=4)
    for name, model in (("Teacher", "teacher"), ("Student", "student")):
        expected = {str(node): share for node, share in shares_of(run, model, 4).items()}
        assert bars(figure)[name] == pytest.approx(expected)


def test_the_title_says_the_divergence_student_first_as_in_the_paper(run):
    teacher, student = (shares_of(run, model, 4) for model in ("teacher", "student"))
    forward = sum(p * np.log(p / teacher[j]) for j, p in student.items())
    backward = sum(p * np.log(p / student[j]) for j, p in teacher.items())
    assert (
        neighbourhood(run, node=4).layout.title.text == f"Node 4, class 1: KL(student ‖ teacher) = {forward:.3g} nats"
    )
    reverse = neighbourhood(run, node=4, direction="teacher_student").layout.title.text
    assert reverse == f"Node 4, class 1: KL(teacher ‖ student) = {backward:.3g} nats"


def test_only_edges_into_the_node_have_a_share_on_the_ego_graph(run):
    figure = neighbourhood(run, node=4)
    arrows = [trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "arrow"]
    for arrow, model in zip(arrows, ("teacher", "student"), strict=True):
        shown = {row[0]: value for row, value in zip(arrow.customdata, arrow.marker.color, strict=True)}
        assert shown == pytest.approx(shares_of(run, model, 4))
        assert {row[2] for row in arrow.customdata} == {"node 4"}


def test_without_a_node_the_worst_matched_one_is_shown(run):
    divergence = {}
    for node in range(30):
        teacher, student = (shares_of(run, model, node) for model in ("teacher", "student"))
        divergence[node] = sum(p * np.log(p / teacher[j]) for j, p in student.items())
    worst = max(divergence, key=divergence.__getitem__)
    assert neighbourhood(run).layout.title.text.startswith(f"Node {worst},")


def test_neighbours_stand_in_the_order_of_their_share_on_the_left():
    of = star(5)
    figure = draw_neighbourhood(of, 0, of.divergence())
    assert list(bars(figure)["Teacher"]) == ["5", "4", "3", "2", "1"]
    assert bars(figure)["Teacher"]["5"] == pytest.approx(1 / 3)


def test_the_last_of_many_neighbours_are_one_bar():
    of = star(100)
    figure = draw_neighbourhood(of, 0, of.divergence())
    teacher, student = bars(figure)["Teacher"], bars(figure)["Student"]
    assert len(teacher) == BARS + 1
    assert teacher["other 75"] == pytest.approx(sum(range(1, 76)) / 5050)
    assert student["other 75"] == pytest.approx(0.75)
    assert sum(teacher.values()) == pytest.approx(1)
    assert "40 of them are not in the graphs" in figure.layout.title.text  # 60 are


def test_a_loop_is_called_one():
    of = Structure(np.array([[0, 1], [0, 0]]), np.zeros(2, dtype=int), *2 * [np.log([0.7, 0.3])], ("a", "b"))
    assert list(bars(draw_neighbourhood(of, 0, of.divergence()))["a"]) == ["0 (itself)", "1"]


def test_a_kept_epoch_is_shown(run):
    late = neighbourhood(run, node=4, epoch=20)
    assert set(bars(late)) == {"Teacher", "Student, epoch 20"}
    expected = {str(node): share for node, share in shares_of(run, "epoch-00020", 4).items()}
    assert bars(late)["Student, epoch 20"] == pytest.approx(expected)


def test_two_runs_show_their_students(make_run_folder):
    left, right = Run(make_run_folder("one-run-0123456789ab")), Run(make_run_folder("two-run-0123456789ab", seed=1))
    figure = neighbourhood(left, right, node=4)
    assert set(bars(figure)) == {"Student (seed 0)", "Student (seed 1)"}
    assert "KL(right ‖ left) = 0 nats" in figure.layout.title.text  # the folders hold the same arrays


def test_a_model_can_be_held_against_itself(run):
    figure = neighbourhood(Side(run, "teacher"), Side(run, "teacher"), node=4)
    assert set(bars(figure)) == {"Teacher, left", "Teacher, right"}
    assert "= 0 nats" in figure.layout.title.text


def test_the_mean_and_every_node_with_two_neighbours_are_in_the_picture_of_all():
    edge_index = np.array([[1, 2, 0, 0, 1], [0, 0, 1, 2, 2]])
    left, right = np.log([0.5, 0.5, 1, 0.2, 0.8]), np.log([0.9, 0.1, 1, 0.2, 0.8])
    of = Structure(edge_index, np.array([0, 1, 2]), left, right, ("Teacher", "Student"))
    divergence = of.divergence()
    first = 0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5)
    figure = draw_divergence(of, divergence, node=0)
    assert figure.layout.annotations[0].text == f"Mean over all nodes: {first / 3:.3g} nats"
    histogram, points = figure.data[0], figure.data[1]
    assert sum(histogram.y) == 2  # node 1 has one neighbour, which no model can get wrong
    assert sorted(row[0] for row in points.customdata) == [0, 2]
    assert dict(zip((row[0] for row in points.customdata), points.y, strict=True)) == pytest.approx({0: first, 2: 0})
    marked = [trace for trace in figure.data[2:] if trace.mode == "markers"]
    assert [(trace.x[0], trace.y[0]) for trace in marked] == [(2, pytest.approx(first))]


def test_of_very_many_nodes_a_sample_with_the_worst_is_drawn(monkeypatch):
    monkeypatch.setattr("workbench.plots.local_divergence.POINTS", 10)
    count = 25
    edge_index = np.stack([np.arange(2 * count) % count, np.repeat(np.arange(count), 2)])
    divergence = np.linspace(0, 1, count)
    of = Structure(edge_index, np.zeros(count, dtype=int), *2 * [np.zeros(2 * count)], ("Teacher", "Student"))
    figure = draw_divergence(of, divergence)
    assert [row[0] for row in figure.data[1].customdata] == list(range(24, -1, -3))
    assert figure.layout.annotations[1].text == "9 of 25 nodes with 2 or more neighbours"
    assert sum(figure.data[0].y) == 25


def test_the_view_of_all_nodes_reads_a_run(run):
    figure = neighbourhood_divergence(run, node=4, kernel="cosine")
    assert sum(figure.data[0].y) == 30
    assert figure.layout.xaxis.title.text == "KL(student ‖ teacher), nats"


@pytest.mark.parametrize(("value", "text"), [(0.0, "0 nats"), (0.012345, "0.0123 nats"), (3e-6, "below 0.0001 nats"),
                                             (12345.6, "12,346 nats")])  # fmt: skip
def test_numbers_are_short(value, text):
    assert nats(value) == text


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"node": 30}, "there is no node 30: this graph has the nodes 0 to 29"),
        ({"node": -1}, "there is no node -1"),
        ({"kernel": "gauss"}, "unknown kernel"),
        ({"sigma": 0}, "sigma"),
        ({"direction": "up"}, "unknown direction"),
    ],
)
def test_wrong_choices_are_explained(run, choice, message):
    with pytest.raises(UsageError, match=message):
        neighbourhood(run, **choice)


def test_a_node_to_which_nobody_sends_is_explained():
    of = star(3)
    with pytest.raises(UsageError, match="node 2 has no neighbours"):
        draw_neighbourhood(of, 2, of.divergence())


def change(run, name, **changes):
    arrays = {**run.arrays(name), **changes}
    np.savez(run.path / f"arrays/{name}.npz", **{key: array for key, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("graph", {"edge_index": None}, "keeps no edges"),
        ("graph", {"y": None}, "hold no 'y'"),
        ("graph", {"edge_index": np.zeros((3, 4))}, "not between its nodes"),
        ("student", {"embedding": None}, "hold no 'embedding'"),
        ("student", {"embedding": np.zeros((29, 2)), "logits": np.zeros((29, 3))}, "not of the same nodes"),
        ("teacher", {"embedding": np.full((30, 2), np.nan)}, "not finite"),
    ],
)
def test_arrays_that_are_missing_or_do_not_fit_are_explained(run, name, changes, message):
    change(run, name, **changes)
    with pytest.raises(RunError, match=message):
        neighbourhood(run)


def test_edges_to_nodes_that_are_not_there_are_explained(run):
    change(run, "graph", edge_index=np.array([[0, 99], [1, 2]]))
    with pytest.raises(RunError, match="not between its nodes"):
        neighbourhood(run)


def test_a_graph_without_edges_is_explained(run):
    change(run, "graph", edge_index=np.zeros((2, 0), dtype=int))
    with pytest.raises(UsageError, match="no node of this graph has a neighbour"):
        neighbourhood(run)
