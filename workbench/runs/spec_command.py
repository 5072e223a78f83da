"""The shortest ``workbench distill`` command that makes the same spec again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.errors import UsageError
from workbench.runs.measured import OBSERVING, without_seed

Document = Mapping[str, Any]
PARTS = ("teacher", "student")
SETTINGS = {"teacher_training": "teacher-training", "training": "training", "online": "online"}
OWN = ("own", "own-events")  # a person's own data, whose path says which they are


def command_of(document: Document, seeds: Sequence[int], device: str = "auto") -> str:
    """The command for the spec in ``document``, with the options that are no defaults; imports torch.

    A preset of the dataset is named where that makes it shorter. What changes no result (pictures, UMAP) is left out.
    Raises UsageError for what is no spec of this version of the workbench.
    """
    from workbench.spec import Spec

    wanted = {key: value for key, value in document.items() if key not in ("format", "device", "umap")}
    spec = Spec.parse({**wanted, "seed": 0}, "spec.yaml")
    presets = [None, *(name for name in type(spec.dataset).presets if name != "usual")]
    found = [words for preset in presets if (words := _words(spec, preset)) is not None]
    if not found:
        raise UsageError("the spec is not made from names and options alone")
    words = min(found, key=len)
    words += ["--seeds", seed_text(seeds)] if list(seeds) != [0] else []
    words += ["--device", device] if device != "auto" else []
    return " ".join(shlex.quote(word) for word in ["workbench", "distill", *words])


def seed_text(seeds: Sequence[int]) -> str:
    """Seeds as ``--seeds`` takes them: ``0-4,7``."""
    rows: list[list[int]] = []
    for seed in sorted(seeds):
        if rows and seed == rows[-1][-1] + 1:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    return ",".join(str(row[0]) if len(row) == 1 else f"{row[0]}-{row[-1]}" for row in rows)


def _words(spec: Any, preset: str | None) -> list[str] | None:
    """The words after ``workbench distill`` that give ``spec``; None where no words do, with this preset."""
    from workbench.spec import Spec

    named: dict[str, Any] = {key: {"name": getattr(spec, key).name} for key in ("dataset", *PARTS)}
    named |= {"method": [{"name": part.name} for part in spec.method], "seed": spec.seed}
    if preset is not None:
        named["preset"] = preset
    if spec.teacher_control != "none":
        named["teacher_control"] = spec.teacher_control
    named["dataset"] |= _other(spec.dataset, type(spec.dataset).model_construct())
    try:
        usual = Spec.parse(named)
        for key in PARTS:
            named[key] |= _other(getattr(spec, key), getattr(usual, key))
        methods = zip(named["method"], spec.method, usual.method, strict=True)
        for part, own, others in methods:
            part |= _other(own, others)
        usual = Spec.parse(named)  # the usual training may depend on the options of a model
        for key in SETTINGS:
            if getattr(spec, key) is not None:
                expected = usual.protocol if key == "online" else getattr(usual, key)
                own = {**(named.get(key) or {}), **_other(getattr(spec, key), expected)}
                named[key] = own
        again = Spec.parse({key: value for key, value in named.items() if value != {}})
    except UsageError:
        return None
    if without_seed(again.model_dump(mode="json")) != without_seed(spec.model_dump(mode="json")):
        return None
    return list(_spelled(named))


def _spelled(named: Document) -> Iterator[str]:
    dataset = dict(named["dataset"])
    name = dataset.pop("name")
    yield str(dataset.pop("path")) if name in OWN and "path" in dataset else name
    if "preset" in named:
        yield from ("--preset", named["preset"])
    for key in PARTS:
        yield from (f"--{key}", named[key]["name"])
    yield from ("--method", "+".join(part["name"] for part in named["method"]))
    if "teacher_control" in named:
        yield from ("--teacher-control", named["teacher_control"])
    yield from _flags("dataset", dataset)
    for key in PARTS:
        yield from _flags(key, named[key])
    for part in named["method"]:
        yield from _flags(part["name"], part)
    for key, prefix in SETTINGS.items():
        yield from _flags(prefix, named.get(key) or {})


def _flags(prefix: str, options: Document) -> Iterator[str]:
    for name, value in options.items():
        if name == "name":
            continue
        yield f"--{prefix}.{name.replace('_', '-')}"
        yield "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _other(config: Any, usual: Any) -> dict[str, Any]:
    """The options of ``config`` that are not as ``usual``, of those that may change a result."""
    own, expected = config.model_dump(mode="json"), usual.model_dump(mode="json")
    if type(config) is not type(usual):
        return {}
    return {key: value for key, value in own.items() if value != expected.get(key) and key not in OBSERVING}
