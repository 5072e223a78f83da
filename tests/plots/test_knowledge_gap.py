"""The three figures of the knowledge gap: what is drawn, counted and named in them, and what is refused."""

import json

import numpy as np
import pytest

from workbench.errors import RunError, UsageError
from workbench.plots.gap_arrays import case_names, read_gap, read_graph
from workbench.plots.gap_bars import gap_slices
from workbench.plots.gap_confusion import confusion_difference
from workbench.plots.gap_confusion import draw as draw_confusion
from workbench.plots.gap_map import draw, knowledge_gap, places, sample
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides

VIEWS = [knowledge_gap, gap_slices, confusion_difference]


@pytest.fixture
def run(make_run_folder):
    """The student has nodes 0, 10 and 20 wrong, of classes 0, 1 and 2; of these, 20 alone is in the test split."""
    return Run(make_run_folder(umap=True))


@pytest.fixture
def other(make_run_folder):
    folder = make_run_folder("karate-kd-s5-0123456789ab", seed=5)
    logits = 4 * np.eye(3, dtype=np.float32)[(np.arange(30) + 1) % 3]  # all wrong
    np.savez(folder / "arrays/student.npz", embedding=np.random.default_rng(1).normal(size=(30, 4)), logits=logits)
    return Run(folder)


def nodes_by_name(figure):
    return {trace.name: sorted(trace.customdata[:, 0].astype(int).tolist()) for trace in figure.data}


def change(run, name, **arrays):
    np.savez(run.path / f"arrays/{name}.npz", **(run.arrays(name) | arrays))


def drop(run, name, *lost):
    kept = {key: array for key, array in run.arrays(name).items() if key not in lost}
    np.savez(run.path / f"arrays/{name}.npz", **kept)


def test_every_node_of_the_split_is_one_point_of_its_case(run):
    test = list(range(2, 30, 3))
    test.remove(20)
    assert nodes_by_name(knowledge_gap(run)) == {
        "both right": test,
        "both wrong": [],
        "teacher only": [20],
        "student only": [],
    }
    assert nodes_by_name(knowledge_gap(run, split="all"))["teacher only"] == [0, 10, 20]


def test_colour_and_marker_tell_the_cases_apart(run):
    looks = {(trace.marker.color, trace.marker.symbol) for trace in knowledge_gap(run).data}
    assert len({colour for colour, _ in looks}) == len({symbol for _, symbol in looks}) == 4


def test_the_places_are_the_left_models_and_stay_when_the_right_one_changes(run):
    left = Side(run, "teacher")
    best, early = (knowledge_gap(left, Side(run, epoch=epoch), split="all") for epoch in (None, 20))
    wanted = {tuple(place) for place in places(left)}
    for figure in (best, early):
        assert {place for trace in figure.data for place in zip(trace.x, trace.y, strict=True)} == wanted


def test_a_stored_umap_can_be_the_map(run):
    figure = knowledge_gap(run, projection="umap", split="all")
    wanted = run.arrays("umap")["teacher"][:, 0].astype(np.float32)
    assert sorted(np.concatenate([trace.x for trace in figure.data])) == sorted(wanted)


def test_a_bin_a_case_or_a_cell_is_ringed(run):
    assert "listed" not in nodes_by_name(knowledge_gap(run, split="all"))
    ringed = {"split": "all", "by": "class"}
    assert nodes_by_name(knowledge_gap(run, **ringed, case="left only"))["listed"] == [0, 10, 20]
    assert nodes_by_name(knowledge_gap(run, **ringed, bin="class 1", case="left only"))["listed"] == [10]
    assert len(nodes_by_name(knowledge_gap(run, **ringed, bin="class 1"))["listed"]) == 10
    assert nodes_by_name(knowledge_gap(run, **ringed, cell=(2, 0)))["listed"] == [20]


def test_a_sample_leaves_no_case_out(run):
    gap = read_gap(*sides(run))
    assert len(sample(gap, np.ones(30, dtype=bool), most=30)) == 30
    for most in (2, 10, 29):
        nodes = sample(gap, np.arange(30) < 21, most)  # 0, 10 and 20 are a case of their own
        assert len(set(nodes.tolist())) == min(most, 21)
        assert 1 <= np.isin(nodes, [0, 10, 20]).sum() < len(nodes)
        assert nodes.max() < 21


