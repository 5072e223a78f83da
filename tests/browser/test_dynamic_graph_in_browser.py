"""The Dynamic graph page in a real browser, on the built-in communities: it moves, and nothing jumps."""

import math
import os
from pathlib import Path

import numpy as np
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

BOUND = 0.05  # of the picture's side: what evolving_layout promises
STEPS = (4, 5, 6, 7)
NODES = """() => {
    for (const plot of document.querySelectorAll(".js-plotly-plot")) {
        const trace = plot._fullData.find(trace => trace.name === "nodes");
        if (trace) return Object.fromEntries(Array.from(trace.ids, (id, i) => [id, [trace.x[i], trace.y[i]]]));
    }
}"""
DRAWN = """() => {
    for (const plot of document.querySelectorAll(".js-plotly-plot")) {
        const layer = [...plot.querySelectorAll(".scatterlayer > g")].find(g => g.__data__[0].trace.name === "nodes");
        if (!layer) continue;
        const {xaxis} = plot._fullLayout;
        const points = [...layer.querySelectorAll(".points path")].map(point => {
            const box = point.getBoundingClientRect();
            return [point.__data__.id, [box.left + box.width / 2, box.top + box.height / 2]];
        });
        return {side: xaxis._length / (xaxis.range[1] - xaxis.range[0]), points: Object.fromEntries(points)};
    }
}"""


@pytest.fixture(scope="module")
def environment(chromium, tmp_path_factory, write_snapshots):
    from workbench.registry import datasets

    drawn = datasets["builtin-communities"](nodes=200).load(Path("unused"))
    arrays = {"birth": drawn.birth.numpy().astype(np.int32), "groups": drawn.groups.numpy()}
    arrays |= {f"links_{t}": links.numpy().astype(np.int32) for t, links in enumerate(drawn.links)}
    root = tmp_path_factory.mktemp("dynamic") / "runs"
    write_snapshots(root, "communities-distill2vec-s0-0123456789ab", sequence=arrays, online=STEPS)
    return {**os.environ, "WORKBENCH_RUNS": str(root), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def dynamic(page, server):
    """The page as one gets there, showing the first online step."""
    page.goto(server)
    page.get_by_test_id("stTopNav").get_by_role("link", name="Dynamic graph").click()  # a run in the Gallery has one
    shows(page, STEPS[0])
    return page


def shows(page, step):
    page.locator(".js-plotly-plot").get_by_text(f"Snapshot {step}:").wait_for()
    page.wait_for_url(f"**step={step}*")
    page.wait_for_timeout(1000)  # for nodes that glide


def farthest(before, now):
    """The longest way of a node that was there before."""
    assert set(before) <= set(now)
    return max(math.dist(before[node], now[node]) for node in before)


def test_the_slider_moves_the_figure_changes_and_nothing_jumps(dynamic):
    nodes, drawn = dynamic.evaluate(NODES), dynamic.evaluate(DRAWN)
    assert set(drawn["points"]) == set(nodes)
    slider = dynamic.get_by_role("slider")
    for step in STEPS[1:]:
        slider.focus()
        slider.press("ArrowRight")
        shows(dynamic, step)
        now, redrawn = dynamic.evaluate(NODES), dynamic.evaluate(DRAWN)
        assert len(now) > len(nodes)  # newcomers
        assert 0 < farthest(nodes, now) <= BOUND + 1e-6
        # The axes are fixed; only the room that their frame gets may change by a pixel or two, as the legend settles.
        assert redrawn["side"] == pytest.approx(drawn["side"], rel=0.005)
        assert farthest(drawn["points"], redrawn["points"]) <= BOUND * drawn["side"] + 3  # pixels
        nodes, drawn = now, redrawn
    assert dynamic.faults == []


def test_the_film_plays_to_its_end_and_pauses_in_between(dynamic):
    dynamic.get_by_role("button", name="Play").click()
    shows(dynamic, STEPS[1])
    dynamic.get_by_role("button", name="Pause").click()
    dynamic.get_by_role("button", name="Play").wait_for()
    dynamic.wait_for_timeout(4000)
    assert f"Snapshot {STEPS[-1]}:" not in dynamic.locator(".js-plotly-plot").first.text_content()
    paused = dynamic.url
    dynamic.get_by_role("button", name="Play").click()
    shows(dynamic, STEPS[-1])
    dynamic.get_by_role("button", name="Play").wait_for()  # it has stopped by itself
    assert paused != dynamic.url
    assert dynamic.faults == []


def test_every_figure_is_drawn(dynamic):
    for name, texts in {
        "Embeddings": ["Teacher:", "Student:"],
        "Link scores": ["Teacher · AUC", "Student · AUC", "Link by link"],
        "Temporal attention": ["Teacher: a window", "Student: a window"],
    }.items():
        dynamic.get_by_role("radio", name=name).or_(dynamic.get_by_role("button", name=name)).click()
        for text in texts:
            dynamic.locator(".js-plotly-plot").get_by_text(text).first.wait_for()
    dynamic.get_by_role("button", name="Every metric of every step as CSV").wait_for()
    assert dynamic.faults == []
