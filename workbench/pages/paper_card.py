"""The card of a method: its paper, formula and live toy, its options and code, and what is decided or open about it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from workbench.analysis.published import PUBLISHED, Published
from workbench.options import OptionInfo, describe
from workbench.pages import shown
from workbench.pages.frame import as_code, explained, link, note
from workbench.pages.paper_notes import notes_on
from workbench.pages.snippets import distil_as_command
from workbench.pages.toys import Toy, toy_of
from workbench.pages.wording import NONE, plain, title_of

if TYPE_CHECKING:
    from workbench.methods.base import Method

NEEDS = {"logits": "logits", "hidden": "hidden layers", "edges": "the graph's edges"}
STARTS = {  # of a task, the starting point on the Distil page and what it is made of
    "node classification": ("five-minute-demo", "builtin-citation", "gat", "gcn"),
    "link prediction": ("communities", "builtin-communities", "dysat", "dysat"),
    "graph classification": ("shapes", "builtin-shapes", "dgcnn", "dgcnn"),
}


def card(method: type[Method]) -> None:
    """Draw the card; what a method does not say is left out."""
    name = _name(method)
    _head(method)
    toy = toy_of(name)
    if toy is None:
        _formula(method)
        note("There is no toy for this method.")
    else:
        st.fragment(_live)(name)
    notes = notes_on(name)
    tabs = st.tabs(["Code", "Options", "Paper and code", "Published numbers", "Open questions"])
    with tabs[0]:
        _code(method)
    with tabs[1]:
        _options(method)
    with tabs[2]:
        _list("Known differences between the paper and public code", notes.deviations)
        _list("Decided here", [plain(text) for text in method.decisions])
    with tabs[3]:
        _published(name)
    with tabs[4]:
        _list("", notes.questions or ["None is written down yet."])
    _try_it(method, toy)


def _name(method: type[Method]) -> str:
    return str(method.model_fields["name"].default)


def _head(method: type[Method]) -> None:
    st.header(plain(method.title))
    summary = inspect.getdoc(method) or ""
    st.markdown(plain(summary.partition("\n")[0]))
    if method.paper is not None:
        p = method.paper
        st.markdown(f"*[{plain(p.title)}]({p.url})* · {plain(p.authors)} · {plain(p.venue)} {p.year}")
    with st.container(horizontal=True):
        for need in sorted(method.needs):
            st.badge(f"needs {NEEDS.get(need, need)}", color="blue")
        for task in sorted(method.tasks):
            st.badge(task, color="gray")
        if method.sets_task:
            st.badge("rescales the labels' loss", color="orange")
        if method.control:
            st.badge("a control: uses no teacher", color="violet")


def _formula(method: type[Method]) -> None:
    for line in method.formula.split(r", \quad "):  # a long one would be cut at the right
        st.latex(line)


def _live(name: str) -> None:
    """Formula and sliders on the left, the picture on the right; only this is drawn again when a slider moves."""
    from workbench.plots import toys
    from workbench.registry import methods

    toy = toy_of(name)
    assert toy is not None
    left, right = st.columns([5, 8], gap="medium")
    with left:
        _formula(methods[name])
        st.markdown(f":material/touch_app: {toy.advice}")
        picture = toy.show()
        for cell, (label, (value, help)) in zip(st.columns(len(picture.numbers)), picture.numbers.items(), strict=True):
            cell.metric(label, value, help=help)
    with right, explained():
        figure = getattr(toys, picture.view)(**picture.choices)
        shown.figure(figure, f"toy-{name}", f"toy-{name}", picture.alt, picture.caption)
    as_code(picture.python, "")


def pure_functions(method: type[Method]) -> Iterator[Any]:
    """The functions that stand in the file of a method beside its class, in order: its formula in code."""
    module = sys.modules[method.__module__]
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            yield value


def _code(method: type[Method]) -> None:
    try:
        sources = [inspect.getsource(function) for function in pure_functions(method)]
        st.code("\n\n".join(sources or [inspect.getsource(method)]), language="python", height=460)
    except (OSError, TypeError):
        st.info("The source of this method is not there to be read.", icon=":material/info:")


def _options(method: type[Method]) -> None:
    infos = describe(method)
    if not infos:
        st.markdown("It has no options.")
        return
    columns = {
        "option": [info.name for info in infos],
        "default": [NONE if info.default is None else str(info.default) for info in infos],
        "values": [_values(info) for info in infos],
        "what it does": [info.help for info in infos],
    }
    shown.table(columns, f"options-of-{_name(method)}", f"options-{_name(method)}")


def _values(info: OptionInfo) -> str:
    if info.choices:
        return ", ".join(map(str, info.choices))
    if info.kind == "bool":
        return "true, false"
    low = None if info.low is None else f"{'>' if info.low_exclusive else '≥'} {info.low:g}"
    high = None if info.high is None else f"{'<' if info.high_exclusive else '≤'} {info.high:g}"
    return " and ".join(bound for bound in (low, high) if bound) or info.kind


def _list(heading: str, texts: Sequence[str]) -> None:
    if heading:
        st.markdown(f"**{heading}**")
    st.markdown("\n".join(f"- {text}" for text in texts) or "None that we know of.")


def _published(name: str) -> None:
    rows = [row for row in PUBLISHED if name in row.method.split("+")]
    if not rows:
        st.markdown("There is no published number of this method that is known to us.")
        return
    columns = {
        "dataset": [row.dataset for row in rows],
        "teacher → student": [f"{row.teacher} → {row.student}" for row in rows],
        "student's parameters": [
            NONE if row.student_parameters is None else f"{row.student_parameters:,}" for row in rows
        ],
        "method": [f"{row.method}, {row.variant}" if row.variant else row.method for row in rows],
        "metric": [title_of(row.metric) for row in rows],
        "printed, %": [str(row) for row in rows],
        "student alone, %": [NONE if (alone := _alone(row)) is None else str(alone) for row in rows],
        "source": [row.source for row in rows],
        "protocol": [row.note for row in rows],
    }
    shown.table(columns, f"published-{name}", f"published-{name}")
    note("As printed. The papers' students alone stand beside; what was measured here is on the Compare page.")


def _alone(row: Published) -> Published | None:
    """The same student without a teacher, from the same table."""

    def table(of: Published) -> tuple[object, ...]:
        return of.dataset, of.teacher, of.student, of.student_parameters, of.metric, of.source

    return next((other for other in PUBLISHED if other.method == "none" and table(other) == table(row)), None)


def _try_it(method: type[Method], toy: Toy | None) -> None:
    task = next((task for task in STARTS if task in method.tasks), None)
    if task is None:
        return
    preset, dataset, teacher, student = STARTS[task]
    name = _name(method)
    link("distil", f"Try {plain(method.title)} on {dataset}", preset=preset, method=name)
    if toy is None:
        parts = {"dataset": {"name": dataset}, "teacher": {"name": teacher}, "student": {"name": student}}
        as_code(
            f"import workbench as wb\n\nrun = wb.distill({dataset!r}, {teacher!r}, {student!r}, {name!r})",
            distil_as_command({**parts, "method": [{"name": name}]}),
        )