def test_a_ringed_node_is_drawn_even_if_the_sample_has_left_it_out(run):
    gap, sampled = read_gap(*sides(run)), np.arange(30) == 1
    found = nodes_by_name(draw(places(Side(run)), gap, sampled, np.array([20])))
    assert found == {"both right": [1], "both wrong": [], "teacher only": [20], "student only": [], "listed": [20]}


def test_two_runs_are_compared_node_by_node_and_named_by_what_tells_them_apart(run, other):
    figure = knowledge_gap(run, other, split="all")
    assert [trace.name for trace in figure.data] == [
        "both right",
        "both wrong",
        "only student (seed 0)",
        "only student (seed 5)",
    ]
    found = nodes_by_name(figure)
    assert found["both wrong"] == [0, 10, 20]
    assert len(found["only student (seed 0)"]) == 27


@pytest.mark.parametrize(
    ("titles", "wanted"),
    [
        (("Teacher", "Student"), ("teacher only", "student only")),
        (("Student, epoch 20", "Student"), ("only student, epoch 20", "student only")),
        (("Teacher (gcn)", "Teacher (gat)"), ("only teacher (gcn)", "only teacher (gat)")),
    ],
)
def test_cases_are_named_after_the_models(titles, wanted):
    assert case_names(*titles) == ("both right", *wanted, "both wrong")


def test_bars_of_a_bin_add_up_to_all_of_it(run):
    figure = gap_slices(run, by="class", split="all")
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert np.sum([bar.x for bar in bars], axis=0) == pytest.approx([1, 1, 1])
    counts = {bar.name: bar.customdata[:, 2].tolist() for bar in bars}
    assert counts == {
        "both right": [9] * 3,
        "teacher only": [1] * 3,
        "student only": [0] * 3,
        "both wrong": [0] * 3,
    }
    assert list(figure.layout.yaxis.ticktext) == ["class 0 (10)", "class 1 (10)", "class 2 (10)"]


def test_accuracy_stands_in_its_interval(run):
    figure = gap_slices(run, by="class", split="all")
    teacher, student = (trace for trace in figure.data if trace.type == "scatter")
    assert (teacher.x.tolist(), student.x.tolist()) == ([1.0] * 3, [0.9] * 3)
    assert student.x - student.error_x.arrayminus == pytest.approx([0.59585] * 3, abs=1e-4)  # Wilson, 9 of 10
    assert student.x + student.error_x.array == pytest.approx([0.98212] * 3, abs=1e-4)


def test_nodes_are_sliced_by_what_the_graph_says_of_them(run):
    # A ring of every third node: two neighbours of one's own class. Every third node is for training.
    assert gap_slices(run, by="degree").layout.yaxis.ticktext == ("2–3 (10)",)
    assert gap_slices(run, by="homophily").layout.yaxis.ticktext == ("80–100 % (10)",)
    assert gap_slices(run, by="distance").layout.yaxis.ticktext == ("unreachable (10)",)
    found = gap_slices(run, by="distance", split="all").layout.yaxis.ticktext
    assert found == ("0 (training) (10)", "unreachable (20)")
    assert gap_slices(run, by="split", split="all").layout.yaxis.ticktext == (
        "train (10)",
        "validation (10)",
        "test (10)",
    )


def test_a_part_of_a_bar_carries_its_bin_and_case(run):
    bars = [trace for trace in gap_slices(run, by="class").data if trace.type == "bar"]
    assert [bar.customdata[:, :2].tolist() for bar in bars] == [[[2, case]] for case in range(4)]


@pytest.mark.parametrize(
    ("chosen", "outlined"),
    [
        ({}, set()),
        ({"case": "left only"}, {(1, 0), (1, 1), (1, 2)}),
        ({"bin": "class 1"}, {(0, 1), (1, 1), (2, 1), (3, 1)}),
        ({"bin": "class 2", "case": "both wrong"}, {(3, 2)}),
    ],
)
def test_the_chosen_part_is_outlined(run, chosen, outlined):
    figure = gap_slices(run, by="class", split="all", **chosen)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    wide = {(case, bin) for case, bar in enumerate(bars) for bin, width in enumerate(bar.marker.line.width) if width}
    assert wide == outlined


def test_a_square_counts_what_the_student_predicts_more_often(run):
    (squares,) = confusion_difference(run, split="all").data
    found = {(true, predicted): more for true, predicted, _, _, more in squares.customdata.tolist()}
    assert found == {(t, p): {0: -1, 1: 1, 2: 0}[(p - t) % 3] for t in range(3) for p in range(3)}
    assert squares.marker.color.tolist() == list(found.values())
    (shares,) = confusion_difference(run, split="all", unit="share").data
    assert shares.marker.color == pytest.approx(squares.marker.color / 10)


