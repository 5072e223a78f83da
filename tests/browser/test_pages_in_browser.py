"""The main gesture of every page on the finished examples, in a real browser: a lasso, a click, a film, a slider."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from workbench.runs.store import demo_runs, list_runs

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

PANEL = """plot => {
    const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect(), nodes = {};
    for (const trace of plot._fullData) {
        if (trace.xaxis !== 'x' || trace.name === 'selected') continue;
        trace.customdata.forEach((facts, i) => nodes[facts[0]] =
            [box.left + xaxis._offset + xaxis.d2p(trace.x[i]), box.top + yaxis._offset + yaxis.d2p(trace.y[i])]);
    }
    const [left, top] = [box.left + xaxis._offset, box.top + yaxis._offset];
    return {nodes, frame: [left, top, left + xaxis._length, top + yaxis._length]};
}"""
RINGED = """() => {
    const plots = [...document.querySelectorAll('.js-plotly-plot')].filter(plot => plot._fullData);
    const rings = plots.flatMap(plot => plot._fullData.filter(trace => trace.name === 'selected'));
    return rings.map(ring => [ring.xaxis, ring.customdata.map(facts => facts[0])]);
}"""
SQUARE = """([row, column]) => {
    const plot = document.querySelector('[class*="st-key-layer-pairs-"] .js-plotly-plot');
    const at = plot._fullData.findIndex(trace => trace.customdata);
    const point = plot._fullData[at].customdata.findIndex(pair => pair[0] === row && pair[1] === column);
    return [at, point];
}"""
BARS = """(plot, name) => [...plot._fullData.find(trace => trace.name === name && trace.type === "bar").y]"""
PATIENCE = 60_000  # ms


def example(start):
    """The finished example whose name begins like this."""
    return next(run for run in demo_runs() if run.id.startswith(start))


KD, ABKD = example("builtin-citation-kd"), example("builtin-citation-abkd")


@pytest.fixture
def page(page):
    """A tab of a small laptop."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


def shown(page, text):
    """Wait for a text in a figure."""
    page.locator(".js-plotly-plot").get_by_text(text).first.wait_for(state="attached")


def test_a_lasso_around_nodes_on_the_left_rings_them_on_both_sides(page, server, settle):
    page.goto(f"{server}/embeddings?run={KD.id}")
    settle(page)
    figure = page.locator(".js-plotly-plot")
    figure.scroll_into_view_if_needed()
    drawn = figure.evaluate(PANEL)
    _, top, right, bottom = drawn["frame"]
    across = sorted(x for x, _ in drawn["nodes"].values())[-40:]
    at = max(range(20), key=lambda k: across[k + 1] - across[k])  # a gap with 20 to 39 nodes on its right
    cut = (across[at] + across[at + 1]) / 2
    inside = {int(node) for node, (x, _) in drawn["nodes"].items() if x > cut}
    assert 20 <= len(inside) < 40

    page.mouse.move(cut, top + 3)
    page.mouse.down()
    for corner in ((right - 3, top + 3), (right - 3, bottom - 3), (cut, bottom - 3), (cut, top + 6)):
        page.mouse.move(*corner, steps=4)
    page.mouse.up()

    page.get_by_role("button", name="Clear the selection").wait_for()
    page.wait_for_function(f"() => ({RINGED})().length === 2")
    ringed = dict(page.evaluate(RINGED))
    assert set(ringed["x"]) == inside
    assert set(ringed["x2"]) == inside
    page.get_by_role("button", name="Clear the selection").click()
    page.wait_for_function(f"() => ({RINGED})().length === 0")
    assert page.faults == []


def test_the_film_over_epochs_plays_to_the_best_one_while_the_left_side_stands_still(page, server, settle):
    page.goto(f"{server}/embeddings?run={KD.id}&right-epoch=100")
    shown(page, "Student, epoch 100")
    settle(page)
    places = "plot => [0, plot._fullData.length - 1].map(at => [...plot._fullData[at].x])"
    before = page.locator(".js-plotly-plot").evaluate(places)
    page.get_by_role("button", name="Play").click()
    shown(page, "Student, epoch 150")
    page.wait_for_url("**right-epoch=0*")
    page.get_by_role("button", name="Play").wait_for()  # it has stopped by itself
    page.locator(".js-plotly-plot").get_by_text("Student", exact=True).first.wait_for()
    settle(page)
    now = page.locator(".js-plotly-plot").evaluate(places)
    assert now[0] == before[0]
    assert now[1] != before[1]
    assert page.faults == []


def test_a_click_on_a_square_shows_that_pair_of_layers_around_a_node(page, server, settle, spot, chosen):
    page.goto(f"{server}/layers?run={ABKD.id}")
    settle(page)
    figure = page.locator("[class*='st-key-layer-pairs-'] .js-plotly-plot").first
    page.mouse.click(*spot(figure, *page.evaluate(SQUARE, [3, 2])))
    page.wait_for_url("**pair=3-2*")
    shown(page, "Teacher, layer 3")
    shown(page, "Student, layer 2")
    assert chosen(page, "Pair") == "layer 3 × layer 2"
    assert page.faults == []


