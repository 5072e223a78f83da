"""A download is seen on stderr, by whoever asked for it; stdout belongs to the results."""

import io
import json

import pytest

from workbench.datasets.builtin_karate import BuiltinKarateConfig
from workbench.runs.download_bar import DownloadBar

SMALL = ("distill", "builtin-karate", "--teacher", "gcn", "--device", "cpu", "--training.epochs", "5", "--detach")
TENTHS = [f"fetching the club: {percent} %" for percent in range(0, 101, 10)]


@pytest.fixture
def downloads(monkeypatch):
    """The karate club as if it came from the network in a hundred pieces; counts the downloads. Nothing is trained."""
    original = BuiltinKarateConfig.load
    told = []

    def load(self, root, progress=None):
        for piece in range(101):
            if progress is not None:
                progress("fetching the club", piece / 100)
        told.append(progress)
        return original(self, root)

    monkeypatch.setattr(BuiltinKarateConfig, "load", load)
    monkeypatch.setattr("workbench.runs.launch.start_worker", lambda *_: None)
    return told


def lines_of_the_download(text):
    return [line for line in text.splitlines() if line.startswith("fetching")]


def test_a_launch_shows_its_download_and_keeps_stdout_clean(command_line, downloads):
    result = command_line(*SMALL, "--json")
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)["runs"]) == 1
    assert lines_of_the_download(result.stderr) == TENTHS


def test_a_budget_shows_its_download_too(command_line, downloads):
    result = command_line(*SMALL, "--budget-parameters", "200", "--json")
    assert json.loads(result.stdout)["runs"]
    assert lines_of_the_download(result.stderr) == TENTHS * len(downloads)
    assert None not in downloads


def test_a_rerun_shows_its_download_too(command_line, downloads, make_run_folder, monkeypatch):
    monkeypatch.setattr("workbench.cli.rerun.follow", lambda runs: None)
    make_run_folder("karate-done")
    result = command_line("rerun", "karate-done", "--json")
    assert "could not be run again" in result.stderr  # for want of a worker
    assert result.stdout == ""
    assert lines_of_the_download(result.stderr) == TENTHS


def test_what_is_on_disk_is_read_in_silence(capsys):
    with DownloadBar():
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("files", [3, 8, 10])
def test_a_pipe_gets_every_tenth_once(capsys, files):
    with DownloadBar() as progress:
        for done in range(files):
            progress(f"file {done}", done / files)
            progress(f"file {done}", (done + 1) / files)
        progress("downloaded", 1.0)
    lines = capsys.readouterr().err.splitlines()
    shares = [line.split(": ")[1] for line in lines]
    assert shares == sorted(set(shares), key=shares.index)
    assert (shares[0], shares[-1]) == ("0 %", "100 %")
    assert len(shares) <= 11


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with DownloadBar() as progress:
        progress("downloading [x]", 0.5)
        progress("downloaded [x]", 1.0)
    shown = terminal.getvalue()
    assert "downloaded [x]" in shown  # no markup
    assert "━" in shown
    assert "100%" in shown
    assert capsys.readouterr().out == ""


def test_a_bar_ends_with_the_download_that_failed(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    def interrupted():
        with DownloadBar() as progress:
            progress("downloading", 0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_the_bar_is_what_the_download_of_a_planetoid_graph_tells(command_line, planetoid_root, monkeypatch):
    """From the published files of Cora, as if the network had them, through to the lines on stderr."""
    source = planetoid_root / "Planetoid" / "Cora" / "raw"

    class Answer(io.BytesIO):
        def __init__(self, content):
            super().__init__(content)
            self.headers = {"Content-Length": str(len(content))}

    monkeypatch.setattr(
        "urllib.request.urlopen", lambda address, timeout: Answer((source / address.rsplit("/", 1)[1]).read_bytes())
    )
    monkeypatch.setattr("workbench.runs.launch.start_worker", lambda *_: None)
    monkeypatch.setenv("WORKBENCH_DATA", str(command_line.folder / "elsewhere"))
    result = command_line("distill", "cora", "--teacher", "gcn", "--device", "cpu", "--detach", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["runs"][0]["id"].startswith("cora-")
    lines = [line for line in result.stderr.splitlines() if line.endswith(" %")]
    assert lines[0] == "downloading ind.cora.x: 0 %"
    assert lines[-1].endswith(": 100 %")
    assert len(lines) == len(set(lines)) <= 11
