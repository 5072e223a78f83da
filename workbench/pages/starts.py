"""What the set-up form starts with, and what it need not say: both follow from the dataset, its preset and its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.datasets.base import USUAL_PRESET, DatasetConfig, Holds, Task, held_by
from workbench.errors import UsageError
from workbench.options import Config, describe
from workbench.pages.forms import fault
from workbench.parts import preset_documents, with_usual_parts
from workbench.registry import Registry, datasets, methods, models
from workbench.spec import LIVE, Online, Spec, Training

Document = Mapping[str, Any]
PARTS: Mapping[str, Registry] = {"dataset": datasets, "teacher": models, "student": models}
SETTINGS: Mapping[str, type[Config]] = {"training": Training, "teacher_training": Training, "online": Online}
LAST_SEED = 2**31 - 101  # that a form begins with: a hundred seeds from there on are seeds too
SHOWN = 40  # characters of a value that is left out


@dataclass(frozen=True)
class Start:
    """Where the form stands: ``key`` begins the keys of its widgets.

    ``shown`` is the spec whose values are first shown, ``usual`` what a spec takes where it says nothing: both as
    plain data, teacher and student as mappings with a name and the methods as a list of them.
    """

    key: str
    dataset: str
    preset: str | None
    shown: Document
    usual: Document

    @property
    def task(self) -> Task:
        config: type[DatasetConfig] = datasets[self.dataset]
        return config.card.task

    @property
    def held(self) -> Holds:
        return held_by(datasets[self.dataset])

    def same(self, part: str, name: str) -> tuple[Document, Document]:
        """What is usual for ``part`` and what is first shown of it, as far as they are of the component ``name``."""
        return _options(self.usual[part], name), _options(self.shown[part], name)


def start_for(start: Document, dataset: str, preset: str | None, key: str) -> Start:
    """The form for a dataset and its preset, which began with the spec ``start``.

    Where what is usual is the same for both datasets, teacher, student and method stay as they are; otherwise the form
    of that dataset and preset is one of its own.
    """
    usual = _long(with_usual_parts({"dataset": {"name": dataset}, "preset": preset}))
    first = start["dataset"]["name"]
    if (dataset, preset) == (first, preset_of(start)):
        return Start(key, dataset, preset, {**usual, **start}, usual)
    if _kind(dataset) == _kind(first) and not (_has_own_parts(dataset, preset) or _has_own_parts(first, None)):
        return Start(key, dataset, preset, {**usual, **start, "dataset": usual["dataset"]}, usual)
    own = "-".join(filter(None, (key, dataset, preset)))
    return Start(own, dataset, preset, usual, usual)


def preset_of(start: Document) -> str | None:
    """The preset that a spec names; the usual one needs no name."""
    preset = start.get("preset")
    return None if preset == USUAL_PRESET else preset


def from_run(document: Document) -> tuple[dict[str, Any], list[str]]:
    """The spec of a run, of the form that ``is_spec`` asks for, as a form can show it; and what was left out of it.

    Its values may be of another version, or somebody may have edited them. Raises UsageError where the dataset, a
    model or a method is not known here.
    """
    found: dict[str, Any] = dict(document)
    lost: list[str] = []
    for part, registry in PARTS.items():
        found[part] = _known(registry, document[part], part, lost)
    found["method"] = [_known(methods, part, part["name"], lost) for part in document["method"]]
    for field, config in SETTINGS.items():
        if document.get(field):
            found[field] = _fitting(config, document[field], field, lost)
    own = {name: document[name] for name in ("teacher_control", "umap") if name in document}
    found = {name: value for name, value in found.items() if name not in own} | _fitting(Spec, own, "", lost)
    if (preset := found.get("preset")) not in (None, USUAL_PRESET, *datasets[document["dataset"]["name"]].presets):
        lost.append(f"preset: {_brief(preset)} is none of this dataset")
        del found["preset"]
    if (seed := found.get("seed", 0)) > LAST_SEED:
        lost.append(f"seed: {seed} is above {LAST_SEED}, which stands there instead")
        found["seed"] = LAST_SEED
    return found, lost


def _known(registry: Registry, part: Document, where: str, lost: list[str]) -> dict[str, Any]:
    if part["name"] == LIVE and LIVE not in registry:
        raise UsageError(f"this run was made from a live Python object as its {where}, which no form can show")
    options = {key: value for key, value in part.items() if key != "name"}
    return {"name": part["name"], **_fitting(registry[part["name"]], options, where, lost)}


def _fitting(config: type[Config], options: Document, where: str, lost: list[str]) -> dict[str, Any]:
    """Those of ``options`` whose widgets can show them; the others are told in ``lost``."""
    infos, found = {info.name: info for info in describe(config)}, {}
    for name, value in options.items():
        wrong = fault(infos[name], value) if name in infos else "is of an option that is not known here"
        if wrong:
            place = ", ".join(filter(None, (where, name))).replace("_", " ")
            lost.append(f"{place}: {_brief(value)} {wrong}")
        else:
            found[name] = value
    return found


def _brief(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits
        text = "a number"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def long_form(part: Any) -> Document:
    """A component by its name, as a mapping."""
    return {"name": part} if isinstance(part, str) else part


def long_methods(methods: Any) -> list[Document]:
    """``"kd+gcrd"``, a mapping or a list of them, as a list of mappings."""
    several = methods.split("+") if isinstance(methods, str) else methods
    each: Sequence[Any] = [several] if isinstance(several, Mapping) else several
    return [long_form(one) for one in each]


def _long(document: Document) -> dict[str, Any]:
    long = {part: long_form(document[part]) for part in ("dataset", "teacher", "student")}
    return {**document, **long, "method": long_methods(document["method"])}


def _options(part: Document, name: str) -> Document:
    return {key: value for key, value in part.items() if key != "name"} if part["name"] == name else {}


def _kind(dataset: str) -> tuple[Task, Holds] | None:
    """None for what is no dataset by name: a run on somebody's live objects was copied."""
    if dataset not in datasets:
        return None
    config: type[DatasetConfig] = datasets[dataset]
    return config.card.task, held_by(config)


def _has_own_parts(dataset: str, preset: str | None) -> bool:
    return bool(preset_documents(datasets[dataset], preset))
