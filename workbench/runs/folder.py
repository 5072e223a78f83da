"""A run and its folder, the truth about it. Reading one needs no torch."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from workbench.errors import RunError
from workbench.runs.files import read_json, write_arrays
from workbench.runs.status import Status, read_status
from workbench.runs.stored_values import is_record, is_spec

if TYPE_CHECKING:
    from workbench.spec import Spec

ARRAYS = "arrays"


class Run:
    """One execution of a spec. Everything is read from the folder when it is asked for.

    Raises RunError, with what to do, where a file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Run({self.id!r}, {self.status.state})"

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def document(self) -> dict[str, Any]:
        """``spec.yaml`` as plain data, of the right form: see :func:`workbench.runs.stored_values.is_spec`."""
        text = self._read("spec.yaml")
        try:
            document: dict[str, Any] = _SafeLoader(text).get_single_data()
        except Exception as error:  # of a value that its tag does not fit, Python's own ones
            raise RunError(f"{self.path / 'spec.yaml'} is not readable YAML: {error}") from None
        if not is_spec(document):
            raise RunError(f"{self.path / 'spec.yaml'} does not hold a spec: delete the folder and run again")
        return document

    @cached_property
    def spec(self) -> Spec:
        """The validated spec (imports torch)."""
        from workbench.spec import Spec

        live = [part for part in ("dataset", "teacher", "student") if self.document[part]["name"] == "live"]
        if live:
            raise RunError(f"run {self.id} was made from live Python objects ({', '.join(live)}): its spec is a record")
        return Spec.from_yaml(self._read("spec.yaml"), str(self.path / "spec.yaml"))

    @property
    def status(self) -> Status:
        """``status.json``, held against the other files: a finished run whose result is gone is ``lost``."""
        return self._checked(read_status(self.path))

    def _checked(self, status: Status) -> Status:
        try:
            _ = self.document
        except RunError as error:
            return replace(status, state="lost", message=str(error), eta_seconds=None)
        if status.state == "done" and self.result is None:
            message = "its result.json cannot be read; launch its spec again to make it anew"
            return replace(status, state="lost", message=message)
        return status

    @property
    def result(self) -> dict[str, Any] | None:
        """``result.json`` of a finished run, else None."""
        try:
            document = read_json(self._file("result.json"))
        except OSError:
            return None
        return document if isinstance(document, dict) else None

    @cached_property
    def title(self) -> str:
        """For people: dataset · teacher → student · method · seed (the id where the spec cannot be read)."""
        try:
            d = self.document
        except RunError:
            return self.id
        own = d["dataset"].get("path")  # a person's own file goes by its name
        dataset = Path(str(own)).name if own else d["dataset"]["name"]
        method = "+".join(part["name"] for part in d["method"])
        control = d.get("teacher_control", "none")
        teacher = d["teacher"]["name"] if control == "none" else f"{control} {d['teacher']['name']}"
        return f"{dataset} · {teacher} → {d['student']['name']} · {method} · seed {d.get('seed', 0)}"

    @property
    def seed(self) -> int | None:
        """The seed, or None where the spec cannot be read."""
        try:
            return int(self.document.get("seed", 0))
        except RunError:
            return None

    def metrics(self, stage: str | None = None) -> list[dict[str, Any]]:
        """One record per epoch, of one stage (``teacher`` or ``student``) or of both; damaged lines are left out."""
        records = []
        try:
            lines = self._file("metrics.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue  # the last line of a run that is being written, or was cut off
            if is_record(record) and (stage is None or record.get("stage") == stage):
                records.append(record)
        return records

    def arrays(self, name: str, *only: str) -> dict[str, np.ndarray]:
        """The arrays of ``arrays/<name>.npz``: those named by ``only`` that there are, or all of them."""
        if name not in self.array_names():
            known = ", ".join(self.array_names()) or "none yet"
            raise RunError(f"run {self.id} has no arrays {name!r}: it has {known}")
        try:
            with np.load(self._file(ARRAYS, f"{name}.npz"), allow_pickle=False) as file:
                return {key: file[key] for key in file.files if not only or key in only}
        except Exception as error:  # zipfile, zlib and numpy each raise their own for a damaged file
            raise RunError(f"{self.path / ARRAYS / name}.npz is damaged ({error}): run the spec again") from None

    def array_names(self) -> list[str]:
        try:
            return sorted(file.stem for file in self._file(ARRAYS).glob("[!.]*.npz"))
        except OSError:
            return []

    def store_arrays(self, name: str, **arrays: np.ndarray) -> None:
        """Write ``arrays/<name>.npz`` in one step; RunError where the folder is gone or cannot be written."""
        try:
            if self.path.is_dir():
                (self.path / ARRAYS).mkdir(exist_ok=True)
            write_arrays(self.path / ARRAYS / f"{name}.npz", **arrays)
        except OSError as error:
            raise RunError(f"cannot write {name} below {self.path}: {error.strerror or error}") from None

    def log(self) -> str:
        """What the worker printed."""
        try:
            return self._file("log.txt").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _file(self, *parts: str) -> Path:
        """The path of a file; PermissionError where it is, or lies behind, a link that leads out of the folder."""
        path = self.path.joinpath(*parts)
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise PermissionError(errno.EACCES, "a link that leads out of the run folder", str(path))
        return path

    def _read(self, name: str) -> str:
        try:
            return self._file(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"run {self.id}: {name} cannot be read ({error}); the folder may be gone") from None


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster
