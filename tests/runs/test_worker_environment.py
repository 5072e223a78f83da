"""What a worker's process finds in its environment."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from workbench.runs.folder import Run
from workbench.runs.launch import start_worker


def environment_of_a_worker(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, str]:
    seen: dict[str, str] = {}

    class Process:
        def __init__(self, command: list[str], **options: Any) -> None:
            seen.update(options["env"])

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(subprocess, "Popen", Process)
    start_worker(Run(folder))
    return seen


def test_a_worker_takes_its_large_buffers_in_huge_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    found = environment_of_a_worker(monkeypatch, tmp_path)
    assert found["THP_MEM_ALLOC_ENABLE"] == "1"
    assert found["OMP_WAIT_POLICY"] == "PASSIVE"
    assert found["SOMETHING_ELSE"] == "kept"


def test_a_persons_own_setting_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    assert environment_of_a_worker(monkeypatch, tmp_path)["THP_MEM_ALLOC_ENABLE"] == "0"
