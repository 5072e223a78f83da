"""How fast the app is, as a person at a browser sees it: ``python docs/bench_app.py [--json] [--changes 200]``.

Run folders of 3,000, 20,000 and 170,000 nodes are made up below a temporary root, a server is started and a headless
Chromium drives it. What is timed is from a click or an address to the drawn figure, in seconds; each figure is the
median of five. The goals are for a quiet laptop; a busy machine is slower.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from browser import ROOT, looking, serving
from playwright.sync_api import Page

from workbench.runs.store import demo_runs

sys.path.append(str(ROOT / "tests" / "folders"))
from run_folders import write_run

REPEATS = 5
SIZES = (3_000, 20_000, 170_000)
GOALS = {  # seconds, or MB
    "cold start to the first finished figure": 5.0,
    "rerun with 3,000 nodes": 0.5,
    "20,000 nodes shown": 1.5,
    "170,000 nodes shown (a sample)": 3.0,
    "growth of the server over the page changes, MB": 50.0,
    "requests in 10 s when nothing runs": 0.0,
}
FIRST = 20  # page changes before memory is looked at
DRAWN = """() => { const plots = [...document.querySelectorAll('.js-plotly-plot')];
    return plots.length && plots.every(plot => plot._fullLayout)
        && !document.querySelector('[data-testid="stStatusWidget"], [data-stale="true"]') }"""
DEMO = next(run.id for run in demo_runs() if run.id.startswith("builtin-citation-kd"))
VISITED = ("embeddings", "gap", "local", "layers", "compare", "learn", "")


def cold_start(runs: Path) -> float:
    """From the moment that a fresh server is up to the first figure in a browser that has no cache."""
    with serving(runs) as (address, _), looking() as page:
        started = time.perf_counter()
        page.goto(f"{address}/embeddings?run={DEMO}")
        page.wait_for_function(DRAWN)
        return time.perf_counter() - started


def shown(page: Page, address: str, run: str) -> float:
    """From a click in the app to the figure of another run, arrays and libraries being warm."""
    page.goto(f"{address}/embeddings?run={DEMO}")
    page.wait_for_function(DRAWN)
    started = time.perf_counter()
    page.goto(f"{address}/embeddings?run={run}")
    page.wait_for_function(DRAWN)
    return time.perf_counter() - started


def rerun(page: Page, address: str, run: str) -> float:
    """From choosing another colour to the figure redrawn in it."""
    page.goto(f"{address}/embeddings?run={run}")
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(500)
    times = []
    for colour in ("Predicted class", "True class") * 3:
        page.get_by_role("combobox", name="Colour").click()
        option = page.get_by_role("option", name=colour, exact=True)
        option.wait_for()
        page.evaluate("() => { document.querySelector('.js-plotly-plot').bench = true }")
        names = page.evaluate("() => document.querySelector('.js-plotly-plot').data.map(t => t.name).join()")
        started = time.perf_counter()
        option.click()
        page.wait_for_function(
            """before => { const plots = [...document.querySelectorAll('.js-plotly-plot')];
                return plots.some(plot => plot.data && (!plot.bench || plot.data.map(t => t.name).join() !== before)) }
            """,
            arg=names,
        )
        page.wait_for_function(DRAWN)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def growth(page: Page, address: str, server: psutil.Process, changes: int) -> float:
    """MB by which the server has grown over so many page changes, after the first ones."""
    before = 0.0
    for number in range(FIRST + changes):
        if number == FIRST:
            before = server.memory_info().rss
        page.goto(f"{address}/{VISITED[number % len(VISITED)]}?run={DEMO}")
        page.get_by_role("heading").first.wait_for()
        page.wait_for_timeout(300)
    return (server.memory_info().rss - before) / 1e6


def requests_at_rest(page: Page, address: str) -> float:
    """Messages that the browser sends and gets over ten seconds on a page where nothing runs."""
    frames: list[Any] = []

    def listen(socket: Any) -> None:
        socket.on("framereceived", frames.append)
        socket.on("framesent", frames.append)

    page.on("websocket", listen)
    page.goto(f"{address}/distil?view=watch&run={DEMO}")
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(2000)
    frames.clear()
    page.wait_for_timeout(10_000)
    return float(len(frames))


def measure(changes: int, say: Callable[[str], None]) -> dict[str, float]:
    names = dict(zip(SIZES, list(GOALS)[1:4], strict=True))
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for nodes in SIZES:
            write_run(root, f"nodes-{nodes}-0123456789ab", nodes=nodes)
        say("cold starts")
        found["cold start to the first finished figure"] = statistics.median(cold_start(root) for _ in range(REPEATS))
        with serving(root) as (address, process), looking() as page:
            say("reruns")
            found[names[3_000]] = rerun(page, address, "nodes-3000-0123456789ab")
            for nodes in SIZES[1:]:
                say(f"{nodes:,} nodes")
                run = f"nodes-{nodes}-0123456789ab"
                found[names[nodes]] = statistics.median(shown(page, address, run) for _ in range(REPEATS))
            say("at rest")
            found["requests in 10 s when nothing runs"] = requests_at_rest(page, address)
            say(f"{changes} page changes")
            found["growth of the server over the page changes, MB"] = growth(
                page, address, psutil.Process(process.pid), changes
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--changes", type=int, default=200)
    arguments = parser.parse_args()
    found = measure(arguments.changes, lambda text: print(text, "…", file=sys.stderr))
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    for name, goal in GOALS.items():
        print(f"{name:<48} {found[name]:8.2f}   goal {goal:g}")


if __name__ == "__main__":
    main()
