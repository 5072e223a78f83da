"""A rebuildable SQLite index of the run folders: thousands of finished runs are listed without opening them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from workbench.runs.folder import Run
from workbench.runs.status import Status, judge, parse_status
from workbench.runs.store import PRIVATE, run_folders
from workbench.runs.stored_values import is_spec

VERSION = 2
FINAL = ("done", "failed", "stopped")


class IndexedRun(Run):
    """A run whose spec, status and result were read from the index; everything else comes from its folder."""

    def __init__(self, path: Path, document: dict[str, Any], status: Status, result: dict[str, Any] | None) -> None:
        super().__init__(path)
        self.__dict__["document"] = document  # fills the cached property of Run
        self._status, self._result = status, result

    @property
    def status(self) -> Status:
        return self._checked(judge(self._status))

    @property
    def result(self) -> dict[str, Any] | None:
        return self._result


def indexed_runs(root: Path) -> list[Run]:
    """Every run below ``root``, newest first, damaged ones too (they are ``lost``); only changed folders are opened."""
    folders = run_folders(root)
    if not folders:
        return []
    try:
        runs = _through_index(root, folders)
    except (sqlite3.Error, OSError):  # a read-only root or a damaged index: the folders are the truth
        runs = [Run(folder) for folder in folders]
    return sorted(runs, key=lambda run: run.status.created, reverse=True)


def _through_index(root: Path, folders: list[Path]) -> list[Run]:
    (root / PRIVATE).mkdir(exist_ok=True)
    runs: list[Run] = []
    with closing(sqlite3.connect(root / PRIVATE / "index.sqlite", timeout=5)) as database, database:
        database.execute(
            f"CREATE TABLE IF NOT EXISTS runs_{VERSION} "
            "(id TEXT PRIMARY KEY, stamp TEXT, spec TEXT, status TEXT, result TEXT)"
        )
        select = f"SELECT id, stamp, spec, status, result FROM runs_{VERSION}"
        rows = {row[0]: row[1:] for row in database.execute(select)}
        for folder in folders:
            stamp = _stamp(folder)
            known = rows.pop(folder.name, None)
            run = _from_row(folder, known[1:]) if known is not None and known[0] == stamp else None
            if run is None:
                run = Run(folder)
                status = run.status
                if status.state in FINAL:
                    values = (folder.name, stamp, *(json.dumps(d) for d in (run.document, vars(status), run.result)))
                    database.execute(f"INSERT OR REPLACE INTO runs_{VERSION} VALUES (?, ?, ?, ?, ?)", values)
            runs.append(run)
        database.executemany(f"DELETE FROM runs_{VERSION} WHERE id = ?", [(name,) for name in rows])
    return runs


def _from_row(folder: Path, row: tuple[str, ...]) -> Run | None:
    """The run that a row describes, or None for a row that cannot be read."""
    try:
        spec, status, result = (json.loads(text) for text in row)
        if not is_spec(spec) or not isinstance(result, dict | None):  # another version may have checked less
            return None
        return IndexedRun(folder, spec, parse_status(status), result)
    except (ValueError, TypeError):
        return None


def _stamp(folder: Path) -> str:
    """Time and size of every file that a row was made of."""
    return " ".join(_state(folder / name) for name in ("status.json", "spec.yaml", "result.json"))


def _state(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}:{found.st_size}"
