"""Tuned configurations: what a search found best, kept in YAML files, and taken with the preset ``tuned``.

Those that come with the workbench lie in ``workbench/tuned``; a person's own, in the file or folder that
``WORKBENCH_TUNED`` names, come before them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field

from workbench.errors import UsageError
from workbench.options import Component, Config
from workbench.parts import parse_dataset, parse_method, with_usual_parts
from workbench.paths import expanded
from workbench.runs.files import write_text
from workbench.spec import FORMAT, OBSERVING, Spec, read_document

if TYPE_CHECKING:
    from workbench.runs.search import Searched

TUNED = "tuned"  # the name of the preset
TUNED_ROOT = "WORKBENCH_TUNED"
PARTS = ("dataset", "teacher", "student")
UNSEEN = (*OBSERVING, "keep_every")  # of a training: change no result

Document = dict[str, Any]


class Tuned(Config):
    """One tuned configuration: what differs from the usual spec of its components, and how it was found.

    ``searched`` names the options that were searched, ``validation`` is the best score of ``trials`` configurations,
    each judged by its mean over ``seeds``; ``default_validation`` is that of the configuration that was not tuned.
    """

    dataset: Document
    teacher: Document
    student: Document
    method: list[Document]
    teacher_training: Document = Field(default_factory=dict)
    training: Document = Field(default_factory=dict)
    searched: list[str]
    trials: int
    seeds: list[int]
    metric: str
    validation: float
    default_validation: float | None = None
    workbench: str = ""

    @property
    def names(self) -> tuple[str, str, str, frozenset[str]]:
        """Of dataset, teacher, student and methods."""
        dataset, teacher, student = (str(getattr(self, part).get("name")) for part in PARTS)
        return dataset, teacher, student, frozenset(str(part.get("name")) for part in self.method)

    @property
    def spec(self) -> Spec:
        """The spec with everything that was tuned."""
        return Spec.parse(self.model_dump(include={*PARTS, "method", "teacher_training", "training"}), TUNED)

    @property
    def options(self) -> Document:
        """What was searched, and found best."""
        parts = {"training": self.training, "student": self.student, **{part["name"]: part for part in self.method}}
        return {place: parts.get(place.split(".")[0], {}).get(place.split(".")[1]) for place in self.searched}

    @property
    def sentence(self) -> str:
        """For people: what was found, with which budget."""
        dataset, teacher, student, _ = self.names
        method = "+".join(part["name"] for part in self.method)
        before = "" if self.default_validation is None else f", untuned {100 * self.default_validation:.1f} %"
        options = said(self.options)
        seeds = f"seed{'s' if len(self.seeds) > 1 else ''} {', '.join(map(str, self.seeds))}"
        return (
            f"tuned: {method} on {dataset}, {teacher} → {student}: {options}; the best of {self.trials} configurations "
            f"on validation, {seeds} ({self.metric} {100 * self.validation:.1f} %{before})"
        )


def said(options: Mapping[str, Any]) -> str:
    """``lsp.weight 314, lsp.kernel rbf``."""
    shown = ((place, f"{value:g}" if isinstance(value, float) else value) for place, value in options.items())
    return ", ".join(f"{place} {value}" for place, value in shown)


def tuned_of(searched: Searched) -> Tuned:
    """The best configuration of a study, to be kept. Raises RunError where every one failed."""
    spec, study = searched.spec, searched.study
    best, default = searched.best, searched.default
    assert best is not None
    assert best.score is not None
    places = [each.place for each in study.space]
    dataset = {"name": spec.dataset.name, **spec.dataset.model_dump(mode="json", exclude_defaults=True)}
    methods: list[Document] = [{"name": part.name} for part in spec.method]
    named = {"teacher": {"name": spec.teacher.name}, "student": {"name": spec.student.name}, "method": methods}
    usual = Spec.parse({"dataset": dataset, **named}, TUNED)
    document: Document = {"dataset": dataset}
    for part in ("teacher", "student", "training", "teacher_training"):
        document[part] = _different(getattr(spec, part), getattr(usual, part), part, places)
    document["method"] = [_different(a, b, a.name, places) for a, b in zip(spec.method, usual.method, strict=True)]
    return Tuned.parse(
        {
            **document,
            "searched": places,
            "trials": len(searched.tried),
            "seeds": list(study.seeds),
            "metric": study.metric,
            "validation": round(best.score, 6),
            "default_validation": None if default is None or default.score is None else round(default.score, 6),
            "workbench": version("gnn-distillation-workbench"),
        }
    )


def _different(config: Config, usual: Config, part: str, places: Iterable[str]) -> Document:
    """What is other than usual, and everything that was searched."""
    found, expected = config.model_dump(mode="json"), usual.model_dump(mode="json")
    searched = {place.split(".")[1] for place in places if place.split(".")[0] == part}
    wanted = {
        key: value
        for key, value in found.items()
        if key != "name" and key not in UNSEEN and (key in searched or value != expected[key])
    }
    return {"name": config.name, **wanted} if isinstance(config, Component) else wanted


# -- files -----------------------------------------------------------------------------------------


def keep(found: Iterable[Tuned], path: Path) -> None:
    """Write ``found`` to ``path``, in the place of what it holds of the same components.

    Raises UsageError for a file that holds something else, and for one that cannot be written.
    """
    kept = {_key(each): each for each in (read_tuned(path) if path.exists() else [])}
    kept |= {_key(each): each for each in found}
    entries = [each.model_dump(mode="json", exclude_defaults=True) for _, each in sorted(kept.items())]
    document = {"format": FORMAT, TUNED: entries}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def _key(found: Tuned) -> str:
    """The same for the same components, whatever of their options was found best."""
    document = found.model_dump(mode="json", include={*PARTS})
    for part, values in document.items():
        for place in found.searched:
            if place.startswith(f"{part}."):
                values.pop(place.split(".")[1], None)
    return repr([document, sorted(found.names[3])])


def read_tuned(path: Path) -> list[Tuned]:
    """The tuned configurations in a file. Raises UsageError for a file that holds none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    entries = read_document(text, str(path)).get(TUNED)
    if not isinstance(entries, list):
        raise UsageError(f"{path}: expected a list of tuned configurations under 'tuned', as a search keeps them")
    return [Tuned.parse(entry, f"{path}: {TUNED}.{number}") for number, entry in enumerate(entries)]


