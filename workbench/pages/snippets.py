"""What is on the screen, as Python and as a command that do the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]  # a spec as plain data, with only what differs from the defaults
OWN = ("own", "own-events")  # a person's own data, whose path says which of them it is


def distil_as_python(document: Document, seeds: Sequence[int] = (0,)) -> str:
    """``wb.distill(...)`` for a spec, in a loop where there are several seeds."""
    arguments = [repr(_short(document["dataset"]))]
    arguments += [f"{role}={_short(document[role])!r}" for role in ("teacher", "student")]
    methods = [_short(method) for method in document["method"]]
    plain = all(isinstance(method, str) for method in methods)
    arguments.append(f"method={'+'.join(methods)!r}" if plain else f"method={methods!r}")
    if document.get("preset"):
        arguments.append(f"preset={document['preset']!r}")
    settings = ("training", "teacher_training", "online")
    arguments += [f"{key}={dict(document[key])!r}" for key in settings if document.get(key)]
    if document.get("device", "auto") != "auto":
        arguments.append(f"device={document['device']!r}")
    if document.get("umap"):
        arguments.append("umap=True")
    if document.get("teacher_control"):
        arguments.append(f"teacher_control={document['teacher_control']!r}")
    lines = ["import workbench as wb", ""]
    if len(seeds) == 1:
        lines.append(_call("run = wb.distill", [*arguments, f"seed={seeds[0]}"], ""))
    else:
        call = _call("wb.distill", [*arguments, "seed=seed"], "    ")
        lines.append(f"runs = [\n    {call}\n    for seed in {list(seeds)}\n]")
    return "\n".join(lines)


def distil_as_command(document: Document, seeds: Sequence[int] = (0,)) -> str:
    """The same as a ``workbench distill`` command line."""
    dataset = dict(document["dataset"])
    name = dataset.pop("name")
    words = ["workbench", "distill", dataset.pop("path") if name in OWN and "path" in dataset else name]
    words += ["--preset", document["preset"]] if document.get("preset") else []
    flags = _flags("dataset", dataset)
    for role in ("teacher", "student"):
        options = dict(document[role])
        words += [f"--{role}", options.pop("name")]
        flags += _flags(role, options)
    words += ["--method", "+".join(method["name"] for method in document["method"])]
    for method in document["method"]:
        flags += _flags(method["name"], {key: value for key, value in method.items() if key != "name"})
    flags += _flags("teacher-training", document.get("teacher_training") or {})
    flags += _flags("training", document.get("training") or {})
    flags += _flags("online", document.get("online") or {})
    if list(seeds) != [0]:
        words += ["--seeds", _seed_text(seeds)]
    if document.get("device", "auto") != "auto":
        words += ["--device", document["device"]]
    if document.get("teacher_control"):
        words += ["--teacher-control", document["teacher_control"]]
    return " ".join(shlex.quote(str(word)) for word in [*words, *flags, *(["--umap"] if document.get("umap") else [])])


def view_as_python(run: str, view: str, **choices: Any) -> str:
    """A view of a run, as it stands on the screen."""
    arguments = "".join(f", {key}={value!r}" for key, value in choices.items() if value is not None)
    lines = ["import workbench as wb", "", f"run = wb.find_run({run!r})"]
    return "\n".join([*lines, f"wb.plots.{view}(run{arguments})"])


def _short(component: Mapping[str, Any]) -> Any:
    """A component that has its defaults is known by its name alone, one's own graph by its path."""
    if component["name"] in OWN and set(component) == {"name", "path"}:
        return component["path"]
    return component["name"] if set(component) == {"name"} else dict(component)


def _call(function: str, arguments: list[str], indent: str) -> str:
    one_line = f"{function}({', '.join(arguments)})"
    if len(one_line) <= 100:
        return one_line
    body = "".join(f"{indent}    {argument},\n" for argument in arguments)
    return f"{function}(\n{body}{indent})"


def _flags(prefix: str, options: Mapping[str, Any]) -> list[str]:
    words = []
    for name, value in options.items():
        text = str(value).lower() if isinstance(value, bool) else "none" if value is None else str(value)
        words += [f"--{prefix}.{name.replace('_', '-')}", text]
    return words


def _seed_text(seeds: Sequence[int]) -> str:
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))
