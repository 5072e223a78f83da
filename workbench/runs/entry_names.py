"""Short names of what runs are of, and of what tells them apart, from their specs as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

METHODS: Mapping[str, str] = {  # as the classes of the methods are titled, which only torch can import
    "none": "Student alone",
    "kd": "KD",
    "fitnet": "FitNet",
    "at": "AT",
    "lsp": "LSP",
    "gsp": "GSP",
    "gcrd": "G-CRD",
    "abkd": "ABKD",
    "distill2vec": "Distill2Vec",
    "glnn": "GLNN",
    "label-smoothing": "Label smoothing",
}
OPTIONS: Mapping[str, str] = {  # shorter than their own names
    "hidden_channels": "hidden",
    "num_layers": "layers",
    "temperature": "T",
    "alpha": "α",
    "gamma": "γ",
    "epsilon": "ε",
    "lam": "λ",
}
Document = Mapping[str, Any]
Part = tuple[
    tuple[str, ...], str, Mapping[str, Any]
]  # what may be compared, what its options are called after, options


def title_of_method(names: str) -> str:
    """``kd+gcrd`` -> ``KD + G-CRD``."""
    return " + ".join(METHODS.get(name, name) for name in names.split("+"))


def title_of_dataset(specs: Sequence[tuple[str, Document]]) -> dict[str, str]:
    """By data, of pairs of data and dataset: its name, with the options that tell it from others of that name.

    Data that differ in nothing but what was on the disk are told apart by the beginning of their key.
    """
    datasets = dict(specs)
    varying = _varying([[((_name(dataset),), "", dataset)] for dataset in datasets.values()])
    titles = {}
    for data, dataset in datasets.items():
        apart = [
            _words(*each) for each in _options(((_name(dataset),), "", dataset)) if (_name(dataset), each[1]) in varying
        ]
        titles[data] = _name(dataset) + (f" ({', '.join(apart)})" if apart else "")
    words = list(titles.values())
    return {data: title if words.count(title) == 1 else f"{title} [{data[:6]}]" for data, title in titles.items()}


def short_names(specs: Sequence[tuple[str, Document]]) -> list[tuple[str, ...]]:
    """Of pairs of data and spec, the options in which a spec differs from others of the same components.

    Student and method first, then the teacher, then the training: ``("hidden 4", "T 2", "teacher heads 8")``.
    """
    parts = [list(_parts(data, document)) for data, document in specs]
    varying = _varying(parts)
    return [
        tuple(_words(*each) for part in of for each in _options(part) if (*part[0], each[1]) in varying) for of in parts
    ]


def _parts(data: str, document: Document) -> Iterator[Part]:
    student, teacher, methods = document["student"], document["teacher"], document["method"]
    yield (data, "student", str(student["name"])), "", student
    names = sorted(str(part["name"]) for part in methods)
    for part in methods:
        name = str(part["name"])
        yield (data, "method", *names, name), METHODS.get(name, name) if len(methods) > 1 else "", part
    yield (data, "teacher", str(teacher["name"])), "teacher", teacher
    yield (data, "training", str(student["name"])), "", document.get("training") or {}
    yield (data, "teacher training", str(teacher["name"])), "teacher", document.get("teacher_training") or {}
    yield (data, "online"), "", document.get("online") or {}


def _options(part: Part) -> Iterator[tuple[str, str, Any]]:
    """What an option is called after, its name and its value."""
    return ((part[1], name, value) for name, value in part[2].items() if name != "name")


def _varying(specs: Sequence[Sequence[Part]]) -> set[tuple[str, ...]]:
    """The options (their place and name) that have several values, or are missing in some specs only."""
    seen: dict[tuple[str, ...], list[str]] = {}
    there: dict[tuple[str, ...], int] = {}
    for parts in specs:
        for part in parts:
            there[part[0]] = there.get(part[0], 0) + 1
            for _, name, value in _options(part):
                seen.setdefault((*part[0], name), []).append(repr(value))
    return {key for key, values in seen.items() if len(set(values)) > 1 or len(values) < there[key[:-1]]}


def _words(after: str, name: str, value: Any) -> str:
    """``T 2``, ``teacher heads 8``, ``no batch norm``."""
    short = f"{after} {OPTIONS.get(name, name.replace('_', ' '))}".strip()
    if isinstance(value, bool):
        return short if value else f"no {short}"
    return f"{short} {value:g}" if isinstance(value, int | float) else f"{short} {value}"


def _name(dataset: Document) -> str:
    """A person's own file goes by its name."""
    own = dataset.get("path")
    return Path(str(own)).name if own else str(dataset["name"])
