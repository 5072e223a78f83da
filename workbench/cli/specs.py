"""From what was typed to validated specs, one per seed. Nothing is started or written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.budgets import budgets, fit_student
from workbench.cli.flags import Flag, dashes, read_flags
from workbench.cli.seeds import parse_seeds
from workbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from workbench.datasets.base import DatasetConfig
    from workbench.options import Config
    from workbench.registry import Registry
    from workbench.spec import Spec

Document = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """``workbench distill`` (or ``controls``) as it was typed; None stands for what was left out."""

    dataset: str | None = None
    teacher: str | None = None
    student: str | None = None
    method: str | None = None
    seeds: str | None = None
    device: str | None = None
    umap: bool | None = None
    teacher_control: str | None = None
    spec: Path | None = None
    budget_parameters: int | None = None
    budget_megabytes: float | None = None
    compression: float | None = None
    flags: Sequence[Flag] = ()
    command: str = "distill"
    preset: str | None = None


def specs_of(request: Request) -> list[Spec]:
    """One spec per seed. Raises UsageError for the first thing that is wrong."""
    from workbench.spec import Spec

    document = read_file(request.spec) if request.spec is not None else {}
    request, tuned = without_tuned(document, request)
    name_components(document, request)
    merge_flags(document, request.flags)
    if tuned:
        document = fill_tuned(document, request)
    for key in ("device", "umap", "teacher_control"):
        if getattr(request, key) is not None:
            document[key] = getattr(request, key)
    seeds = parse_seeds(request.seeds) if request.seeds is not None else [document.get("seed", 0)]
    where = str(request.spec or "")
    first = Spec.parse({**document, "seed": seeds[0]}, where)
    require_data(first)
    if any(value is not None for value in budgets(request).values()):
        document["student"] = fit_student(first, request)
    return [Spec.parse({**document, "seed": seed}, where) for seed in seeds]


def without_tuned(document: Document, request: Request) -> tuple[Request, bool]:
    """The request without the preset ``tuned``, and whether it was named: it is of no dataset alone."""
    from workbench.runs.tuned import TUNED

    wanted = (request.preset if request.preset is not None else document.get("preset")) == TUNED
    if wanted:
        document.pop("preset", None)
        request = replace(request, preset=None)
    return request, wanted


def fill_tuned(document: Document, request: Request) -> Document:
    """``document`` with the tuned options of its methods, which are said. Raises UsageError where there are none."""
    from workbench.cli.output import say
    from workbench.runs.tuned import with_tuned

    if any(value is not None for value in budgets(request).values()):
        raise UsageError("--preset tuned is of one student size: leave the budget out")
    filled, found = with_tuned(document)
    say(found.sentence)
    return filled


def read_file(path: Path) -> Document:
    """A spec file as plain data; parts that are names stay names."""
    from workbench.spec import read_document

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--spec {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return read_document(text, f"--spec {path}")


def name_components(document: Document, request: Request) -> None:
    """Turn dataset, teacher, student and method into mappings with a name: what was typed, else what the file says.

    What neither says is what the dataset's preset says, or what is usual for its task. Options in the file stay where
    the same component was typed, and go where another one was; so does the file's preset with its dataset.
    """
    from workbench.registry import datasets, methods, models

    if request.dataset is None and "dataset" not in document:
        raise UsageError(
            f"a dataset is missing: `workbench {request.command} cora`, say; `workbench datasets` lists them"
        )
    file = {key: as_component(key, document[key]) for key in ("dataset", "teacher", "student") if key in document}
    if request.dataset is not None:
        document["dataset"] = keep_options(file.get("dataset"), typed_dataset(request.dataset))
    else:
        document["dataset"] = file["dataset"]
    if "dataset" in file and file["dataset"]["name"] != document["dataset"]["name"]:
        document.pop("preset", None)
    if request.preset is not None:
        document["preset"] = request.preset
    config: type[DatasetConfig] = datasets[document["dataset"]["name"]]
    usual = usual_parts(config, document.get("preset"))
    fitting = [name for name in models if models[name].fits(config)]
    for key in ("teacher", "student"):
        typed = getattr(request, key)
        named = {"name": as_component(key, usual[key])["name"]}
        document[key] = file.get(key, named) if typed is None else keep_options(file.get(key), {"name": typed})
        require_known(models, document[key]["name"], fitting)
    in_file = {part["name"]: part for part in method_parts(document.get("method", []))}
    wanted = request.method if request.method is not None else document.get("method", usual["method"])
    document["method"] = [keep_options(in_file.get(part["name"]), part) for part in method_parts(wanted)]
    fitting = [name for name in methods if config.card.task in methods[name].tasks]
    for part in document["method"]:
        require_known(methods, part["name"], fitting)


def usual_parts(config: type[DatasetConfig], preset: Any) -> Document:
    """Teacher, student and method where nothing is said: of the dataset's presets, or usual for its task.

    Raises UsageError for a preset that there is not.
    """
    from workbench.parts import preset_documents, usual_parts_for

    if preset is not None and not isinstance(preset, str):
        raise UsageError(f"preset: expected a name (got {preset!r})")
    found: Document = dict(usual_parts_for(config))
    for document in reversed(preset_documents(config, preset)):  # the one that counts most comes last
        found |= {key: document[key] for key in found if key in document}
    return found


def require_known(registry: Registry, name: str, fitting: Sequence[str]) -> None:
    """Refuse a name that is not there, with the nearest of those that fit the dataset's task."""
    if name not in registry:
        kinds = f"{registry.kind}s for this dataset are {', '.join(fitting)}"
        raise UsageError(f"unknown {registry.kind} {name!r}: {did_you_mean(name, fitting)}{kinds}")


