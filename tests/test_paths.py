from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.paths import expanded


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/runs") == tmp_path / "runs"
    assert expanded(Path("~")) == tmp_path


def test_other_paths_stay_as_they_are() -> None:
    assert expanded("runs/~x") == Path("runs/~x")


def test_a_home_that_is_not_there_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="~nobody-of-this-name/x cannot be found: ~nobody-of-this-name has no home"):
        expanded("~nobody-of-this-name/x")