def test_a_click_on_a_neighbour_and_one_on_a_row_of_the_table_go_to_their_node(page, server, settle, spot):
    page.goto(f"{server}/local?run={KD.id}&node=12")
    shown(page, "Node 12, class")
    settle(page)
    with np.load(KD.path / "arrays/graph.npz") as graph:
        edge_index = graph["edge_index"]
    neighbours = set(edge_index[0, edge_index[1] == 12].tolist()) - {12}
    around = page.locator("[class*='st-key-neighbourhood-'] .js-plotly-plot")
    shares = around.evaluate(BARS, "Teacher"), around.evaluate(BARS, "Student")
    assert [len(share) for share in shares] == [len(neighbours)] * 2
    assert [sum(share) for share in shares] == pytest.approx([1, 1], abs=1e-4)

    nodes = "plot => plot._fullData.map(t => [t.mode ?? '', t.marker?.symbol, (t.customdata ?? []).map(c => c[0])])"
    traces = around.evaluate(nodes)
    there = [
        (trace, point, node)
        for trace, (mode, symbol, carried) in enumerate(traces)
        for point, node in enumerate(carried)
        if "markers" in mode and symbol == "circle" and node in neighbours
    ]
    trace, point, neighbour = there[0]
    page.mouse.click(*spot(around, trace, point))
    page.wait_for_url(f"**node={neighbour}*")
    shown(page, f"Node {neighbour}, class")

    settle(page)
    table = page.locator("[class*='st-key-worst-nodes-'] [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    second = int(table.locator("[role=gridcell][id='glide-cell-1-1']").text_content())
    box = table.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 35 * 2.5)  # the box before the second row
    page.wait_for_url(f"**node={second}*")
    shown(page, f"Node {second}, class")
    assert page.faults == []


def test_a_click_on_a_part_of_a_bar_lists_the_nodes_behind_it(page, server, settle, chosen):
    page.goto(f"{server}/gap?run={KD.id}&by=class&split=all&case=both+right")
    settle(page)
    of_class, sides = 4, {}
    with np.load(KD.path / "arrays/graph.npz") as graph:
        y = graph["y"]
    for side in ("teacher", "student"):
        with np.load(KD.path / f"arrays/{side}.npz") as arrays:
            sides[side] = arrays["logits"].argmax(axis=1) == y
    lost = np.flatnonzero((y == of_class) & sides["teacher"] & ~sides["student"])

    bars = page.locator("[class*='st-key-gap-bars-'] .js-plotly-plot")
    bars.scroll_into_view_if_needed()
    of_case = bars.locator(".barlayer .trace.bars").nth(1)  # the teacher's alone
    part = of_case.locator(".point path").nth(of_class).bounding_box()
    page.mouse.click(part["x"] + part["width"] / 2, part["y"] + part["height"] / 2)
    page.wait_for_url("**case=left*")
    page.get_by_text(f"{len(lost)} nodes, largest KL first").wait_for()
    settle(page)
    assert chosen(page, "Case") == "teacher only"
    assert chosen(page, "Bin") == f"class {of_class}"
    node = int(chosen(page, "Node"))
    assert node in lost
    rows = page.locator("[class*='st-key-gap-nodes-'] [role=grid]").get_attribute("aria-rowcount")
    assert int(rows) == len(lost) + 1  # and the header
    page.get_by_role("link", name=f"Look at the neighbourhood of node {node}").click()
    page.get_by_text(re.compile(f"^Node {node}(, class| is isolated)")).first.wait_for()
    settle(page)
    assert [chosen(page, label) for label in ("Left", "Node")] == [f"{KD.title} · example", str(node)]
    assert page.faults == []


def test_another_baseline_and_another_cost_change_what_is_compared(page, server, settle, chosen):
    page.goto(f"{server}/compare")
    settle(page)
    shown(page, "Baseline: Student alone")
    links = page.get_by_text("has not been run for seed")
    playwright.expect(links).to_have_count(2)  # students that have none alone
    page.get_by_role("combobox", name="Baseline").click()
    page.get_by_role("option", name="KD · gat → gcn").click()
    shown(page, "Baseline: KD · gat → gcn")
    playwright.expect(links).to_have_count(0)
    assert "baseline=alone" not in page.url

    page.get_by_role("radio", name="Latency").click()
    page.wait_for_url("**cost=latency_ms*")
    shown(page, "one pass, ms")
    settle(page)
    assert chosen(page, "Cost") == "Latency"
    assert page.faults == []


def test_the_controls_of_a_run_are_offered_and_none_is_started_by_looking(page, server, settle, environment):
    page.goto(f"{server}/real?run={KD.id}")
    shown(page, "kd minus the control")
    settle(page)
    shown(page, "does distillation help at all?")
    offer = page.get_by_role("button", name="missing runs")
    playwright.expect(offer).to_be_enabled()
    assert list_runs(Path(environment["WORKBENCH_RUNS"])) == []
    assert page.faults == []


def test_moving_a_slider_of_a_toy_changes_the_figure_and_the_address(page, server, settle):
    page.goto(f"{server}/learn?paper=kd&soft-temperature=4.0")
    shown(page, "Probabilities at T = 4")
    settle(page)
    figure = page.locator("[class*='st-key-toy-kd'] .js-plotly-plot")
    warm = figure.evaluate(BARS, "Teacher")
    slider = page.get_by_role("slider", name="Temperature T")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_url("**soft-temperature=5.0*")
    shown(page, "Probabilities at T = 5")
    settle(page)
    warmer = figure.evaluate(BARS, "Teacher")
    # softmax(z / T): distances of logarithms shrink as 1 / T
    assert math.log(warmer[0] / warmer[1]) == pytest.approx(4 / 5 * math.log(warm[0] / warm[1]), rel=1e-6)
    assert page.faults == []
