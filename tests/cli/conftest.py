"""The command line in this process, in an empty folder with roots of its own."""

import json
import re

import pytest
from typer.testing import CliRunner

from workbench.cli import app


class CommandLine:
    """Runs commands and keeps what they wrote; ``folder`` holds everything they could have written."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    def json(self, *arguments):
        """The document of a command that succeeds; stdout holds nothing else."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def refuses(self, *arguments):
        """The message of a command that is used wrongly: exit code 2, no traceback, nothing on disk."""
        result = self(*arguments)
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.stdout == ""
        assert list(self.folder.rglob("*")) == []
        return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


@pytest.fixture
def command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("WORKBENCH_PLUGINS", raising=False)
    return CommandLine(tmp_path)
