"""Figures of point clouds: what is drawn and coloured, and what is refused."""

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.point_clouds import distances, neighbour_graphs

N = 40


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)


@pytest.fixture
def features():
    return np.random.default_rng(1).normal(size=(N, 5)).astype(np.float16)


@pytest.fixture
def ring():
    """Every point's neighbours are itself and the next two."""
    centre = np.repeat(np.arange(N), 3)
    return np.stack([(centre + np.tile([0, 1, 2], N)) % N, centre])


def in_scene(figure, number):
    name = "scene" if number == 1 else f"scene{number}"
    return [trace for trace in figure.data if (trace.scene or "scene") == name]


def test_every_model_has_a_panel_with_all_points_coloured_by_their_distance(points, features):
    wide = np.concatenate([features, 3 * features], axis=1)
    figure = distances([("Teacher", points, wide), ("With LSP", points, features), ("Without", points, points)], 7)
    assert [title.text for title in figure.layout.annotations] == ["Teacher", "With LSP", "Without"]
    for number, used in enumerate((wide, features, points), start=1):
        cloud, chosen = in_scene(figure, number)
        used = used.astype(np.float64)
        far = np.linalg.norm(used - used[7], axis=1)
        assert cloud.marker.color == pytest.approx(far / far.max(), rel=1e-5)
        assert np.stack([cloud.x, cloud.y, cloud.z], axis=1) == pytest.approx(points)
        assert (chosen.x[0], chosen.y[0], chosen.z[0]) == pytest.approx(tuple(points[7]))
        assert (cloud.marker.cmin, cloud.marker.cmax) == (0, 1)
        assert cloud.marker.colorscale == theme.SHARE


def test_one_colour_bar_speaks_for_all_panels(points, features):
    figure = distances([("a", points, features)] * 3, 0)
    assert [trace.marker.showscale for trace in figure.data if trace.marker.colorscale] == [False, False, True]


def test_panels_show_the_same_cube_and_arrays_travel_as_float32(points, features):
    figure = distances([("a", points, features), ("b", 0.5 * points, features)], 0)
    ranges = [[scene[f"{axis}axis"].range for axis in "xyz"] for scene in (figure.layout.scene, figure.layout.scene2)]
    assert ranges[0] == ranges[1]
    low, high = np.array(ranges[0]).T
    assert (low < points.min(0)).all()
    assert (high > points.max(0)).all()
    assert {trace.x.dtype for trace in figure.data} == {np.dtype(np.float32)}


def segments(trace):
    """Both ends (pairs, 2, 3) of the lines of a trace, which leaves a gap after each."""
    corners = np.stack([trace.x, trace.y, trace.z], axis=1).reshape(-1, 3, 3)
    assert np.isnan(corners[:, 2]).all()
    return corners[:, :2]


def test_every_linked_pair_is_one_line_and_the_chosen_points_edges_stand_out(points, ring):
    figure = neighbour_graphs([("Teacher, layer 4", points, ring), ("Student", points, ring[:, :60])], 5)
    lines, dots, bold, chosen = in_scene(figure, 1)
    pairs = {tuple(sorted((i, (i + hop) % N))) for i in range(N) for hop in (1, 2)}
    drawn = segments(lines)
    assert len(drawn) == len(pairs)
    expected = np.stack([points[list(pair)] for pair in sorted(pairs)])
    assert drawn == pytest.approx(expected)
    assert segments(bold) == pytest.approx(np.stack([points[[6, 5]], points[[7, 5]]]))  # from neighbours to the centre
    assert bold.line.color == theme.STUDENT
    assert bold.line.width > lines.line.width
    assert "rgba" not in lines.line.color  # Plotly draws no line in space of such a colour
    assert len(dots.x) == N
    assert chosen.x[0] == pytest.approx(points[5, 0])


def test_a_point_without_edges_is_drawn_too(points):
    figure = neighbour_graphs([("a", points, np.empty((2, 0), dtype=np.int64))], 0)
    assert len(in_scene(figure, 1)) == 4


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda p, f: distances([], 0), "at least one"),
        (lambda p, f: distances([("a", p, f)], N), "points 0 to 39, and no point 40"),
        (lambda p, f: distances([("a", p, f)], -1), "no point -1"),
        (lambda p, f: distances([("a", p, f[:5])], 0), "40 points and features of 5"),
        (lambda p, f: distances([("a", p[:, :2], f)], 0), r"shape \(40, 2\): expected \(n, 3\)"),
        (lambda p, f: neighbour_graphs([("a", p, np.array([[0], [N]]))], 0), "edges between other points than its 40"),
    ],
)
def test_what_cannot_be_drawn_is_explained(draw, message, points, features):
    with pytest.raises(UsageError, match=message):
        draw(points, features)
