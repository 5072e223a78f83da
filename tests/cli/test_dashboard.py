"""``workbench app`` starts the server on this machine only, and takes it down again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from workbench.cli.dashboard import entry_file, server_command


def test_the_server_listens_on_this_machine_only():
    command = server_command(8123, browser=False)
    assert command[command.index("--server.address") + 1] == "localhost"
    assert command[command.index("--server.port") + 1] == "8123"
    assert command[command.index("--server.headless") + 1] == "true"
    assert command[command.index("--server.showEmailPrompt") + 1] == "false", "a fresh machine asks nothing"
    assert "--server.port" not in server_command(None, browser=True)


def test_the_entry_is_a_file_that_streamlit_can_run():
    assert entry_file().name == "app.py"
    compile(entry_file().read_text(), str(entry_file()), "exec")


def test_the_server_answers_and_ends_with_the_command(tmp_path):
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "workbench", "app", "--no-browser", "--port", str(port)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert _answers(port, seconds=60), "the server did not come up"
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
    assert not _answers(port, seconds=0)


def _answers(port, seconds):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.2)
