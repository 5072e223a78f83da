"""Parts that pages share: choices that live in the address, the run picker, links, and errors for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages import class_mode
from workbench.pages.navigation import pages
from workbench.pages.wording import STATES, by_line, plain
from workbench.runs.folder import Run
from workbench.runs.store import demo_runs, list_runs, runs_root

T = TypeVar("T")
RUNS = "Runs of the command line and of notebooks are here as well."


@contextmanager
def explained() -> Iterator[None]:
    """Show a WorkbenchError of the block as a message; a run folder may vanish or be damaged at any time.

    So an error of the file system is one too.
    """
    try:
        yield
    except WorkbenchError as error:
        st.error(by_line(error), icon=":material/error:")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        st.error(plain(f"A file cannot be read or written: {error.strerror or error}{where}."), icon=":material/error:")


def choose(
    widget: Callable[..., T | None],
    label: str,
    name: str,
    options: Sequence[T],
    default: T | None = None,
    noun: str = "",
    **more: Any,
) -> T:
    """A widget whose value is the parameter ``name`` of the address, so that a link shows the same thing.

    A value in the address that is not (any more) among ``options`` falls back to the default, with a message that
    calls it a ``noun`` (the label, where there is none). In class mode the widget may be hidden; its value holds.
    """
    key, seen = f"choice-{name}", f"choice-{name}-seen"
    given = st.query_params.get(name)
    if given is not None and (given != st.session_state.get(seen) or key not in st.session_state):
        by_text = {str(option): option for option in options}
        if given in by_text:
            st.session_state[key] = by_text[given]
        else:
            st.session_state.pop(key, None)
            message = f"There is no {plain(noun or label.lower())} “{plain(given)}” here; showing another one instead."
            st.toast(message, icon=":material/warning:", duration="long")
    # Set even where it is there: after a change of page the widget is a new one, which would begin with the first.
    kept = st.session_state.get(key)
    st.session_state[key] = kept if kept in options else options[0] if default is None else default
    if class_mode.hidden(name, label):
        value = st.session_state[key] = st.session_state[key]  # a widget that is not drawn would be forgotten
    else:
        value = widget(label, options, key=key, **more)
    value = options[0] if value is None else value
    st.session_state[seen] = str(value)
    if given != str(value):
        st.query_params[name] = str(value)
    return value


def all_runs() -> dict[str, Run]:
    """Runs of this workbench, newest first, and then the demo runs, by their id."""
    found: dict[str, Run] = {}
    for run in [*list_runs(), *demo_runs()]:
        found.setdefault(run.id, run)
    return found


def is_example(run: Run) -> bool:
    """Whether a run came with the workbench."""
    return run.path.parent != runs_root()


def pick_run(runs: dict[str, Run], label: str = "Run", help: str = RUNS) -> Run:
    """The run picker; the choice is remembered from page to page. ``runs`` must not be empty."""
    ids = list(runs)
    last = st.session_state.get("last-run")
    titles = {id: title(run) + (" · example" if is_example(run) else "") for id, run in runs.items()}
    twice = {text for text in titles.values() if list(titles.values()).count(text) > 1}

    def shown(id: str) -> str:
        return f"{titles[id]} ({id[-12:]})" if titles[id] in twice else titles[id]

    id = choose(st.selectbox, label, "run", ids, last if last in runs else None, "run", format_func=shown, help=help)
    st.session_state["last-run"] = id
    return runs[id]


def title(run: Run) -> str:
    """The run's title, or its id where its spec cannot be read."""
    try:
        return run.title
    except (WorkbenchError, KeyError, TypeError):
        return run.id


def state_badge(state: str) -> None:
    colour, icon = STATES[state]
    st.badge(state, icon=icon, color=colour)


def link(page: str, label: str, **parameters: str) -> None:
    """A link to another page, with the parameters of its address."""
    st.page_link(pages()[page], label=label, query_params=parameters or None)


def nothing_here(message: str, page: str, label: str) -> None:
    """An empty state: what is missing, and where to go."""
    with st.container(border=True):
        st.markdown(message)
        link(page, label)


def note(text: str) -> None:
    """How to read what stands above; Markdown."""
    if not class_mode.hidden("notes"):
        st.caption(text)


def as_code(python: str, command: str) -> None:
    """What is on the screen, as Python, as a command and as a link."""
    if not class_mode.hidden("code"):
        with st.expander("Copy as Python or as a command", icon=":material/content_copy:"):
            st.code(python, language="python")
            if command:
                st.code(command, language="bash", wrap_lines=True)
    class_mode.share()
