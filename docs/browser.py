"""The app on a free port, and tabs of a headless Chromium that look at it: for screenshots and for the benchmark."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--enable-unsafe-swiftshader",
]
PATIENCE = 120_000  # ms
UP_SECONDS = 60


@contextmanager
def serving(runs: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The app over the run folder ``runs``: its address and its process."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true"],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_RUNS": str(runs)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        _wait_until_up(address, process)
        yield address, process
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            if answer.status == 200:
                return
        if process.poll() is not None:
            sys.exit("the app ended before it was up")
        time.sleep(0.02)
    sys.exit(f"the app was not up after {UP_SECONDS} s")


@contextmanager
def looking(scheme: Literal["light", "dark"] = "light", height: int = 860) -> Iterator[Page]:
    """A fresh tab, 1,280 pixels wide, with an empty cache."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no chromium on this machine: install one, Debian's package is called chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=SWITCHES)
        page = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()