def all_tuned() -> list[Tuned]:
    """A person's own, then those that come with the workbench. Raises UsageError for a damaged file."""
    own = os.environ.get(TUNED_ROOT)
    if own and not expanded(own).exists():
        raise UsageError(f"{TUNED_ROOT} names {own}, which is not there: name a file that a search has kept")
    places = [*([expanded(own)] if own else []), Path(__file__).resolve().parents[1] / "tuned"]
    files = [file for place in places for file in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])]
    return [found for file in files for found in read_tuned(file)]


# -- the preset ------------------------------------------------------------------------------------


def with_tuned(values: Mapping[str, Any]) -> tuple[Document, Tuned]:
    """``values`` of a spec with the options that they leave out as they were tuned, and where that comes from.

    Dataset and models have to be those that it was tuned for; what was searched may be given. Raises UsageError where
    there is no tuned configuration of them.
    """
    given = {key: value for key, value in values.items() if key != "preset" and value is not None}
    filled = with_usual_parts(given)
    if "dataset" not in given:
        raise UsageError("a dataset is missing: the preset 'tuned' is of one")
    document: Document = dict(given)
    for part in ("teacher", "student"):
        document[part] = _as_mapping(given.get(part, {"name": _as_mapping(filled[part])["name"]}))
    document["method"] = [_as_mapping(part) for part in _method_parts(given.get("method", filled["method"]))]
    found = _fitting(document)
    for part in ("teacher", "student", "training", "teacher_training"):
        document[part] = {**getattr(found, part), **_as_mapping(document.get(part) or {})}
    options = {part["name"]: part for part in found.method}
    document["method"] = [{**options[part["name"]], **part} for part in document["method"]]
    return document, found


def _method_parts(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split("+")]
    return list(value) if isinstance(value, list | tuple) else [value]


def _as_mapping(value: Any) -> Document:
    """A name, a mapping or a config (of which everything counts as given), as a mapping."""
    if isinstance(value, Config):
        return value.model_dump(mode="json")
    return {"name": value} if isinstance(value, str) else dict(value)


def _fitting(document: Document) -> Tuned:
    dataset = parse_dataset(document["dataset"])
    methods = frozenset(part["name"] for part in document["method"])
    parse_method(document["method"])  # a name that there is not is said so
    names = (dataset.name, document["teacher"]["name"], document["student"]["name"], methods)
    known = [found for found in all_tuned() if found.names == names and parse_dataset(found.dataset) == dataset]
    differences = []
    for found in known:
        if not (difference := _difference(found, document)):
            return found
        differences.append(difference)
    method = "+".join(part["name"] for part in document["method"])
    wanted = f"{method} on {names[0]}, {names[1]} → {names[2]}"
    if differences:
        raise UsageError(f"{wanted} was tuned {differences[0]}: leave that out, or leave the preset out")
    raise UsageError(
        f"there is no tuned configuration of {wanted}: `workbench search {names[0]} --teacher {names[1]} "
        f"--student {names[2]} --method {method} --keep FILE.yaml` makes one, and {TUNED_ROOT}=FILE.yaml takes it"
    )


def _difference(found: Tuned, document: Document) -> str:
    """In what the models that are given are not those that were tuned; empty where they are."""
    spec = found.spec
    for part in ("teacher", "student"):
        tuned = getattr(spec, part).model_dump(mode="json")
        for option, value in document[part].items():
            if option in tuned and f"{part}.{option}" not in found.searched and value != tuned[option]:
                return f"with {part}.{option} {tuned[option]} (got {value})"
    return ""
