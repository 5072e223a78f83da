"""The app in a process of its own, and a tab of a real browser that looks at it."""

import contextlib
import os
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


@pytest.fixture
def page(chromium, server):
    """An open tab, and the errors of its console and scripts."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=SWITCHES)
        tab = browser.new_page(viewport={"width": 1400, "height": 1000})
        tab.set_default_timeout(PATIENCE)
        tab.faults = []
        tab.on("console", lambda message: tab.faults.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: tab.faults.append(str(error)))
        yield tab
        browser.close()
