"""Which runs are compared: filters that live in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.pages import class_mode
from workbench.pages.frame import choose
from workbench.runs.entry_names import title_of_method
from workbench.runs.folder import Run
from workbench.runs.leaderboard import Entry

ALL = "all"
WHOSE = {ALL: "All", "mine": "My own", "examples": "Examples"}
NARROWING = ("method", "student", "search")  # filters within a dataset
LONGEST_SEARCH = 80


def pick_whose() -> str:
    help = "Your own runs, the examples that come with the workbench, or both."
    return choose(st.selectbox, "Runs", "whose", list(WHOSE), format_func=WHOSE.__getitem__, help=help)


def pick_dataset(cell: Any, entries: Sequence[Entry], runs: Sequence[Run]) -> list[Entry]:
    """The entries of one dataset, or all; at first those of the dataset of the newest of ``runs``."""
    names = list(dict.fromkeys(entry.dataset for entry in entries))
    of_run = {run.run: entry.dataset for entry in entries for run in entry.runs}
    first = next((of_run[run.id] for run in runs if run.id in of_run), names[0])
    words = {name: name for name in names} | {ALL: "All datasets"}
    help = "Entries are held against each other only where data and metric are the same."
    with cell:
        chosen = choose(
            st.selectbox, "Dataset", "dataset", list(words), first, format_func=words.__getitem__, help=help
        )
    return [entry for entry in entries if chosen in (ALL, entry.dataset)]


def pick_entries(cells: Sequence[Any], entries: Sequence[Entry]) -> list[Entry]:
    """The ``entries`` that method, student and searched words leave; ``cells`` 1, 2 and 4 hold the widgets."""
    methods = {ALL: "All"} | {name: title_of_method(name) for name in sorted({entry.method for entry in entries})}
    students = {ALL: "All"} | {name: name for name in sorted({entry.student for entry in entries})}
    with cells[1]:
        help = "Distilled by this method; Student alone is without."
        method = choose(st.selectbox, "Method", "method", list(methods), format_func=methods.__getitem__, help=help)
    with cells[2]:
        help = "The student's architecture."
        student = choose(
            st.selectbox, "Student", "student", list(students), format_func=students.__getitem__, help=help
        )
    with cells[4]:
        search = _search().casefold().strip()
    return [
        entry
        for entry in entries
        if method in (ALL, entry.method) and student in (ALL, entry.student) and _fits(entry, search)
    ]


def clear_filters() -> None:
    """Show all entries of the dataset again; for a button."""
    for name in NARROWING:
        st.session_state.pop(f"choice-{name}", None)
        st.query_params.pop(name, None)


def _fits(entry: Entry, search: str) -> bool:
    """Whether all words stand in what the entry is called, or the whole in the id of one of its runs."""
    called = f"{entry.dataset} {entry.title} {entry.method}".casefold()
    return all(word in called for word in search.split()) or any(search in run.run.casefold() for run in entry.runs)


def _search() -> str:
    """Words that the address keeps, as :func:`~workbench.pages.frame.choose` keeps one of several options."""
    name, key = "search", "choice-search"
    given = st.query_params.get(name, "")[:LONGEST_SEARCH]
    if key not in st.session_state or given != st.session_state.get(f"{key}-seen", ""):
        st.session_state[key] = given
    if class_mode.hidden(name, "Search"):
        text = st.session_state[key] = st.session_state[key]  # a widget that is not drawn would be forgotten
    else:
        help = "Words of an entry's name and options, all of them; or a part of the id of a run."
        text = st.text_input("Search", key=key, max_chars=LONGEST_SEARCH, help=help, icon=":material/search:") or ""
    st.session_state[f"{key}-seen"] = text
    if text:
        st.query_params[name] = text
    else:
        st.query_params.pop(name, None)
    return str(text)
