"""The figure of a snapshot and the film of all: what is drawn where, in which colour, and what is refused."""

import numpy as np
import pytest

import workbench.plots
from workbench.errors import RunError, UsageError
from workbench.plots import evolution, evolution_film
from workbench.plots.evolution_arrays import Snapshots, read_snapshots
from workbench.plots.evolution_graph import Evolution, draw, lay_out
from workbench.plots.evolution_nodes import BORN, community_look
from workbench.runs.folder import Run

LAST = 7


@pytest.fixture
def run(make_snapshot_folder):
    return Run(make_snapshot_folder())


@pytest.fixture
def square():
    """Four nodes at known places; node 3 is born in snapshot 1, when 0–1 dies, 1–2 stays and 2–3 and 0–3 are born."""
    links = [np.array([[0, 1], [1, 2]]), np.array([[1, 2, 0, 2], [2, 3, 3, 2]])]
    places = np.array([[[0, 0], [1, 0], [1, 1], [np.nan, np.nan]], [[0, 0], [1, 0], [1, 1], [0, 1]]], dtype=np.float32)
    return Evolution(Snapshots(np.array([0, 0, 0, 1]), links), places)


def drawn(figure, name):
    (trace,) = [trace for trace in figure.data if trace.name == name and trace.showlegend is False]
    return trace


def strokes(trace):
    """The links that a trace draws, as sets of two places; one that is not there has no length and is no link."""
    ends = np.stack([trace.x, trace.y], axis=1).reshape(-1, 3, 2)
    return {stroke for each in ends if len(stroke := frozenset(map(tuple, each[:2].tolist()))) == 2}


def test_every_view_of_snapshots_is_found_on_the_package():
    names = {"auc_over_steps", "embeddings_over_time", "evolution", "evolution_film", "link_scores"}
    assert names | {"temporal_attention"} <= set(dir(workbench.plots))
    assert all(callable(getattr(workbench.plots, name)) for name in names)


def test_links_are_drawn_by_what_became_of_them(square):
    figure = draw(square, 1)
    assert strokes(drawn(figure, "dead")) == {frozenset({(0, 0), (1, 0)})}
    assert strokes(drawn(figure, "kept")) == {frozenset({(1, 0), (1, 1)})}
    assert strokes(drawn(figure, "born")) == {frozenset({(1, 1), (0, 1)}), frozenset({(0, 0), (0, 1)})}
    assert len({drawn(figure, kind).line.color for kind in ("dead", "kept", "born")}) == 3


def test_all_links_of_the_first_snapshot_are_born(square):
    figure = draw(square, 0)
    assert len(strokes(drawn(figure, "born"))) == 2
    assert not strokes(drawn(figure, "kept")) | strokes(drawn(figure, "dead"))


def test_links_are_counted_in_the_title_without_loops(square):
    assert draw(square, 1).layout.annotations[0].text == "Snapshot 1: 2 born, 1 kept, 1 dead"


def test_strokes_and_nodes_stand_for_the_same_things_in_all_snapshots(square):
    first, second = draw(square, 0), draw(square, 1)
    assert [len(drawn(figure, "kept").x) for figure in (first, second)] == [3 * 4] * 2  # four links in all
    assert [list(drawn(figure, "nodes").ids) for figure in (first, second)] == [list("012"), list("0123")]
    assert first.layout.transition.duration


def test_a_newborn_node_is_ringed_and_one_without_a_link_is_pale(square):
    square.sequence.links.append(np.array([[0], [3]]))
    places = np.concatenate([square.places, square.places[1:]])
    nodes = drawn(draw(Evolution(square.sequence, places), 1), "nodes")
    assert [colour == BORN for colour in nodes.marker.line.color] == [False, False, False, True]
    pale = drawn(draw(Evolution(square.sequence, places), 2), "nodes").marker.opacity
    assert pale[0] == pale[3] > pale[1] == pale[2]


def test_nodes_have_the_colour_of_their_community(run):
    nodes = drawn(evolution(run, LAST), "nodes")
    groups = read_snapshots(run).groups[LAST]
    assert list(nodes.marker.color) == [community_look(group)[0] for group in groups]
    names = [trace.name for trace in evolution(run, LAST).data if trace.showlegend is not False]
    assert names == ["born link", "kept link", "dead link", "community 0", "community 1", "community 2"]


def test_without_communities_the_colour_is_the_birth(square):
    nodes = drawn(draw(square, 1), "nodes")
    assert list(nodes.marker.color) == [0, 0, 0, 1]
    assert nodes.marker.showscale


def test_more_communities_than_colours_get_another_marker():
    looks = [community_look(group) for group in range(12)]
    assert len(set(looks)) == 12
    assert BORN not in {colour for colour, _ in looks}