def test_colours_lie_evenly_around_no_difference(run):
    (squares,) = confusion_difference(run).data
    assert squares.marker.cmin == -squares.marker.cmax < 0


@pytest.mark.parametrize("classes", [3, 12, 47])
def test_squares_fill_their_place_but_not_more(classes):
    left, right = np.eye(classes, dtype=int), np.roll(np.eye(classes, dtype=int), 1, axis=1)
    (squares,) = draw_confusion(left, right, ("Teacher", "Student")).data
    assert len(squares.x) == classes**2
    assert 5 <= squares.marker.size <= 400 / classes


def test_of_very_many_classes_the_most_frequent_ones_are_shown():
    left = np.diag(np.arange(100))
    figure = draw_confusion(left, left, ("Teacher", "Student"))
    assert len(figure.data[0].x) == 60**2
    assert set(figure.data[0].customdata[:, 0]) == set(range(40, 100))


def test_the_chosen_square_is_outlined(run):
    (squares,) = confusion_difference(run, cell=(2, 0)).data
    assert squares.customdata[np.asarray(squares.marker.line.width) > 0][:, :2].tolist() == [[2, 0]]


def test_nodes_of_unknown_class_are_in_no_case(run):
    y = run.arrays("graph")["y"]
    y[[0, 1, 2]] = -1
    change(run, "graph", y=y)
    assert sum(map(len, nodes_by_name(knowledge_gap(run, split="all")).values())) == 27
    bars = [trace for trace in gap_slices(run, by="class", split="all").data if trace.type == "bar"]
    assert sum(bar.customdata[:, 2].sum() for bar in bars) == 27
    assert confusion_difference(run, split="all").data[0].customdata[:, 2].sum() == 27


def test_without_stored_edges_degree_and_class_remain(run):
    drop(run, "graph", "edge_index")
    assert read_graph(run).homophily is None
    assert len(gap_slices(run, by="degree").data) == 6
    with pytest.raises(UsageError, match="stored no edges"):
        gap_slices(run, by="homophily")


@pytest.mark.parametrize(
    ("view", "wrong", "message"),
    [
        (knowledge_gap, {"split": "tests"}, "did you mean 'test'"),
        (knowledge_gap, {"projection": "tsne"}, "choose one of pca, umap"),
        (knowledge_gap, {"case": "teacher only"}, "unknown case"),
        (knowledge_gap, {"cell": (0, 9)}, "classes run from 0 to 2"),
        (gap_slices, {"by": "colour"}, "choose one of degree"),
        (gap_slices, {"bin": "7"}, "unknown bin"),
        (confusion_difference, {"unit": "percent"}, "choose one of nodes, share"),
    ],
)
def test_a_wrong_choice_is_explained(run, view, wrong, message):
    with pytest.raises(UsageError, match=message):
        view(run, **wrong)


@pytest.mark.parametrize("view", VIEWS)
def test_a_split_without_nodes_is_explained(run, view):
    change(run, "graph", split=np.ones(30, dtype=np.int8))
    with pytest.raises(UsageError, match="no validation nodes"):
        view(run, split="validation")


@pytest.mark.parametrize("view", VIEWS)
def test_runs_on_different_graphs_are_not_compared(run, other, view):
    result = json.loads((other.path / "result.json").read_text())
    result["dataset"]["fingerprint"] = "another graph"
    (other.path / "result.json").write_text(json.dumps(result))
    with pytest.raises(UsageError, match="different graphs"):
        view(run, other)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("graph", {"y": np.arange(9)}, "not of the same nodes"),
        ("graph", {"y": np.arange(30)}, "not of the same nodes and classes"),
        ("graph", {"split": np.full(30, 9)}, "a split that is not known"),
        ("graph", {"edge_index": np.array([[0], [99]])}, "not between its nodes"),
        ("student", {"logits": np.zeros((30, 7))}, "not of the same nodes and classes"),
        ("student", {"logits": np.full((30, 3), np.nan)}, "diverged"),
    ],
)
def test_arrays_that_do_not_fit_are_a_message(run, view, name, arrays, message):
    change(run, name, **arrays)
    with pytest.raises(RunError, match=message):
        view(run)


@pytest.mark.parametrize("lost", ["y", "split", "degree"])
def test_arrays_of_an_older_version_are_a_message(run, lost):
    drop(run, "graph", lost)
    with pytest.raises(RunError, match=f"hold no '{lost}'"):
        knowledge_gap(run)
