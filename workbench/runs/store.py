"""The folder of all runs: where it is, what is in it, and how one run is found by name."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.errors import UsageError, did_you_mean
from workbench.paths import expanded
from workbench.runs.folder import Run

RUNS_ROOT = "WORKBENCH_RUNS"
PRIVATE = ".workbench"  # below the root: teacher cache, queue, index
TRIALS = "trials"  # below the private folder: runs of searches, which are on no list


def runs_root() -> Path:
    """``WORKBENCH_RUNS``, or ``runs/`` in the current folder. Nothing is created here."""
    given = os.environ.get(RUNS_ROOT)
    return expanded(given).absolute() if given else Path.cwd() / "runs"


def list_runs(root: str | os.PathLike[str] | None = None) -> list[Run]:
    """Every run below the root, newest first."""
    from workbench.runs.index import indexed_runs

    return indexed_runs(Path(root or runs_root()))


def find_run(name: str, root: str | os.PathLike[str] | None = None) -> Run:
    """The run of this id, or the only one whose id starts with or contains ``name``.

    Demo runs are found too. Raises UsageError when none or several fit; a name is never taken as a path.
    """
    own, demos = run_folders(Path(root or runs_root())), [run.path for run in demo_runs()]
    for folders in (own, demos):  # a demo is never in the way of one's own runs
        for fits in (str.__eq__, str.startswith, str.__contains__):
            found = [folder for folder in folders if name and fits(folder.name, name)]
            if len(found) == 1:
                return Run(found[0])
        if found:
            shown = ", ".join(folder.name for folder in found[:5])
            more = ", …" if len(found) > 5 else ""
            raise UsageError(f"{len(found)} runs fit {name!r} ({shown}{more}): say more of the name")
    near = did_you_mean(name, [folder.name for folder in [*own, *demos]])
    raise UsageError(f"no run {name!r}: {near}see `workbench runs`")


def run_folders(root: Path) -> list[Path]:
    """Folders below ``root`` that are runs, whole or damaged."""
    try:
        with os.scandir(root) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    marks = ("spec.yaml", "status.json")
    return [root / name for name in sorted(names) if any((root / name / mark).is_file() for mark in marks)]


def demo_runs() -> list[Run]:
    """The finished runs that come with the workbench, so that the first look shows something."""
    here = Path(__file__).resolve().parents[1]
    for folder in (here.parent / "assets" / "runs", here / "_app" / "assets" / "runs"):
        if folder.is_dir():
            return [Run(path) for path in run_folders(folder)]
    return []


def private_folder(root: Path, *parts: str) -> Path:
    """A folder of the workbench's own below the runs root, made when missing; the runs of searches share that of it."""
    if root.name == TRIALS and root.parent.name == PRIVATE:
        root = root.parent.parent
    folder = root.joinpath(PRIVATE, *parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write below {root} ({error.strerror}): set {RUNS_ROOT} to a writable folder"
        ) from None
    return folder