def test_axes_are_the_same_in_all_snapshots_and_hold_every_node(run):
    sequence = lay_out(read_snapshots(run))
    figures = [draw(sequence, t) for t in range(LAST + 1)]
    assert len({(f.layout.xaxis.range, f.layout.yaxis.range) for f in figures}) == 1
    low, high = figures[0].layout.xaxis.range
    assert all(low < np.min(drawn(f, "nodes").x) <= np.max(drawn(f, "nodes").x) < high for f in figures)


def test_nodes_move_by_no_more_than_the_bound_from_figure_to_figure(run):
    before = {}
    for t in range(LAST + 1):
        nodes = drawn(evolution(run, t), "nodes")
        now = dict(zip(nodes.ids, np.stack([nodes.x, nodes.y], axis=1), strict=True))
        assert all(np.linalg.norm(now[node] - before[node]) <= 0.05 + 1e-6 for node in before)
        before = now
    assert len(before) == 60


def test_arrays_travel_as_float32(run):
    figure = evolution(run, LAST)
    assert {drawn(figure, name).x.dtype for name in ("born", "kept", "dead", "nodes")} == {np.dtype(np.float32)}


def test_of_a_large_graph_the_title_says_how_much_is_drawn(run):
    figure = evolution(run, LAST, most_nodes=20)
    assert "the 20 of 60 nodes with most links" in figure.layout.annotations[0].text
    assert len(drawn(figure, "nodes").x) == 20


def test_many_links_are_drawn_by_webgl_together_with_their_nodes():
    rng = np.random.default_rng(0)
    links = [np.unique(np.sort(rng.integers(0, 900, (2, 5000)), axis=0), axis=1) for _ in range(2)]
    places = rng.random((2, 900, 2)).astype(np.float32)
    figure = draw(Evolution(Snapshots(np.zeros(900, dtype=int), links), places), 1)
    assert {trace.type for trace in figure.data if trace.showlegend is False} == {"scattergl"}
    assert figure.layout.transition.duration is None
    shown = [strokes(drawn(figure, kind)) for kind in ("born", "kept")]
    proper = int((links[1][0] != links[1][1]).sum())
    assert sum(map(len, shown)) == proper


def test_the_day_is_said_where_it_is_known(square):
    billion = 1e9  # 9 September 2001, 01:46:40 UTC
    assert _title_of_the_second(square, billion, 86_400).startswith("Snapshot 1, from 10 Sep 2001: ")
    assert _title_of_the_second(square, billion, 3600).startswith("Snapshot 1, from 09 Sep 2001 02:46: ")  # two a day


@pytest.mark.parametrize(
    ("start", "length", "said"), [(0, 1, "1"), (0, 86_400, "86400"), (1e15, 1, "1000000000000001")]
)
def test_times_that_are_no_dates_are_said_as_they_are(square, start, length, said):
    assert _title_of_the_second(square, start, length).startswith(f"Snapshot 1, from time {said}: ")


def _title_of_the_second(square, start, length):
    boundaries = start + length * np.arange(3.0)
    timed = Snapshots(square.sequence.birth, square.sequence.links, boundaries=boundaries)
    return draw(Evolution(timed, square.places), 1).layout.annotations[0].text


def test_the_film_has_a_frame_and_a_stop_for_every_snapshot(run):
    film = evolution_film(run)
    names = [str(t) for t in range(LAST + 1)]
    assert [frame.name for frame in film.frames] == names
    assert [step.label for step in film.layout.sliders[0].steps] == names
    assert [button.label for button in film.layout.updatemenus[0].buttons] == ["▶ Play", "❚❚ Pause"]
    for frame, t in zip(film.frames, range(LAST + 1), strict=True):
        single = draw(lay_out(read_snapshots(run), 300), t)
        moving = [film.data[index].name for index in frame.traces]
        assert moving == ["dead", "kept", "born", "nodes"]
        assert np.array_equal(frame.data[3].x, drawn(single, "nodes").x)


@pytest.mark.parametrize("step", [-1, 8, "4", None])
def test_a_snapshot_that_there_is_not_is_refused(run, step):
    with pytest.raises(UsageError, match=r"choose one of 0\.\.7"):
        evolution(run, step)


def test_a_run_without_snapshots_says_so(make_run_folder):
    with pytest.raises(RunError, match="no snapshots"):
        evolution(Run(make_run_folder()), 0)


def test_damaged_snapshots_say_what_is_missing(run):
    stored = {name: of for name, of in run.arrays("sequence").items() if name != "links_1"}
    np.savez(run.path / "arrays/sequence.npz", **stored)
    with pytest.raises(RunError, match="hold no 'links_1'"):
        evolution(run, 0)
