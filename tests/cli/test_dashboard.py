"""``workbench app`` starts the server on this machine only, and takes it down again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from workbench.cli.dashboard import entry_file, free_port, has_display, server_command


def test_the_server_listens_on_this_machine_only_and_asks_nothing():
    command = server_command(8123)
    assert command[command.index("--server.address") + 1] == "localhost"
    assert command[command.index("--server.port") + 1] == "8123"
    assert command[command.index("--server.headless") + 1] == "true"


def test_a_port_that_is_taken_is_left_alone():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_without_a_screen_no_browser_is_opened(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    assert not has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_display()


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
