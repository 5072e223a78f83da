"""What the set-up form starts with, and what it need not say: both follow from the dataset, its preset and its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.datasets.base import USUAL_PRESET, DatasetConfig, Task
from workbench.parts import preset_documents, with_usual_parts
from workbench.registry import datasets

Document = Mapping[str, Any]


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
    if _task(dataset) == _task(first) and not (_has_own_parts(dataset, preset) or _has_own_parts(first, None)):
        return Start(key, dataset, preset, {**usual, **start, "dataset": usual["dataset"]}, usual)
    own = "-".join(filter(None, (key, dataset, preset)))
    return Start(own, dataset, preset, usual, usual)


def preset_of(start: Document) -> str | None:
    """The preset that a spec names; the usual one needs no name."""
    preset = start.get("preset")
    return None if preset == USUAL_PRESET else preset


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


def _task(dataset: str) -> Task | None:
    """None for what is no dataset by name: a run on somebody's live objects was copied."""
    if dataset not in datasets:
        return None
    config: type[DatasetConfig] = datasets[dataset]
    return config.card.task


def _has_own_parts(dataset: str, preset: str | None) -> bool:
    return bool(preset_documents(datasets[dataset], preset))
