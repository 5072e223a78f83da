"""A person's first five minutes, in a real browser: set up, launch, watch, look."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.pages.wording import relative_size, score
from workbench.runs.store import demo_runs, list_runs

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PATIENCE = 240  # seconds


def test_from_the_first_look_to_the_embeddings(page, server, environment, settle, spot):
    page.goto(server)
    page.get_by_role("heading", name="Start your own").wait_for()
    card = page.locator("[data-testid=stVerticalBlock]").filter(has=page.get_by_role("heading", name="In ten seconds"))
    card.last.get_by_role("link", name="Set it up").click()

    page.get_by_text("30.5 ×").wait_for()  # 2,500 parameters against 82: the sizes are shown before the launch
    page.get_by_role("button", name="Launch").click()

    page.get_by_text("Teacher, test accuracy").wait_for()  # watched to its end without touching anything
    assert "view=watch" in page.url
    playwright.expect(page.locator(".js-plotly-plot")).to_have_count(2)  # the curves, and the lens on the terms
    for panel in ("Student: weighted loss terms", "Student: pull of each term", "Validation accuracy"):
        page.get_by_text(panel).wait_for()
    for panel in ("Share of each term in the loss", "With the labels or, below 0, against them"):
        page.get_by_text(panel).wait_for()

    page.get_by_role("link", name="Look at the embeddings").click()
    playwright.expect(page.locator(".js-plotly-plot")).to_have_count(1)
    figure = page.locator(".js-plotly-plot").last  # for a moment, a redrawn figure stands beside the old one
    figure.wait_for()
    for panel in ("Teacher", "Student"):
        figure.get_by_text(panel, exact=True).last.wait_for()
    drawn = figure.evaluate("plot => plot._fullData.reduce((sum, trace) => sum + trace._length, 0)")
    assert drawn == 2 * 34  # every member of the club, on both sides

    settle(page)
    x, y = spot(figure, 0)  # the first node of the teacher's panel
    page.mouse.move(x, y - 12)
    page.mouse.down()
    for across, down in ((12, 0), (0, 12), (-12, 0), (0, -12)):  # a lasso around it
        page.mouse.move(x + across, y + down, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Clear the selection").wait_for()
    names = figure.evaluate("plot => plot.data.map(trace => trace.name)")
    assert names.count("selected") == 2
    assert page.faults == []

    listed = subprocess.run(
        [sys.executable, "-c", "from workbench.cli import main; main()", "runs", "--json"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=True,
    )
    assert run_in_address(page.url) in json.dumps(json.loads(listed.stdout))


def test_the_first_look_shows_finished_examples_and_their_embeddings(page, server):
    page.goto(server)
    page.get_by_text("Finished examples").wait_for()
    for example in (run for run in demo_runs() if (run.path / "story.txt").is_file()):  # others are there to compare
        result = example.result
        before, after = (100 * score(result, role) for role in ("teacher", "student"))
        page.get_by_text(f"{before:.1f} % → {after:.1f} %").wait_for()
        page.get_by_text(relative_size(result["compression"])).first.wait_for()
    page.get_by_role("link", name="Look at the embeddings").first.click()
    figure = page.locator(".js-plotly-plot").last
    figure.wait_for()
    for projection in ("PCA", "UMAP"):
        page.get_by_text(projection, exact=True).click()
        page.wait_for_url(f"**projection={projection.lower()}*")
        figure.get_by_text("Student", exact=True).last.wait_for()  # the former figure may still be there
        page.wait_for_function(  # every paper, on both sides
            """() => 2 * 2500 === document.querySelector(".js-plotly-plot")
                ?._fullData?.reduce((sum, trace) => sum + trace._length, 0)"""
        )
    assert page.faults == []


def test_a_link_shows_the_same_thing_to_somebody_else(page, server):
    page.goto(f"{server}/distil?preset=karate")
    page.get_by_text("30.5 ×").wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_killing_the_server_loses_nothing_and_a_run_of_the_command_line_is_seen(page, tmp_path, environment, serving):
    runs = tmp_path / "runs"
    environment = {**environment, "WORKBENCH_RUNS": str(runs)}
    with serving(environment) as (address, process):
        page.goto(f"{address}/distil?preset=karate")
        page.get_by_text("30.5 ×").wait_for()
        page.get_by_role("button", name="Launch").click()
        wait_until(lambda: list_runs(runs))
        process.kill()
        process.wait()
    (launched,) = list_runs(runs)
    wait_until(lambda: not launched.status.alive)
    assert launched.status.state == "done", launched.log()

    typed = ["distill", "builtin-karate", "--method", "none", "--training.epochs", "5", "--json"]
    subprocess.run([sys.executable, "-m", "workbench", *typed], env=environment, cwd=ROOT, check=True)
    with serving(environment) as (address, _):
        page.goto(address)
        page.get_by_text("builtin-karate · gat → gcn · none · seed 0").wait_for()
        page.get_by_text(launched.title).first.wait_for()


def wait_until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def run_in_address(url):
    return next(part.removeprefix("run=") for part in url.split("?")[1].split("&") if part.startswith("run="))
