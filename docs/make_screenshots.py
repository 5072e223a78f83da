"""Take the README's screenshots: ``python docs/make_screenshots.py`` (needs playwright and a chromium)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from workbench.runs.store import demo_runs

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "assets"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE = 120_000  # ms


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def shoot(page: Page, address: str) -> None:
    """Pages in the order in which a newcomer meets them."""
    page.goto(address)
    page.get_by_role("heading", name="Start your own").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(1000)
    page.screenshot(path=ASSETS / "gallery.png")
    page.goto(f"{address}/distil?preset=five-minute-demo")
    page.get_by_role("button", name="Launch").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(1500)
    page.screenshot(path=ASSETS / "distil.png")
    page.goto(f"{address}/embeddings?run={quote(_demo_of('builtin-citation'))}&projection=umap")
    page.locator(".js-plotly-plot").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(2500)
    page.screenshot(path=ASSETS / "embeddings.png")
    page.goto(f"{address}/dynamic?run={quote(_demo_of('builtin-communities'))}")
    page.locator(".js-plotly-plot").first.wait_for(timeout=PATIENCE)
    page.get_by_role("slider").first.press("End")
    page.wait_for_timeout(4000)
    page.screenshot(path=ASSETS / "dynamic.png")


def _demo_of(dataset: str) -> str:
    """The demo run on a dataset, the last of several."""
    return [run.id for run in demo_runs() if run.id.startswith(dataset)][-1]


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no chromium on this machine")
    port = free_port()
    with tempfile.TemporaryDirectory() as runs, sync_playwright() as driver:
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
        server = subprocess.Popen(
            [*command, "--server.headless", "true"],
            env={**os.environ, "WORKBENCH_RUNS": runs},
            stdout=subprocess.DEVNULL,
        )
        try:
            browser = driver.chromium.launch(executable_path=chromium, args=SWITCHES)
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            for _ in range(60):
                try:
                    page.goto(f"http://localhost:{port}/_stcore/health")
                    break
                except Exception:  # not up yet
                    page.wait_for_timeout(500)
            shoot(page, f"http://localhost:{port}")
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
