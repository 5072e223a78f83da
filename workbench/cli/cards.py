"""Datasets, models and methods as lists, and one of them as a card with all its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import typer

from workbench.cli.flags import dashes, expected
from workbench.cli.output import MISSING, count, print_json, print_table
from workbench.datasets.base import USUAL_PRESET, Holds, held_by
from workbench.options import Config, OptionInfo, describe
from workbench.registry import Registry, datasets, methods, models
from workbench.settings import Online

Entry = dict[str, Any]
SIZES: Mapping[Holds, tuple[str, ...]] = {  # what is counted of a dataset, by what it holds
    "graph": ("nodes", "edges", "features", "classes"),
    "hetero": ("nodes", "node_types", "edges", "relations", "classes"),
    "graphs": ("graphs", "nodes", "edges", "features", "classes"),
    "clouds": ("shapes", "points", "classes"),
    "snapshots": ("nodes", "snapshots", "links"),
}
HEADS: Mapping[Holds, str] = {  # of its table
    "graph": "node classification",
    "hetero": "node classification: several types of nodes",
    "graphs": "graph classification, or classification of the nodes of many graphs",
    "clouds": "graph classification: point clouds",
    "snapshots": "link prediction",
}


def dataset_entry(name: str) -> Entry:
    """A dataset's card as plain data."""
    from workbench.datasets.base import data_root

    config = datasets[name]
    usual = config.model_construct()
    ready = usual.is_ready(data_root())
    wanted = "" if ready else usual.wanted(data_root())
    presets = {preset: dict(document) for preset, document in config.presets.items()}
    return {
        "name": name,
        **asdict(config.card),
        "holds": held_by(config),
        "ready": ready,
        "wanted": wanted,
        "presets": presets,
        **_options(config),
    }


def model_entry(name: str) -> Entry:
    config = models[name]
    presets = {"teacher": config.teacher_preset, "student": config.student_preset}
    head = {"name": name, "title": config.title, "task": config.task, "summary": _summary(config), "presets": presets}
    training = {role: config.usual_training(role) for role in presets}
    return {**head, "training": training, **_options(config)}


def method_entry(name: str) -> Entry:
    config = methods[name]
    paper = None if config.paper is None else asdict(config.paper)
    return {
        "name": name,
        "title": config.title,
        "tasks": sorted(config.tasks),
        "summary": _summary(config),
        "paper": paper,
        "formula": config.formula,
        "decisions": list(config.decisions),
        "needs": sorted(config.needs),
        "sets_task": config.sets_task,
        "control": config.control,
        **_options(config),
    }


def _summary(config: type[Config]) -> str:
    return (config.__doc__ or "").strip().splitlines()[0] if config.__doc__ else ""


def _options(config: Any) -> Entry:
    return {"version": config.version, "options": [asdict(info) for info in describe(config)]}


def show_datasets(name: str | None, as_json: bool) -> None:
    """One table for each kind of data: they count different things."""
    if name is not None:
        return _show_dataset(dataset_entry(name), as_json)
    entries = [dataset_entry(each) for each in datasets]
    if as_json:
        return print_json(entries)
    for number, (held, sizes) in enumerate(SIZES.items()):
        rows = [(e["name"], e["title"], *_sizes(e), _yes(e)) for e in entries if e["holds"] == held]
        typer.echo(f"{chr(10) if number else ''}{HEADS[held]}\n")
        print_table(("name", "title", *sizes, "on disk"), rows, right=sizes)


def _show_dataset(entry: Entry, as_json: bool) -> None:
    facts = _facts(entry, "task", "summary", "licence", "citation", "url")
    facts |= {
        **dict(zip(SIZES[entry["holds"]], _sizes(entry), strict=True)),
        "on disk": _yes(entry),
        "to do": entry["wanted"],
    }
    for name, document in entry["presets"].items():
        facts["usual options" if name == USUAL_PRESET else f"preset {name}"] = _preset(document)
    _show(entry, datasets, facts, "dataset", as_json)
    if entry["task"] == "link prediction" and not as_json:
        typer.echo("\nHow a student follows the snapshots:\n")
        _print_options(describe(Online), "online")