def typed_dataset(text: str) -> Document:
    """A dataset's name, or the path of one's own graph."""
    from pydantic import ValidationError

    from workbench.options import explain
    from workbench.spec import parse_dataset

    try:
        document: Document = parse_dataset(text).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise UsageError(explain(error, "dataset")) from None
    return document


def method_parts(value: Any) -> list[Document]:
    """``"kd+gcrd"``, a mapping, or a list of them, as mappings with a name."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split("+")]
    return [as_component("method", part) for part in (value if isinstance(value, list) else [value])]


def as_component(what: str, value: Any) -> Document:
    """``"gat"`` or a mapping with a name, as a mapping with a name."""
    found = {"name": value} if isinstance(value, str) else value
    if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
        raise UsageError(f"{what}: expected a name or a mapping with a name (got {value!r})")
    return dict(found)


def keep_options(old: Document | None, new: Document) -> Document:
    """``new``, with the options that the file gave to the same component."""
    return {**old, **new} if old and old["name"] == new["name"] else new


def merge_flags(document: Document, flags: Sequence[Flag]) -> None:
    """Put the dotted options into their parts of the document."""
    from workbench.registry import datasets, methods, models
    from workbench.spec import Online, Training

    targets: dict[str, tuple[type[Config], Document]] = {
        "dataset": (datasets[document["dataset"]["name"]], document["dataset"]),
        "teacher": (models[document["teacher"]["name"]], document["teacher"]),
        "student": (models[document["student"]["name"]], document["student"]),
    }
    for key in ("training", "teacher_training"):
        given = document.get(key) or {}
        if not isinstance(given, Mapping):
            raise UsageError(f"{key}: expected a mapping of options (got {given!r})")
        document[key] = dict(given)
        targets[dashes(key)] = (Training, document[key])
    if any(flag.part == "online" for flag in flags) or "online" in document:
        given = document.get("online") or {}
        if not isinstance(given, Mapping):
            raise UsageError(f"online: expected a mapping of options (got {given!r})")
        document["online"] = dict(given)
        targets["online"] = (Online, document["online"])
    for part in document["method"]:
        targets[dashes(part["name"])] = (methods[part["name"]], part)
    for name, values in read_flags(flags, {name: kind for name, (kind, _) in targets.items()}).items():
        targets[name][1].update(values)


def require_data(spec: Spec) -> None:
    """A dataset that has to be downloaded needs a data root that can be written."""
    from workbench.cli.roots import require_writable
    from workbench.datasets.base import DATA_ROOT, data_root

    if not spec.dataset.is_ready(data_root()) and not spec.dataset.wanted(data_root()):
        require_writable(data_root(), DATA_ROOT)
