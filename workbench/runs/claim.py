"""A spec's folder: made once, by whoever comes first."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.runs.folder import Run
from workbench.runs.status import Status, write_status
from workbench.runs.store import RUNS_ROOT, private_folder

if TYPE_CHECKING:
    from workbench.spec import Spec

READABLE = 120  # characters of a folder's name, before what makes it unique; file systems allow 255 in all


def run_id(spec: Spec) -> str:
    """Readable (and cut where that part is too long for a folder), and unique by the spec's hash and kind of device."""
    own = getattr(spec.dataset, "path", None)  # a person's own file goes by its name
    dataset = Path(own).stem if own else spec.dataset.name
    kind = spec.device.split(":")[0]
    control = [] if spec.teacher_control == "none" else [spec.teacher_control]
    parts = [dataset, spec.objective.name, *control, spec.teacher.name, spec.student.name, f"s{spec.seed}"]
    readable = "-".join(parts)
    unique = spec.id if kind == "cpu" else f"{spec.id}-{kind}"
    return "-".join(_plain(part) for part in (readable[:READABLE], unique)).lstrip(".")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9+_.-]+", "_", text)


def claim(spec: Spec, root: Path, status: Status, fresh: bool = False) -> tuple[Run, bool]:
    """The run folder of ``spec``, and whether this call made it.

    Of several calls at once exactly one makes it: the folder appears in one step, complete with its
    spec and status. ``fresh`` makes another one beside a folder that is there already.
    Raises UsageError where the root cannot be written.
    """
    name = run_id(spec)
    if os.path.isdir(root / name) and not fresh:
        return Run(root / name), False
    temporary = private_folder(root) / f"new-{name}-{os.getpid()}-{time.time_ns()}"
    try:
        temporary.mkdir()
        (temporary / "spec.yaml").write_text(spec.to_yaml(), encoding="utf-8")
        write_status(temporary, status)
        for number in range(1, 10_000):
            target = root / (name if number == 1 else f"{name}-r{number}")
            try:
                os.rename(temporary, target)
                return Run(target), True
            except OSError:
                if not target.exists():
                    raise
                if not fresh:
                    return Run(target), False
    except OSError as error:
        message = f"cannot write below {root} ({error.strerror}): set {RUNS_ROOT} to a writable folder"
        raise UsageError(message) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    raise UsageError(f"there are already 10,000 runs of {name}: delete some")
