"""Make the demo runs that come with the workbench: ``python docs/make_demo_runs.py``.

They are ordinary finished runs on built-in data, so that the app's first look needs neither a network nor a GPU. What
belongs to the machine they were made on is taken out. The story that the Gallery tells of each compares the student
with the same one trained without a teacher; where that takes another run, it is kept for one example, to compare with.

``python docs/make_demo_runs.py builtin-communities`` makes those of one dataset only.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import workbench as wb
from workbench.pages.gallery import STORY
from workbench.runs.files import write_arrays, write_json, write_text
from workbench.runs.status import parse_status, read_status

DEMOS = Path(__file__).resolve().parents[1] / "assets" / "runs"
KEPT = ("spec.yaml", "result.json", "metrics.jsonl", "arrays")


@dataclass(frozen=True)
class Demo:
    """A distillation on the synthetic citation graph, and what is told of it."""

    method: str
    student: dict[str, Any]
    subject: str
    teacher: dict[str, Any] = field(default_factory=lambda: {"name": "gat"})
    keep_every: int = 0  # epochs between two pictures of the film
    attention: bool = False  # whether the teacher's is kept: half of the bytes
    companion: bool = False  # whether the student alone is kept beside it; the Gallery does not show that one


DEMOS_OF_CITATION = (
    Demo(
        "kd",
        {"name": "gcn"},
        "A GCN four channels wide learns the soft labels of a GAT.",
        keep_every=50,
        attention=True,
        companion=True,
    ),
    Demo("glnn", {"name": "mlp"}, "An MLP, which sees no edge, learns the answers of a GAT on all nodes."),
    Demo(
        "abkd",
        {"name": "gcn", "num_layers": 3, "hidden_channels": 8},
        "Which layer should teach which? A GCN of three layers attends to every layer of a GCNII of eight.",
        teacher={"name": "gcnii", "num_layers": 8, "hidden_channels": 32},
        keep_every=50,
    ),
)


def make(demo: Demo, root: Path) -> Path:
    how: dict[str, Any] = {"training": {"keep_every": demo.keep_every}, "device": "cpu", "root": root}
    run = wb.distill("builtin-citation", demo.teacher, demo.student, demo.method, umap=True, **how)
    alone = wb.distill("builtin-citation", demo.teacher, demo.student, "none", **how)
    target = keep(run, story(demo.subject, run, alone))
    folders = [target, *([keep(alone, None)] if demo.companion else [])]
    for folder in folders if not demo.attention else folders[1:]:
        _leave_out_attention(folder / "arrays" / "teacher.npz")
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


def keep(run: wb.Run, story: str | None) -> Path:
    """Copy what a demo needs of a finished run; returns its folder. One without a story is not in the Gallery."""
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
    if story is not None:
        write_text(target / STORY, story + "\n")
    return target


def story(subject: str, run: wb.Run, alone: wb.Run) -> str:
    """What a run shows, from its figures and those of the same student without a teacher."""
    distilled, plain = (100 * float((r.result or {})["student"]["metrics"]["test"]["accuracy"]) for r in (run, alone))
    gain = distilled - plain
    verdict = f"{gain:.1f} points less" if gain >= 0.05 else "with this seed, the teacher did not help"
    return f"{subject} Without a teacher the same student reaches {plain:.1f} %: {verdict}."


def _leave_out_attention(path: Path) -> None:
    """Half of the bytes."""
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files if not name.startswith("attention")}
    write_arrays(path, **kept)


MAKERS: dict[str, list[Callable[[Path], Path]]] = {
    "builtin-citation": [partial(make, demo) for demo in DEMOS_OF_CITATION],
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
