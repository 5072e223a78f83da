"""The app in a process of its own, and a tab of a real browser that looks at it."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
]
PATIENCE = 240_000  # ms; a launch imports torch twice, on a machine that may be busy
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale=true], [data-testid=stSpinner], [data-testid=stSkeleton]')
    && [...document.querySelectorAll('.js-plotly-plot')].every(plot => plot._fullLayout)"""
CHOSEN = """label => {
    const named = [...document.querySelectorAll('[data-testid=stWidgetLabel]')];
    const own = named.find(each => each.querySelector('p')?.textContent === label);
    if (!own) return null;
    const control = own.parentElement, text = each => each.textContent.trim();
    const radios = [...control.querySelectorAll('[role=radio]')];
    if (radios.length) return radios.filter(each => each.getAttribute('aria-checked') === 'true').map(text).join();
    const field = control.querySelector('input');
    return field.type === 'range' ? field.getAttribute('aria-valuetext') : field.value;
}"""
SPOT = """(plot, [wanted, point]) => {
    const trace = Number.isInteger(wanted) ? plot._fullData[wanted] : plot._fullData.find(t => t.name === wanted);
    const axis = name => plot._fullLayout[name[0] + 'axis' + name.slice(1)], box = plot.getBoundingClientRect();
    const x = axis(trace.xaxis ?? 'x'), y = axis(trace.yaxis ?? 'y');
    return [box.left + x._offset + x.d2p(trace.x[point]), box.top + y._offset + y.d2p(trace.y[point])];
}"""


@pytest.fixture(scope="session")
def chromium():
    """The browser's program; a test that needs it is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or pytest.skip("no chromium on this machine")


@pytest.fixture(scope="module")
def environment(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    return {**os.environ, "WORKBENCH_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def server(environment):
    """The address of the app on a free port, in a process of its own."""
    with serve(environment) as (address, _):
        yield address


@pytest.fixture
def serving():
    """``with serving(environment) as (address, process)``: a server for a part of a test."""
    return serve


@contextlib.contextmanager
def serve(environment):
    """A server: its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        for _ in range(120):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    break
            assert process.poll() is None, "the server ended before it was ready"
            time.sleep(0.5)
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def browser(chromium):
    """One browser for the tests of a file."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=60_000)  # ms
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield started
        started.close()


@pytest.fixture
def page(browser, server):
    """A fresh tab with nothing in its cache, and the errors of its console and scripts."""
    tab = browser.new_page(viewport={"width": 1400, "height": 1000})
    tab.set_default_timeout(PATIENCE)
    tab.faults = []
    tab.on("console", lambda message: tab.faults.append(message.text) if is_fault(message) else None)
    tab.on("pageerror", lambda error: tab.faults.append(str(error)))
    yield tab
    tab.close()


def is_fault(message):
    """Whether a line of the console is an error of the app.

    Streamlit asks below a page's own address for two files before it asks for them below the app's; that is not ours.
    """
    return message.type == "error" and not re.search(r"/\w+/_stcore/(health|host-config)$", message.location["url"])


@pytest.fixture
def settle():
    """``settle(page)`` waits until nothing is being computed any more, and every figure is drawn."""

    def wait(page):
        page.get_by_role("heading").first.wait_for()
        page.wait_for_function(SETTLED)

    return wait


@pytest.fixture
def chosen():
    """``chosen(page, "Colour")``: what is chosen in the control with that label, as it is written; None without it."""
    return lambda page, label: page.evaluate(CHOSEN, label)


@pytest.fixture
def spot():
    """``spot(figure, "nodes", 3)``: where in the tab the fourth point of that trace is, in pixels.

    Traces are counted from 0 or named; of several of one name, the first one.
    """

    def at(figure, trace, point=0):
        figure.scroll_into_view_if_needed()
        return figure.evaluate(SPOT, [trace, point])

    return at
