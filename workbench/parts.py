"""From names and mappings to components, and what is taken where a person says nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from workbench.datasets.base import USUAL_PRESET, DatasetConfig, Task, held_by
from workbench.errors import UsageError, did_you_mean
from workbench.methods.base import Method, Sum
from workbench.models.base import ModelConfig
from workbench.options import Component, explain
from workbench.paths import expanded
from workbench.registry import Registry, datasets, methods, models

# What is taken where nothing is said.
USUAL: Mapping[Task, Mapping[str, str]] = {
    "node classification": {"teacher": "gat", "student": "gcn", "method": "kd"},
    "graph classification": {"teacher": "dgcnn", "student": "dgcnn", "method": "lsp"},
    "link prediction": {"teacher": "dysat", "student": "dysat", "method": "distill2vec"},
}
USUAL_OF_GRAPHS: Mapping[str, str] = {"teacher": "gine", "student": "gin-graph", "method": "kd"}  # that are classified
USUAL_OF_TYPES: Mapping[str, str] = {"teacher": "rgcn", "student": "rgcn", "method": "kd"}  # of nodes of several types


def usual_parts_for(dataset: DatasetConfig | type[DatasetConfig]) -> Mapping[str, str]:
    """Teacher, student and method where neither a person nor a preset of the dataset says anything."""
    if held_by(dataset) == "hetero":
        return USUAL_OF_TYPES
    of_graphs = (dataset.card.task, held_by(dataset)) == ("graph classification", "graphs")
    return USUAL_OF_GRAPHS if of_graphs else USUAL[dataset.card.task]


def component(registry: Registry, base: type[Component], value: Any) -> Any:
    """Turn a name or a mapping with a name into the config class registered under it."""
    if isinstance(value, base):
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping) or "name" not in value:
        raise ValueError(f"a {registry.kind} is a name or a mapping with a name")
    return registry[str(value["name"])].model_validate(dict(value))


def parse_method(value: Any) -> Sum:
    """``"kd+gcrd"``, a mapping, a method, or a list of them, as the sum that is meant."""
    if isinstance(value, Method):
        return Sum((value,))
    if isinstance(value, str):
        value = [part.strip() for part in value.split("+")]
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        value = [value]
    return Sum(_method(part) for part in value)


def _method(value: Any) -> Any:
    """One method of a sum; what is wrong with it is said under its name, as in ``--kd.alpha``."""
    try:
        return component(methods, Method, value)
    except ValidationError as error:
        name = value if isinstance(value, str) else value["name"]
        raise UsageError(explain(error, name)) from None


def with_model_preset(role: Literal["teacher", "student"], value: Any) -> Any:
    """Fill the sizes that a person left out with the preset of the role (a config object is taken as it is)."""
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, Mapping) and "name" in value and not isinstance(value, ModelConfig):
        preset = getattr(models[str(value["name"])], f"{role}_preset")
        value = {**preset, **value}
    return component(models, ModelConfig, value)


def parse_dataset(value: Any) -> Any:
    """A dataset's name, a mapping, or the path of one's own graph.

    A folder with CSV files or an ``.npz`` is a graph, a single ``.csv`` or ``.csv.gz`` a list of events.
    """
    if isinstance(value, Path) or (isinstance(value, str) and value not in datasets and _looks_like_path(value)):
        text = str(value)
        events = text.endswith((".csv", ".csv.gz")) and not os.path.isdir(expanded(text))
        value = {"name": "own-events" if events else "own", "path": text}
    return component(datasets, DatasetConfig, value)


def _looks_like_path(text: str) -> bool:
    return os.sep in text or "/" in text or text.endswith((".npz", ".csv", ".csv.gz")) or os.path.isdir(text)


def with_usual_parts(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` of a spec with what was left out: from the dataset's preset that is named as ``preset``, from its
    usual one, and teacher, student and method as they are usual for its task.

    Options of a model are filled in where the model is the preset's; a config object is taken as it is.
    Raises UsageError for a preset that there is not.
    """
    filled = {key: value for key, value in values.items() if key != "preset"}
    try:
        dataset = parse_dataset(filled["dataset"])
    except (KeyError, ValueError, UsageError):
        return filled  # the field meets the same fault, and says so
    for document in preset_documents(type(dataset), values.get("preset")):
        for part, options in document.items():
            filled[part] = _under(part, options, filled.get(part))
    for part, name in usual_parts_for(dataset).items():
        if filled.get(part) is None:
            filled[part] = name
    return filled


def preset_documents(config: type[DatasetConfig], name: str | None) -> list[Mapping[str, Any]]:
    """The presets of a dataset that apply, the named one first. Raises UsageError for one that there is not."""
    known = config.presets
    if name is not None and name not in known:
        there = f"presets are {', '.join(known)}" if known else "it has none"
        dataset = config.model_fields["name"].default
        raise UsageError(f"dataset {dataset!r} has no preset {name!r}: {did_you_mean(name, known)}{there}")
    wanted = [name, USUAL_PRESET] if name != USUAL_PRESET else [USUAL_PRESET]
    return [known[each] for each in wanted if each is not None and each in known]


def _under(part: str, options: Any, given: Any) -> Any:
    """``given``, with the options of a preset where it says nothing."""
    if given is None:
        return options
    if part == "method" and isinstance(options, Mapping):
        return _methods_under(options, given)
    if isinstance(given, str) and part in ("dataset", "teacher", "student"):
        given = {"name": given}
    if not isinstance(given, Mapping) or not isinstance(options, Mapping):
        return given
    if "name" in options and given.get("name", options["name"]) != options["name"]:
        return given
    return {**options, **given}


def _methods_under(options: Mapping[str, Any], given: Any) -> Any:
    """The methods ``given``, in whichever form, of which the preset's own one has its options."""
    if isinstance(given, str):
        given = given.split("+")
    parts = [given] if isinstance(given, Mapping) else given
    if not isinstance(parts, list | tuple):
        return given
    named = [{"name": part} if isinstance(part, str) else part for part in parts]
    return [
        {**options, **part} if isinstance(part, Mapping) and part.get("name") == options["name"] else part
        for part in named
    ]
