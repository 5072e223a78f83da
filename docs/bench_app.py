"""How fast the app is, as a person at a browser sees it: ``python docs/bench_app.py [--json] [--changes 200]``.

Run folders of 3,000, 20,000 and 170,000 nodes, 256 channels wide (see ``bench_runs.py``), are made up below a
temporary root, a server is started and a headless Chromium drives it. What is timed is from a click or an address to
the drawn figure, in seconds; each figure is the median of five. The goals are for a quiet laptop; a busy machine is
slower.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from bench_runs import write_large_run
from browser import looking, serving
from playwright.sync_api import Page

from workbench.pages.navigation import PAGES
from workbench.runs.folder import Run
from workbench.runs.store import demo_runs

SIZES = (3_000, 20_000, 170_000)
GOALS = {  # seconds, or MB
    "cold start to the first finished figure": 5.0,
    "rerun with 3,000 nodes": 0.5,
    "20,000 nodes shown": 1.5,
    "170,000 nodes shown (a sample)": 3.0,
    "first result in class, from Launch": 10.0,
    "growth of the server over the page changes, MB": 50.0,
    "requests in 10 s when nothing runs": 0.0,
}
HEADINGS = {"Gallery": "Distil a large graph neural network into a small one"}  # others are called as in the bar
FIRST = 20  # page changes before memory is looked at
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSpinner], [data-testid=stSkeleton], [data-stale=true]')
    && [...document.querySelectorAll('.js-plotly-plot')].every(plot => plot._fullLayout)"""
DRAWN = f"() => document.querySelector('.js-plotly-plot') && ({SETTLED})()"
MARK = "() => document.querySelectorAll('.js-plotly-plot').forEach(plot => { plot.bench = true })"
ANOTHER = f"""() => [...document.querySelectorAll('.js-plotly-plot')].every(plot => !plot.bench) && ({DRAWN})()"""
DEMO = next(run.id for run in demo_runs() if run.id.startswith("builtin-citation-kd"))


def cold_start(runs: Path) -> float:
    """From the moment that a fresh server is up to the first figure in a browser that has no cache."""
    with serving(runs) as (address, _), looking() as page:
        started = time.perf_counter()
        page.goto(f"{address}/embeddings?run={DEMO}")
        page.wait_for_function(DRAWN)
        return time.perf_counter() - started


def first_result() -> float:
    """From Launch to the test accuracy of the karate club, where nothing was run before."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (address, _), looking() as page:
        page.goto(f"{address}/distil?preset=karate")
        launch = page.get_by_role("button", name="Launch")
        launch.wait_for()
        page.wait_for_function(SETTLED)
        started = time.perf_counter()
        launch.click()
        page.get_by_text("Student, test accuracy").wait_for()
        return time.perf_counter() - started


def shown(page: Page, address: str, run: Run) -> float:
    """From choosing a run in the left slot to its figure; libraries are warm, and nothing of the run is kept."""
    page.goto(f"{address}/embeddings?run={DEMO}")
    page.wait_for_function(DRAWN)
    for file in (run.path / "arrays").iterdir():
        os.utime(file)  # a new state of the files
    page.wait_for_timeout(500)
    page.evaluate(MARK)
    return pick(page, "Left", run.title, ANOTHER)


def pick(page: Page, label: str, name: str, until: str, arg: Any = None) -> float:
    """Seconds from a click on an option to when the page is as it is waited for."""
    page.get_by_role("combobox", name=label).first.click()
    option = page.get_by_role("option", name=name)
    option.wait_for()
    started = time.perf_counter()
    option.click()
    page.wait_for_function(until, arg=arg)
    page.wait_for_function(SETTLED)
    return time.perf_counter() - started


def rerun(page: Page, address: str, run: Run, repeats: int) -> float:
    """From choosing another colour to the figure redrawn in it."""
    page.goto(f"{address}/embeddings?run={run.id}")
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(500)
    times = []
    names = "document.querySelector('.js-plotly-plot').data.map(t => t.name + t.marker.color).join()"
    for number in range(repeats + 1):
        before = page.evaluate(f"() => {names}")
        colour = ("Who is right", "True class")[number % 2]
        times.append(pick(page, "Colour", colour, f"before => {names} !== before", before))
    return statistics.median(times[1:])


def growth(page: Page, address: str, server: psutil.Process, runs: Sequence[Run], changes: int) -> float:
    """MB by which the server has grown over so many page changes, after the first ones.

    Every page in turn, and after each round another run in the left slot, as somebody does who looks around all day.
    """
    page.goto(f"{address}/embeddings?run={DEMO}")
    page.wait_for_function(DRAWN)
    before = 0.0
    for number in range(FIRST + changes):
        if number == FIRST:
            before = server.memory_info().rss
        title = list(PAGES.values())[number % len(PAGES)][0]
        page.get_by_role("link", name=title, exact=True).first.click()
        page.get_by_role("heading", name=HEADINGS.get(title, title), exact=True).first.wait_for()
        page.wait_for_timeout(300)  # for the rest of the old page to be gone
        page.wait_for_function(SETTLED)
        if title == "Embeddings":
            pick(page, "Left", runs[number // len(PAGES) % len(runs)].title, DRAWN)
    return (server.memory_info().rss - before) / 1e6


def requests_at_rest(page: Page, address: str) -> float:
    """Messages that the browser sends and gets over ten seconds on a page where nothing runs."""
    frames: list[Any] = []

    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda frame: frames.append(frame))  # no builtin: the driver marks what it calls
        socket.on("framesent", lambda frame: frames.append(frame))

    page.on("websocket", listen)
    page.goto(f"{address}/distil?view=watch&run={DEMO}")
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(2000)
    frames.clear()
    page.wait_for_timeout(10_000)
    return float(len(frames))


def measure(changes: int, repeats: int, say: Callable[[str], None]) -> dict[str, float]:
    names = dict(zip(SIZES, list(GOALS)[1:4], strict=True))
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        runs = {nodes: write_large_run(root, nodes) for nodes in SIZES}
        say("cold starts")
        found["cold start to the first finished figure"] = statistics.median(cold_start(root) for _ in range(repeats))
        say("first results")
        found["first result in class, from Launch"] = statistics.median(first_result() for _ in range(repeats))
        with serving(root) as (address, process), looking() as page:
            say("reruns")
            found[names[3_000]] = rerun(page, address, runs[3_000], repeats)
            for nodes in SIZES[1:]:
                say(f"{nodes:,} nodes")
                found[names[nodes]] = statistics.median(shown(page, address, runs[nodes]) for _ in range(repeats))
            say("at rest")
            found["requests in 10 s when nothing runs"] = requests_at_rest(page, address)
        with serving(root) as (address, process), looking() as page:
            say(f"{changes} page changes")
            server, seen = psutil.Process(process.pid), [*reversed(runs.values()), *demo_runs()[:1]]
            found["growth of the server over the page changes, MB"] = growth(page, address, server, seen, changes)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    found = measure(arguments.changes, arguments.repeats, lambda text: print(text, "…", file=sys.stderr))
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    for name, goal in GOALS.items():
        print(f"{name:<48} {found[name]:8.2f}   goal {goal:g}")


if __name__ == "__main__":
    main()
