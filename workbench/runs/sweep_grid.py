"""``sweep.yaml``: many runs in one file, as datasets × teachers × students × methods × seeds.

A complete example::

    format: 1
    name: citation                          # how it is called (default: the name of the file)
    datasets: [cora, citeseer]
    teachers:
      - gat
      - {name: gcnii, num_layers: 64}       # options as in a spec
    students: gcn                           # a single one may stand alone
    methods: [none, kd, kd+gcrd, {name: lsp, kernel: poly}]
    seeds: 0-9                              # or a list: [0, 1, 2]
    teacher_training: {epochs: 300}         # common to all runs, as are training, online, preset,
    training: {epochs: 200}                 # device, umap and teacher_control
    device: cpu
    skip_unsuitable: false                  # true leaves out combinations that are made for different tasks
    runs:                                   # more runs, each a small grid of its own
      - {student: mlp, method: glnn}        # on both datasets, with both teachers and every seed
      - {dataset: pubmed, teacher: gat, method: kd, seeds: [0, 1], training: {epochs: 500}}

Every key of a spec may stand in singular (one value, as in a spec: ``method: [kd, gcrd]`` is a sum) or, with the five
axes, in plural (several values, one run each). An entry of ``runs`` takes what it does not say from the common part,
and its ``training`` is the common one with what it says itself. What nobody says is usual for the dataset, as in a
spec. Where there are ``runs``, the common part makes runs of its own only if it names a method: so a file may also be
a table of explicit rows with a common part.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from workbench.errors import UsageError, did_you_mean
from workbench.options import explain
from workbench.parts import parse_dataset, parse_method, with_model_preset
from workbench.spec import FORMAT, Spec

LARGEST = 100_000  # runs of one file
LAST_SEED = 2**31 - 1
AXES = ("dataset", "teacher", "seed", "student", "method")  # from the slowest to the fastest
SETTINGS = ("teacher_training", "training", "online", "preset", "device", "umap", "teacher_control")
MERGED = ("teacher_training", "training", "online")  # mappings of which an entry may change a part
OF_THE_FILE = ("format", "name", "skip_unsuitable", "runs")

PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "dataset": parse_dataset,
    "teacher": partial(with_model_preset, "teacher"),
    "student": partial(with_model_preset, "student"),
    "method": parse_method,
}


@dataclass(frozen=True)
class SweepFile:
    """The runs of a file, each once; those that share a teacher stand together."""

    name: str
    specs: tuple[Spec, ...]


@dataclass(frozen=True)
class _Value:
    """One value of an axis, and where it stands in the file."""

    raw: Any
    place: str
    parsed: Any = None

    @property
    def label(self) -> str:
        names = [part.name for part in self.parsed] if isinstance(self.parsed, Sequence) else [self.parsed.name]
        return "+".join(names)


@dataclass
class _Level:
    """The common part, or one entry of ``runs``."""

    place: str
    axes: dict[str, list[_Value]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def over(self, common: _Level) -> _Level:
        """This level, with what the common part says where it says nothing."""
        settings = {**common.settings, **self.settings}
        for key in MERGED:
            both = [level.settings[key] for level in (common, self) if level.settings.get(key) is not None]
            if both:
                settings[key] = {name: value for part in both for name, value in part.items()}
        return _Level(self.place, {**common.axes, **self.axes}, settings)


def read_sweep(path: Path) -> SweepFile:
    """The runs of a sweep file. Raises UsageError, which names the place in the file, for anything that is wrong."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not readable YAML: {error}") from None
    return sweep_of(document, path.name, path.stem)


def sweep_of(document: Any, where: str = "sweep", name: str = "sweep") -> SweepFile:
    """Likewise, of a document that was read; ``where`` stands before every fault."""
    try:
        return _sweep_of(document, name)
    except UsageError as error:
        raise UsageError("\n".join(f"{where}: {line}" for line in str(error).splitlines())) from None


def _sweep_of(document: Any, name: str) -> SweepFile:
    if not isinstance(document, dict):
        raise UsageError("expected a mapping with datasets, teachers, students, methods and seeds")
    if document.get("format", FORMAT) != FORMAT:
        raise UsageError(f"written by another version of the workbench (format is not {FORMAT})")
    name, skip, entries = document.get("name", name), document.get("skip_unsuitable", False), document.get("runs")
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"name: expected a text (got {name!r})")
    if not isinstance(skip, bool):
        raise UsageError(f"skip_unsuitable: expected true or false (got {skip!r})")
    if "runs" in document and (not isinstance(entries, list) or not entries):
        raise UsageError("runs: expected a list of mappings, each a part of a spec")
    common = _level(document, "", OF_THE_FILE)
    levels = [common] if entries is None or "method" in common.axes else []
    levels += [_level(entry, f"runs[{n}]").over(common) for n, entry in enumerate(entries or ())]
    found: dict[tuple[str, str, bool], Spec] = {}
    for level in levels:
        for spec in _specs(level, skip):
            found.setdefault((spec.id, spec.device, spec.umap), spec)
            if len(found) > LARGEST:
                raise UsageError(f"these are more than {LARGEST:,} runs: split the file")
    if not found:
        raise UsageError("no run is left: every combination is made for different tasks")
    return SweepFile(name.strip(), tuple(_by_teacher(found.values())))


