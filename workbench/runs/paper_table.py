"""Finished runs beside the papers' numbers: one row per entry of the leaderboard, none left out for being worse."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.analysis.protocol_gaps import DATA, EPOCHS, MODELS, SCORES, STAND_INS, TEACHERS
from workbench.analysis.published import PUBLISHED, SAME_SIZE, Published, published
from workbench.analysis.statistics import summarise
from workbench.errors import UsageError, WorkbenchError, did_you_mean
from workbench.runs.entry_differences import difference, student_alone
from workbench.runs.entry_names import METHODS
from workbench.runs.folder import Run
from workbench.runs.leaderboard import ALONE, Entry, leaderboard, teachers
from workbench.runs.paper_row import TEACHER, PaperNumber, Row, several
from workbench.runs.spec_command import command_of
from workbench.runs.store import list_runs

SECOND = ("mean_class_accuracy",)  # metrics that are published beside the one that runs are judged by
QUICK = "The quick preset: smaller or shorter than what is usual."
LIVE = "made from live Python objects: run the Python that made it"


def table(
    runs: Iterable[Run] | None = None,
    *,
    papers: bool = False,
    datasets: Sequence[str] = (),
    root: str | os.PathLike[str] | None = None,
) -> list[dict[str, Any]]:
    """Finished runs (all where none are given) beside the papers' numbers, as plain data; scores in percent.

    Seeds of one spec are one row: their mean and sample standard deviation, the difference to the student alone with
    its paired t-test, the published number and the difference to it, the gap between the protocols in words, and the
    command that makes the row again. With ``papers`` only rows with a published number, and those that there is no run
    of. ``datasets`` are names. Raises UsageError for a dataset that no row is of.
    """
    return [row.to_dict() for row in rows(runs, papers=papers, datasets=datasets, root=root)]


def rows(
    runs: Iterable[Run] | None = None,
    *,
    papers: bool = False,
    datasets: Sequence[str] = (),
    root: str | os.PathLike[str] | None = None,
) -> list[Row]:
    """The same as :class:`Row`, in an order that no score changes; students alone may be any runs below the root."""
    every = list_runs(root)
    chosen = every if runs is None else list(runs)
    folders = {run.id: run for run in [*every, *chosen]}
    known = leaderboard(folders.values()).entries
    entries = leaderboard(chosen).entries
    found = [_taught(entry, folders) for entry in teachers(entries)]
    found += [_learned(entry, known, folders) for entry in entries]
    if papers:
        found = [row for row in found if row.paper is not None]
        found += _not_run(found)
    found = _of(datasets, found)
    return sorted(found, key=_place)


def _learned(entry: Entry, known: Sequence[Entry], folders: Mapping[str, Run]) -> Row:
    """A student's row."""
    alone = student_alone(entry, known)
    apart = difference(entry, alone)
    row = _row(entry, entry.of_paper, entry.size("student").parameters, folders)
    paper = row.paper
    if paper is None and entry.document["dataset"]["name"] in STAND_INS:
        name, words = STAND_INS[entry.document["dataset"]["name"]]
        document = {**entry.document, "dataset": {"name": name}}
        other = replace(entry, document=document).of_paper
        paper = None if other is None else PaperNumber(other, False, words)
    return replace(
        row,
        method=entry.method,
        ours=entry.summary(),
        alone=None if apart is None else apart.paired,
        without_alone=entry.method != ALONE and apart is None,
        paper=paper,
    )


def _taught(entry: Entry, folders: Mapping[str, Run]) -> Row:
    """The row of the teacher of ``entry``."""
    name = str(entry.document["dataset"]["name"])
    teacher, student = (MODELS.get(model, model) for model in (entry.teacher, entry.student))
    found = published(name, teacher, student, TEACHER, metric=SCORES.get(entry.metric, entry.metric))
    size = entry.size("teacher").parameters
    row = _row(entry, None, size, folders)
    values = list(entry.values("teacher").values())
    paper = None
    if found is not None:
        theirs = TEACHERS.get((name, teacher))
        same = theirs is not None and size is not None and abs(size / theirs - 1) <= SAME_SIZE
        paper = _number(
            replace(found, student_parameters=theirs),
            same,
            size,
            len(values),
            name,
            TEACHER,
            _epochs(entry, "teacher_training"),
        )
    options = tuple(words.removeprefix("teacher ") for words in entry.options if words.startswith("teacher "))
    return replace(
        row, student="", method=TEACHER, options=options, ours=summarise(values) if values else None, paper=paper
    )


def _row(entry: Entry, found: Published | None, size: float | None, folders: Mapping[str, Run]) -> Row:
    """What rows of teachers and of students have in common."""
    name = str(entry.document["dataset"]["name"])
    paper = None
    if found is not None:
        paper = _number(
            found, found.is_of_size(size), size, len(entry.runs), name, "student", _epochs(entry, "training")
        )
    command = _command(entry, folders)
    return Row(
        dataset=entry.dataset,
        teacher=entry.teacher,
        student=entry.student,
        method="",
        options=entry.options,
        metric=entry.metric,
        parameters=None if size is None else round(size),
        seeds=tuple(run.seed for run in entry.runs),
        paper=paper,
        runs=tuple(run.run for run in entry.runs),
        command=command,
        setting=QUICK if "--preset quick" in command else "",
        name=name,
        id=entry.id,
    )


