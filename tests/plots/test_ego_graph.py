"""The ego-graph as a figure: the same places in every panel, values as colours, and what hovering says."""

import numpy as np
import pytest

from workbench.analysis.ego_graph import ego_graph
from workbench.errors import UsageError
from workbench.plots import theme
from workbench.plots.ego_graph import COLOURS, draw

EDGES = np.array([[11, 12, 13, 10, 12, 10], [10, 10, 10, 11, 13, 10]])  # the last one is a loop


@pytest.fixture
def ego():
    return ego_graph(EDGES, 20, 10)


def traces(figure, panel=1, **wanted):
    axis = "x" if panel == 1 else f"x{panel}"
    own = [trace for trace in figure.data if (trace.xaxis or "x") == axis]
    return [trace for trace in own if all(getattr(trace, key) == value for key, value in wanted.items())]


def arrows(figure, panel=1):
    return next(trace for trace in traces(figure, panel) if trace.marker.symbol == "arrow")


def nodes(figure, panel=1):
    """Number in the whole graph -> place, as drawn."""
    found = {}
    for trace in traces(figure, panel):
        if trace.customdata is not None and trace.marker.symbol != "arrow":
            found |= {row[0]: at for row, at in zip(trace.customdata, zip(trace.x, trace.y, strict=True), strict=True)}
    return found


def test_every_panel_has_all_nodes_in_the_same_places(ego):
    values = np.linspace(0, 1, 6)
    figure = draw(ego, {"one": values, "other": values[::-1], "third": values})
    assert [title.text for title in figure.layout.annotations] == ["one", "other", "third"]
    for panel in (1, 2, 3):
        assert nodes(figure, panel) == dict(zip(ego.nodes.tolist(), map(tuple, ego.position), strict=True))
    assert (figure.layout.yaxis.scaleanchor, figure.layout.xaxis2.matches, figure.layout.yaxis3.matches) == (
        "x", "x", "y"
    )  # fmt: skip


def test_an_arrow_says_where_its_edge_leads_and_its_value(ego):
    figure = draw(ego, {"shares": np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])})
    said = {tuple(row) for row in arrows(figure).customdata}
    assert (12, "node 12", "node 10", "0.2") in said
    assert (12, "node 12", "node 13", "0.5") in said
    assert len(said) == 6
    assert sorted(arrows(figure).marker.color) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def test_a_node_says_its_number_class_and_value(ego):
    figure = draw(ego, {"shares": np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])}, node_class=[2, 0, 1, 0])
    said = {row[0]: row[1] for trace in traces(figure) if trace.name in ("class 0", "class 1", "class 2")
            for row in trace.customdata}  # fmt: skip
    assert said[12] == "node 12<br>class 1<br>to the centre: <b>0.2</b>"
    assert said[10] == "node 10<br>class 2<br>the centre<br>to the centre: <b>0.6</b>"


def test_nodes_have_the_colour_and_marker_of_their_class(ego):
    figure = draw(ego, {"shares": np.zeros(6)}, node_class=[2, 9, 9, 0])
    looks = {trace.name: (trace.marker.color, trace.marker.symbol) for trace in traces(figure) if trace.name}
    assert looks == {f"class {number}": theme.appearance(number) for number in (0, 2, 9)}


def test_names_stand_in_for_numbers(ego):
    figure = draw(ego, {"shares": np.zeros(6)}, names=["hub", "a", "b", "c"])
    assert {(row[1], row[2]) for row in arrows(figure).customdata} >= {("a", "hub"), ("b", "c")}


def test_the_arrow_points_the_way_of_the_edge(ego):
    figure = draw(ego, {"shares": np.ones(6)})
    place = nodes(figure)
    for (sender, text, receiver, _), angle in zip(arrows(figure).customdata, arrows(figure).marker.angle, strict=True):
        if text != receiver:
            way = np.subtract(place[int(receiver.split()[1])], place[sender])
            pointed = np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])  # clockwise from above
            assert way @ pointed / np.linalg.norm(way) > 0.9


def test_both_ways_of_a_link_are_drawn_apart(ego):
    figure = draw(ego, {"shares": np.ones(6)})
    at = {(row[1], row[2]): (x, y) for row, x, y in zip(arrows(figure).customdata, arrows(figure).x, arrows(figure).y,
                                                       strict=True)}  # fmt: skip
    assert np.linalg.norm(np.subtract(at["node 10", "node 11"], at["node 11", "node 10"])) > 0.1


def test_shares_run_from_zero_to_the_largest_in_any_panel(ego):
    figure = draw(ego, {"one": np.full(6, 0.25), "other": np.full(6, 0.5)}, bar="attention")
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax, axis.colorbar.title.text) == (0.0, 0.5, "attention")


def test_differences_have_their_middle_at_zero(ego):
    values = np.array([-0.4, 0.1, 0.2, 0.0, 0.1, 0.3])
    panels = {"left": np.full(6, 0.5), "right − left": values}
    figure = draw(ego, panels, scale={"right − left": "difference"})
    axis = figure.layout.coloraxis2
    assert (axis.cmin, axis.cmax) == (-0.4, 0.4)
    assert [tuple(stop) for stop in axis.colorscale] == [tuple(stop) for stop in COLOURS["difference"]]
    assert arrows(figure, 2).marker.coloraxis == "coloraxis2"
    assert figure.layout.coloraxis.cmax == 0.5


def test_an_edge_without_a_value_is_drawn_without_an_arrow(ego):
    values = np.array([0.1, np.nan, 0.3, np.nan, np.nan, 0.6])
    figure = draw(ego, {"shares": values})
    assert len(arrows(figure).x) == 3
    lines = traces(figure, mode="lines")
    assert sum(int(np.isnan(trace.x).sum()) for trace in lines) == 6  # every edge ends with a gap


def test_lines_get_wider_with_the_value(ego):
    figure = draw(ego, {"shares": np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])})
    widths = [trace.line.width for trace in traces(figure, mode="lines")]
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]


def test_many_edges_are_few_traces():
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 60, (2, 3000))
    ego = ego_graph(edges, 60, 0)
    figure = draw(ego, {"one": rng.random(len(ego.edges)), "other": rng.random(len(ego.edges))})
    assert len(ego.edges) > 1000
    assert len(traces(figure, 1)) <= 12
    assert len(traces(figure, 2)) <= 12


def test_a_node_alone_can_be_drawn():
    figure = draw(ego_graph(EDGES, 20, 5), {"shares": np.zeros(0)})
    assert list(nodes(figure)) == [5]


def test_values_of_other_edges_are_refused(ego):
    with pytest.raises(UsageError, match="6 edges needs as many values"):
        draw(ego, {"shares": np.zeros(5)})
