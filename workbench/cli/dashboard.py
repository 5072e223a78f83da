"""``workbench app``: the dashboard as a Streamlit server on this machine."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from workbench.errors import RunError


def entry_file() -> Path:
    """The Streamlit entry: inside the package of a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for file in (package / "_app" / "app.py", package.parent / "app.py"):
        if file.is_file():
            return file
    raise RunError(f"the dashboard's app.py is not beside {package}: install the workbench again")


def server_command(port: int | None, browser: bool) -> list[str]:
    command = [sys.executable, "-m", "streamlit", "run", str(entry_file())]
    command += ["--server.address", "localhost", "--server.headless", "false" if browser else "true"]
    # On a fresh machine Streamlit would ask for an e-mail address before it serves anything.
    command += ["--browser.gatherUsageStats", "false", "--server.showEmailPrompt", "false"]
    return command + (["--server.port", str(port)] if port is not None else [])


def serve(port: int | None, browser: bool) -> int:
    """Run the server until it ends or is interrupted; returns its exit code."""
    server = subprocess.Popen(server_command(port, browser))
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())  # no orphan on the port when we are ended
    try:
        return server.wait()
    except KeyboardInterrupt:  # the terminal told the server too; give it time to close
        server.terminate()
        server.wait()
        return 0