def show_models(name: str | None, as_json: bool) -> None:
    if name is not None:
        entry = model_entry(name)
        facts = _facts(entry, "task", "summary")
        facts |= {f"as {role}": _pairs(sizes) for role, sizes in entry["presets"].items()}
        facts |= {f"training as {role}": _pairs(options) for role, options in entry["training"].items()}
        return _show(entry, models, facts, "student", as_json, entry["presets"])
    entries = [model_entry(each) for each in models]
    rows = [
        (e["name"], e["title"], e["task"], e["summary"], *(_pairs(p) for p in e["presets"].values())) for e in entries
    ]
    _list(entries, ("name", "title", "for", "what it is", "as teacher", "as student"), rows, as_json)


def show_methods(name: str | None, as_json: bool) -> None:
    if name is not None:
        entry = method_entry(name)
        facts = {"tasks": ", ".join(entry["tasks"])} | _facts(entry, "summary") | _paper(entry)
        facts |= _facts(entry, "formula")
        facts |= {f"decision {number}": text for number, text in enumerate(entry["decisions"], 1)}
        return _show(entry, methods, facts, dashes(name), as_json)
    entries = [method_entry(each) for each in methods]
    rows = [(e["name"], e["title"], ", ".join(e["tasks"]), e["summary"], _short_paper(e)) for e in entries]
    _list(entries, ("name", "title", "for", "what it is", "paper"), rows, as_json)


def _list(
    entries: list[Entry],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    as_json: bool,
) -> None:
    if as_json:
        print_json(entries)
    else:
        print_table(columns, rows)


def _show(
    entry: Entry,
    registry: Registry,
    facts: dict[str, str],
    prefix: str,
    as_json: bool,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """``presets`` are defaults that differ from the options' own: one column each."""
    if as_json:
        return print_json(entry)
    typer.echo(f"{entry['name']} – {entry['title']}\n" if entry["title"] else f"{entry['name']}\n")
    print_table(("", ""), [(key, value) for key, value in facts.items() if value])
    typer.echo("")
    infos = describe(registry[entry["name"]])
    if infos:
        _print_options(infos, prefix, presets)
    else:
        typer.echo("It has no options.")
    if prefix == "student" and infos:
        typer.echo("\nFor the teacher write --teacher. in place of --student.")


def _print_options(
    infos: Sequence[OptionInfo], prefix: str, presets: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    columns = [f"as {role}" for role in presets] if presets else ["default"]
    rows = _option_rows(infos, prefix, list(presets.values()) if presets else [{}])
    print_table(("option", "takes", *columns, "what it does"), list(rows))


def _option_rows(
    infos: Sequence[OptionInfo], prefix: str, presets: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, ...]]:
    for info in infos:
        defaults = [_default(preset.get(info.name, info.default)) for preset in presets]
        yield f"--{prefix}.{dashes(info.name)}", expected(info), *defaults, info.help


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _sizes(entry: Entry) -> list[str]:
    """What was measured on the data, or what is published of data that was not."""
    return [count(entry["measured"].get(key, entry["published"].get(key))) for key in SIZES[entry["holds"]]]


def _preset(document: Mapping[str, Any]) -> str:
    """What a preset sets, as the options that would set it."""
    words = []
    for part, value in document.items():
        if part == "method":
            methods_of = [value] if isinstance(value, (str, Mapping)) else value
            named = [{"name": each} if isinstance(each, str) else each for each in methods_of]
            words += [f"--method {'+'.join(each['name'] for each in named)}"]
            words += [word for each in named for word in _flags(each["name"], each)]
        elif isinstance(value, Mapping):
            words += [f"--{part} {value['name']}"] if "name" in value and part != "dataset" else []
            words += _flags(part, value)
        else:
            words += [f"--{dashes(part)} {_default(value)}"]
    return " ".join(words)


def _flags(part: str, options: Mapping[str, Any]) -> list[str]:
    return [f"--{dashes(part)}.{dashes(key)} {_default(value)}" for key, value in options.items() if key != "name"]


def _facts(entry: Entry, *keys: str) -> dict[str, str]:
    return {key: str(entry[key]) for key in keys if entry[key]}


def _paper(entry: Entry) -> dict[str, str]:
    paper = entry["paper"]
    if paper is None:
        return {"paper": MISSING}
    return {"paper": f"{paper['authors']}, {paper['title']}, {paper['venue']} {paper['year']}, {paper['url']}"}


def _short_paper(entry: Entry) -> str:
    paper = entry["paper"]
    if paper is None:
        return MISSING
    first, *others = paper["authors"].split(", ")
    return f"{first}{' et al.' if others else ''} {paper['year']}, {paper['url']}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{dashes(key)} {value}" for key, value in values.items())


def _yes(entry: Entry) -> str:
    return "yes" if entry["ready"] else "no"
