"""Point clouds on the Dynamic graph page in a real browser: they are drawn in space and follow what is chosen."""

import io
import os

import numpy as np
import pytest
from cloud_folders import write_cloud_run
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

RUN = "shapes-lsp-s0-0123456789ab"
ORANGE, BLUE = (213, 94, 0), (0, 114, 178)  # nearest and farthest
NEAREST = """point => {
    const plots = [...document.querySelectorAll(".js-plotly-plot")].filter(plot => plot._fullLayout.scene3);
    if (plots.length !== 1) return false;  // a redrawn figure stands beside the old one for a moment
    const clouds = plots[0]._fullData.filter(trace => trace.marker.showscale !== undefined && trace.customdata);
    return clouds.length === 3 && clouds.every(cloud => cloud.marker.color[point] === 0);
}"""


@pytest.fixture(scope="module")
def environment(chromium, tmp_path_factory):
    root = tmp_path_factory.mktemp("clouds") / "runs"
    write_cloud_run(root, "shapes-none-s0-0123456789ab", method="none", points=200)
    write_cloud_run(root, RUN, points=200)
    return {**os.environ, "WORKBENCH_RUNS": str(root), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def shapes(page, server):
    """The page by its address, with the first shape of a distilled run and its student alone beside."""
    page.goto(f"{server}/dynamic?run={RUN}")
    page.locator(".js-plotly-plot").get_by_text("Student with lsp").first.wait_for()
    page.wait_for_function(NEAREST, arg=0)
    page.faults.clear()  # an address with a page and a run in it asks for two files that are not there
    return page


def panels(page):
    """The three panels of the first figure as they are painted: colours (height, width, 3) of each."""
    page.wait_for_timeout(2000)  # for the software renderer
    picture = Image.open(io.BytesIO(page.locator(".js-plotly-plot").first.screenshot())).convert("RGB")
    painted = np.asarray(picture, dtype=int)[80:, : int(0.9 * picture.width)]  # without titles and colour bar
    return np.array_split(painted, 3, axis=1)


def painted_in(panel, colour):
    """Number of pixels within a little of ``colour``."""
    return int((np.abs(panel - colour).max(axis=2) < 40).sum())


def test_shapes_are_drawn_in_space_and_follow_shape_layer_and_point(shapes, settle):
    before = panels(shapes)
    for panel in before:
        assert painted_in(panel, ORANGE) > 30
        assert painted_in(panel, BLUE) > 30
    slider = shapes.get_by_role("slider").first
    slider.focus()
    for point in (1, 2, 3):
        slider.press("ArrowRight")
        shapes.wait_for_url(f"**point={point}*")
        settle(shapes)
    shapes.wait_for_function(NEAREST, arg=3)
    for panel, old in zip(panels(shapes), before, strict=True):
        assert painted_in(panel, ORANGE) > 30
        assert (panel != old).any()
    shapes.get_by_role("radio", name="1", exact=True).or_(shapes.get_by_role("button", name="1", exact=True)).click()
    shapes.locator(".js-plotly-plot").get_by_text("EdgeConv 1 of 3, k = 5").wait_for()
    shapes.get_by_role("combobox", name="Shape").click()
    shapes.get_by_role("option", name="torus").click()
    shapes.get_by_text("from the test set: the teacher says torus, the student says cube").wait_for()
    shapes.get_by_role("button", name="Table as CSV").wait_for()
    assert shapes.faults == []
