"""Make the demo runs that come with the workbench: ``python docs/make_demo_runs.py``.

They are ordinary finished runs on built-in data, so that the app's first look needs neither a network nor a GPU. What
belongs to the machine they were made on is taken out. The story that the Gallery tells of each compares the student
with the same one trained without a teacher; where that takes another run, that one is not kept.

``python docs/make_demo_runs.py builtin-communities`` makes those of one dataset only.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import workbench as wb
from workbench.pages.gallery import STORY
from workbench.runs.files import write_arrays, write_json, write_text
from workbench.runs.status import parse_status, read_status

DEMOS = Path(__file__).resolve().parents[1] / "assets" / "runs"
KEPT = ("spec.yaml", "result.json", "metrics.jsonl", "arrays")
SUBJECTS = {
    "kd": "A GCN four channels wide learns the soft labels of a GAT.",
    "glnn": "An MLP, which sees no edge, learns the answers of a GAT on all nodes.",
}
CHOICES = (("gcn", "kd", 50), ("mlp", "glnn", 0))  # student, method, epochs between two pictures of the film


def make(student: str, method: str, keep_every: int, root: Path) -> Path:
    run = wb.distill(
        "builtin-citation",
        "gat",
        student,
        method,
        training={"keep_every": keep_every},
        device="cpu",
        umap=True,
        root=root,
    )
    # One epoch: a student without a teacher does not depend on it.
    alone = wb.distill(
        "builtin-citation", "gat", student, "none", teacher_training={"epochs": 1}, device="cpu", root=root
    )
    target = keep(run, story(method, run, alone))
    _leave_out_attention(target / "arrays" / "teacher.npz")
    return target


def make_communities(root: Path) -> Path:
    """Snapshots: the student without a teacher learns beside the other one."""
    run = wb.distill("builtin-communities", device="cpu", root=root)
    result = run.result or {}
    distilled, plain = (100 * float(result[who]["metrics"]["test"]["auc"]) for who in ("student", "plain"))
    gain = distilled - plain
    verdict = f"{abs(gain):.1f} points {'less' if gain > 0 else 'more'}"
    return keep(
        run,
        "Communities are born, merge, split and die. A small network follows them from snapshot to snapshot and "
        f"predicts the next new links. Without a teacher it reaches an AUC of {plain:.1f} %: {verdict}.",
    )


def keep(run: wb.Run, story: str) -> Path:
    """Copy what a demo needs of a finished run; returns its folder."""
    target = DEMOS / run.id
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in KEPT:
        source = run.path / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target / name)
    status = replace(read_status(run.path), pid=0, process_started=0.0, host="", in_process=False)
    write_json(target / "status.json", vars(parse_status(vars(status))))
    result = dict(run.result or {})
    result["versions"] = {key: value for key, value in result["versions"].items() if key != "platform"}
    write_json(target / "result.json", result)
    write_text(target / "log.txt", "")
    write_text(target / STORY, story + "\n")
    return target


def story(method: str, run: wb.Run, alone: wb.Run) -> str:
    """What a run shows, from its figures and those of the same student without a teacher."""
    distilled, plain = (100 * float((r.result or {})["student"]["metrics"]["test"]["accuracy"]) for r in (run, alone))
    gain = distilled - plain
    verdict = f"{gain:.1f} points less" if gain >= 0.05 else "with this seed, the teacher did not help"
    return f"{SUBJECTS[method]} Without a teacher the same student reaches {plain:.1f} %: {verdict}."


def _leave_out_attention(path: Path) -> None:
    """Half of the bytes, and no page draws it yet."""
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files if not name.startswith("attention")}
    write_arrays(path, **kept)


MAKERS: dict[str, list[Callable[[Path], Path]]] = {
    "builtin-citation": [partial(make, *choice) for choice in CHOICES],
    "builtin-communities": [make_communities],
}


def main() -> None:
    wanted = sys.argv[1:] or list(MAKERS)
    with tempfile.TemporaryDirectory() as root:
        for maker in (maker for dataset in wanted for maker in MAKERS[dataset]):
            folder = maker(Path(root))
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            print(f"{folder.name}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