def _by_teacher(specs: Any) -> Iterator[Spec]:
    """In order, but the runs of a teacher directly after the first that needs it."""
    groups: dict[tuple[str, str], list[Spec]] = {}
    for spec in specs:
        groups.setdefault((spec.teacher_id, spec.device), []).append(spec)
    return itertools.chain.from_iterable(groups.values())


def _level(document: Any, place: str, more: tuple[str, ...] = ()) -> _Level:
    if not isinstance(document, dict):
        raise UsageError(f"{place}: expected a mapping, a part of a spec (got {document!r})")
    known = [*more, *SETTINGS, *(key for axis in AXES for key in (axis, f"{axis}s"))]
    for key in document:
        if key not in known:
            raise UsageError(
                f"{_at(place, key)}: unknown key: {did_you_mean(str(key), known)}keys are {', '.join(known)}"
            )
    level = _Level(place)
    for axis in AXES:
        if axis in document and f"{axis}s" in document:
            raise UsageError(f"{_at(place, axis)}: stands beside {axis}s: give one of the two")
        for key in (axis, f"{axis}s"):
            if key in document:
                level.axes[axis] = list(_values(axis, key, document[key], _at(place, key)))
    for key in SETTINGS:
        if key in document:
            level.settings[key] = document[key]
            if key in MERGED and not isinstance(document[key], dict):
                raise UsageError(f"{_at(place, key)}: expected a mapping of options (got {document[key]!r})")
    return level


def _at(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _values(axis: str, key: str, given: Any, place: str) -> Iterator[_Value]:
    several = given if key != axis and isinstance(given, list) else [given]
    if given is None or not several:
        raise UsageError(f"{place}: is empty: give at least one {axis}, or leave the key out")
    for number, value in enumerate(several):
        at = f"{place}[{number}]" if several is given else place
        if axis == "seed":
            yield from (_Value(seed, at) for seed in _seeds(value, at))
            continue
        try:
            yield _Value(value, at, PARSERS[axis](value))
        except ValidationError as error:
            raise UsageError("\n".join(f"{at}: {line}" for line in explain(error, "").splitlines())) from None
        except ValueError as error:  # a UsageError is one too
            raise UsageError(f"{at}: {error}") from None


def _seeds(value: Any, place: str) -> list[int]:
    """``3``, or ``"0-4,7"``."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_SEED:
        return [value]
    found: list[int] = []
    for part in str(value).split(","):
        match = re.fullmatch(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= LAST_SEED or last - first >= LARGEST:
            raise UsageError(f"{place}: seeds are whole numbers below 2³¹, in ranges such as 0-4,7 (got {value!r})")
        found += range(first, last + 1)
    return found


def _specs(level: _Level, skip: bool) -> Iterator[Spec]:
    if "dataset" not in level.axes:
        raise UsageError(f"{_at(level.place, 'datasets')}: is missing: `workbench datasets` lists them")
    axes: list[Sequence[_Value | None]] = [level.axes.get(axis) or [None] for axis in AXES]
    if "seed" not in level.axes:
        axes[AXES.index("seed")] = [_Value(0, "")]
    for combination in itertools.product(*axes):
        chosen = {axis: value for axis, value in zip(AXES, combination, strict=True) if value is not None}
        misfit = _misfit(chosen)
        if misfit and skip:
            continue
        document = {**level.settings, **{axis: value.raw for axis, value in chosen.items()}}
        place = " × ".join(value.label for axis, value in chosen.items() if axis != "seed")
        place = f"{level.place}, {place}" if level.place else place
        try:
            yield Spec.model_validate(document)
        except ValidationError as error:
            advice = ["skip_unsuitable: true leaves such combinations out"] if misfit else []
            lines = [*explain(error, "").splitlines(), *advice]
            raise UsageError("\n".join(f"{place}: {line}" for line in lines)) from None
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from None


def _misfit(chosen: Mapping[str, _Value]) -> bool:
    """Whether dataset, models and methods are made for different tasks, or the models cannot read the dataset."""
    dataset = chosen["dataset"].parsed
    task = dataset.card.task
    models = [chosen[role].parsed for role in ("teacher", "student") if role in chosen]
    methods = [part.tasks for part in chosen["method"].parsed] if "method" in chosen else []
    return any(not model.fits(dataset) for model in models) or any(task not in tasks for tasks in methods)
