"""From what was typed to validated specs, one per seed. Nothing is started or written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.flags import Flag, dashes, read_flags
from workbench.cli.seeds import parse_seeds
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.options import Config
    from workbench.spec import Spec

Document = dict[str, Any]
DEFAULTS = {"teacher": "gat", "student": "gcn", "method": "kd"}


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


def specs_of(request: Request) -> list[Spec]:
    """One spec per seed. Raises UsageError for the first thing that is wrong."""
    from workbench.spec import Spec

    document = read_file(request.spec) if request.spec is not None else {}
    name_components(document, request)
    merge_flags(document, request.flags)
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

    Options in the file stay where the same component was typed, and go where another one was.
    """
    if request.dataset is None and "dataset" not in document:
        raise UsageError(
            f"a dataset is missing: `workbench {request.command} cora`, say; `workbench datasets` lists them"
        )
    file = {key: as_component(key, document[key]) for key in ("dataset", "teacher", "student") if key in document}
    for key in ("dataset", "teacher", "student"):
        typed = getattr(request, key)
        if typed is None:
            document[key] = file[key] if key in file else {"name": DEFAULTS[key]}
        else:
            new = typed_dataset(typed) if key == "dataset" else {"name": typed}
            document[key] = keep_options(file.get(key), new)
    in_file = {part["name"]: part for part in method_parts(document.get("method", []))}
    wanted = request.method if request.method is not None else document.get("method", DEFAULTS["method"])
    document["method"] = [keep_options(in_file.get(part["name"]), part) for part in method_parts(wanted)]


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
    from workbench.spec import Training

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
    for part in document["method"]:
        targets[dashes(part["name"])] = (methods[part["name"]], part)
    for name, values in read_flags(flags, {name: kind for name, (kind, _) in targets.items()}).items():
        targets[name][1].update(values)


def require_data(spec: Spec) -> None:
    """A dataset that has to be downloaded needs a data root that can be written."""
    from workbench.cli.roots import require_writable
    from workbench.datasets.base import DATA_ROOT, data_root

    if not spec.dataset.is_ready(data_root()):
        require_writable(data_root(), DATA_ROOT)


def budgets(request: Request) -> dict[str, Any]:
    """The targets that were typed, as :func:`solve_budget` names them."""
    return {
        "parameters": request.budget_parameters,
        "megabytes": request.budget_megabytes,
        "compression": request.compression,
    }


def fit_student(spec: Spec, request: Request) -> Document:
    """The student of ``spec``, as wide as its budget allows."""
    from workbench.cli.output import say
    from workbench.datasets import load_dataset, num_classes
    from workbench.models.budget import solve_budget
    from workbench.runs.download_bar import DownloadBar

    if sum(value is not None for value in budgets(request).values()) > 1:
        flags = "--budget-parameters, --budget-megabytes and --compression"
        raise UsageError(f"{flags} all choose the student's width: give one of them")
    width = spec.student.width_option
    if any(flag.part == "student" and flag.option == width for flag in request.flags):
        raise UsageError(f"--student.{dashes(width)} and a budget both choose the student's width: give one of them")
    with DownloadBar() as progress:
        data = load_dataset(spec.dataset, progress=progress)
    sizes = data.num_features, num_classes(data)
    solved = solve_budget(
        spec.student,
        *sizes,
        **budgets(request),
        teacher_parameters=spec.teacher.count_parameters(*sizes),
    )
    chosen = getattr(solved.config, width)
    say(f"student {spec.student.name}: {dashes(width)} {chosen}, {solved.parameters:,} parameters")
    return solved.config.model_dump(mode="json")
