"""A rebuildable SQLite index of the run folders: thousands of finished runs are listed without opening them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.status import Status, judge, parse_status, read_status
from workbench.runs.store import PRIVATE, run_folders

VERSION = 1
FINAL = ("done", "failed", "stopped")


class IndexedRun(Run):
    """A run whose spec, status and result were read from the index; everything else comes from its folder."""

    def __init__(self, path: Path, document: dict[str, Any], status: Status, result: dict[str, Any] | None) -> None:
        super().__init__(path)
        self.__dict__["document"] = document  # fills the cached property of Run
        self._status, self._result = status, result

    @property
    def status(self) -> Status:
        return judge(self._status)

    @property
    def result(self) -> dict[str, Any] | None:
        return self._result


def indexed_runs(root: Path) -> list[Run]:
    """Every readable run below ``root``, newest first; only folders that changed are opened."""
    folders = run_folders(root)
    if not folders:
        return []
    try:
        runs = _through_index(root, folders)
    except (sqlite3.Error, OSError):  # a read-only root or a damaged index: the folders are the truth
        runs = [run for folder in folders if (run := _read(folder)) is not None]
    return sorted(runs, key=lambda run: run.status.created, reverse=True)


def _through_index(root: Path, folders: list[Path]) -> list[Run]:
    (root / PRIVATE).mkdir(exist_ok=True)
    runs: list[Run] = []
    with closing(sqlite3.connect(root / PRIVATE / "index.sqlite", timeout=5)) as database, database:
        database.execute(
            f"CREATE TABLE IF NOT EXISTS runs_{VERSION} "
            "(id TEXT PRIMARY KEY, stamp INTEGER, spec TEXT, status TEXT, result TEXT)"
        )
        rows = {
            row[0]: row[1:] for row in database.execute(f"SELECT id, stamp, spec, status, result FROM runs_{VERSION}")
        }
        for folder in folders:
            stamp = _stamp(folder)
            known = rows.pop(folder.name, None)
            if known is not None and known[0] == stamp:
                spec, status, result = (json.loads(text) for text in known[1:])
                runs.append(IndexedRun(folder, spec, parse_status(status), result))
                continue
            run = _read(folder)
            if run is None:
                continue
            runs.append(run)
            status = read_status(folder)
            if status.state in FINAL:
                values = (folder.name, stamp, *(json.dumps(d) for d in (run.document, vars(status), run.result)))
                database.execute(f"INSERT OR REPLACE INTO runs_{VERSION} VALUES (?, ?, ?, ?, ?)", values)
        database.executemany(f"DELETE FROM runs_{VERSION} WHERE id = ?", [(name,) for name in rows])
    return runs


def _stamp(folder: Path) -> int:
    try:
        return (folder / "status.json").stat().st_mtime_ns
    except OSError:
        return 0


def _read(folder: Path) -> Run | None:
    run = Run(folder)
    try:
        _ = run.document
    except WorkbenchError:
        return None  # half deleted, or not ours
    return run
