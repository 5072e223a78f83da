"""Folders of finished runs with chosen specs and scores, and no arrays: for whatever compares many runs."""

import json
from pathlib import Path

import yaml
from run_folders import SPEC, result, write_status_file


def write_scored(
    root: Path,
    name: str,
    student: float | None,
    *,
    method: str | list = "kd",
    seed: int = 0,
    teacher: float | None = 0.9,
    spec: dict | None = None,
    facts: dict | None = None,
    fingerprint: str | None = "the-graph",
    metric: str = "accuracy",
    state: str = "done",
) -> Path:
    """A run of ``method`` with these test scores; ``spec`` and the student's ``facts`` replace what is usual."""
    folder = root / name
    folder.mkdir()
    methods = [{"name": method}] if isinstance(method, str) else method
    (folder / "spec.yaml").write_text(yaml.safe_dump({**SPEC, "method": methods, "seed": seed, **(spec or {})}))
    write_status_file(folder, state)
    document = result(30)
    document["dataset"] |= {"fingerprint": fingerprint}
    for role, score in (("teacher", teacher), ("student", student)):
        document[role]["metrics"] = {"test": {metric: score}}
    document["student"] |= facts or {}
    if state == "done":
        (folder / "result.json").write_text(json.dumps(document))
    return folder