def _number(
    found: Published, same: bool, size: float | None, n: int, dataset: str, who: str, epochs: int | None
) -> PaperNumber:
    """A published number, and in what its protocol is another one."""
    words = []
    if not same and found.student_parameters is None:
        words.append(f"The size of the paper's {who} is not known to us: no difference is taken.")
    elif not same:
        ours = "ours of unknown size" if size is None else f"ours {size:,.0f}"
        words.append(f"The paper's {who} has {found.student_parameters:,} parameters, {ours}: no difference is taken.")
    if found.seeds is not None and n != found.seeds:
        words.append(f"{several(n, 'seed')} here, {several(found.seeds, 'seed')} in the paper.")
    if (theirs := EPOCHS.get(found.dataset)) is not None and epochs is not None and epochs < theirs:
        words.append(f"At most {several(epochs, 'epoch')} here, {theirs} in the paper.")
    words.append(found.note)
    about_data, comparable = DATA.get(dataset, ("", True))
    words += [about_data] if about_data else []
    words += [f"{row.source}: {row}." for row in PUBLISHED if _is_like(row, found) and row.source != found.source]
    return PaperNumber(found, same and comparable, " ".join(words), of_size=same)


def _epochs(entry: Entry, of: str) -> int | None:
    found = (entry.document.get(of) or {}).get("epochs")
    return found if isinstance(found, int) else None


def _is_like(row: Published, found: Published) -> bool:
    # A teacher is one whatever it teaches, and a row of it carries a student's size.
    same_size = found.method == TEACHER or row.student_parameters == found.student_parameters
    return _key(row) == _key(found) and same_size


def _not_run(found: Sequence[Row]) -> Iterator[Row]:
    """A row for every published number that no row of the paper's size stands beside."""
    have = {_key(row.paper.number) for row in found if row.paper is not None and row.paper.of_size}
    told = set()
    for number in PUBLISHED:
        key = _key(number)
        if number.metric in SECOND or key in have or (number.source, *key) in told:
            continue
        told.add((number.source, *key))
        theirs = TEACHERS.get((number.dataset, number.teacher))
        of_teacher = number.method == TEACHER
        yield Row(
            dataset=number.dataset,
            teacher=number.teacher,
            student="" if of_teacher else number.student,
            method=number.method,
            options=(number.variant,) if number.variant else (),
            metric=next((ours for ours, name in SCORES.items() if name == number.metric), number.metric),
            parameters=theirs if of_teacher else number.student_parameters,
            paper=PaperNumber(number, True, " ".join([number.note, DATA.get(number.dataset, ("",))[0]]).strip()),
            name=number.dataset,
        )


def _key(number: Published) -> tuple[Any, ...]:
    """Equal for numbers of one set-up, in whichever paper; a teacher is one whatever it teaches."""
    learner = () if number.method == TEACHER else (number.student, number.student_parameters, number.variant)
    return (number.dataset, number.teacher, "+".join(sorted(number.method.split("+"))), number.metric, *learner)


def _command(entry: Entry, folders: Mapping[str, Run]) -> str:
    """What makes the runs of ``entry`` again; of runs that no command can make, why not."""
    documents = [folders[run.run].document for run in entry.runs]
    if any(entry.document[part]["name"] == "live" for part in ("dataset", "teacher", "student")):
        return LIVE
    devices = {str(document.get("device", "auto")).partition(":")[0] for document in documents}
    try:
        return command_of(
            documents[0], [run.seed for run in entry.runs], devices.pop() if len(devices) == 1 else "auto"
        )
    except WorkbenchError:
        return "; ".join(f"workbench rerun {run.run}" for run in entry.runs)


def _of(datasets: Sequence[str], found: list[Row]) -> list[Row]:
    names = sorted({row.name for row in found})
    for name in datasets:
        if name not in names:
            there = ", ".join(names) or "none: no run is finished"
            raise UsageError(f"no row is of dataset {name!r}: {did_you_mean(name, names)}datasets are {there}")
    return [row for row in found if not datasets or row.name in datasets]


def _place(row: Row) -> tuple[Any, ...]:
    """Where a row stands, by what it is of and not by how it did."""
    order = [TEACHER, *METHODS]
    parts = row.method.split("+")
    ranks = sorted(order.index(part) if part in order else len(order) for part in parts)
    of_teacher = row.method != TEACHER
    student = (row.student, row.parameters or 0) if of_teacher else ("", 0)
    return (row.dataset, row.teacher, of_teacher, student, len(parts), ranks, row.title, not row.runs, row.id)
