"""``workbench app``: the dashboard as a Streamlit server on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from pathlib import Path

from workbench.errors import RunError


def entry_file() -> Path:
    """The Streamlit entry: inside the package of a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for file in (package / "_app" / "app.py", package.parent / "app.py"):
        if file.is_file():
            return file
    raise RunError(f"the dashboard's app.py is not beside {package}: install the workbench again")


def server_command(port: int) -> list[str]:
    """Headless, whoever looks: otherwise Streamlit asks a fresh machine for an e-mail address before it serves."""
    command = [sys.executable, "-m", "streamlit", "run", str(entry_file())]
    command += ["--server.address", "localhost", "--server.port", str(port), "--server.headless", "true"]
    return [*command, "--browser.gatherUsageStats", "false"]


def serve(port: int | None, browser: bool) -> int:
    """Run the server until it ends or is interrupted; returns its exit code."""
    port = port or free_port()
    server = subprocess.Popen(server_command(port))
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())  # no orphan on the port when we are ended
    if browser and has_display():
        threading.Thread(target=open_when_ready, args=(f"http://localhost:{port}", server), daemon=True).start()
    try:
        return server.wait()
    except KeyboardInterrupt:  # the terminal told the server too; give it time to close
        server.terminate()
        server.wait()
        return 0


def free_port(first: int = 8501) -> int:
    """The first port from Streamlit's usual one on that nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) != 0:
                return port
    raise RunError(f"no free port from {first} to {first + 99}: give one with --port")


def has_display() -> bool:
    """Whether a browser can show itself; without a screen, a text browser would take over the terminal."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_when_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    """Open the browser as soon as the server answers."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                webbrowser.open(address)
                return
        except OSError:
            time.sleep(0.2)
