"""Distil: set up a run, launch it, watch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any

import streamlit as st

from workbench.errors import UsageError, WorkbenchError
from workbench.pages import class_mode
from workbench.pages.frame import as_code, choose, explained, link
from workbench.pages.presets import PRESETS
from workbench.pages.snippets import distil_as_command, distil_as_python
from workbench.pages.starts import from_run, long_form, long_methods
from workbench.pages.tasks import look
from workbench.pages.watch import show_watch
from workbench.pages.wording import by_line
from workbench.registry import methods
from workbench.runs.folder import Run
from workbench.runs.store import find_run, list_runs
from workbench.spec import Spec

DEFAULT = "five-minute-demo"
LOST = "Not everything of that run could be taken into the form; what is usual stands there instead."


def show() -> None:
    st.title("Distil")
    view = choose(
        st.segmented_control,
        "View",
        "view",
        ["set-up", "watch"],
        format_func={"set-up": "Set up a run", "watch": "Watch the runs"}.__getitem__,
        label_visibility="collapsed",
        help="Set up a run, or watch those that there are.",
        required=True,
    )
    if view == "watch":
        show_watch()
    else:
        for news in ("deleted", "launch-faults"):  # somebody has read them, and goes on
            st.session_state.pop(news, None)
        with explained():
            _set_up()


def _set_up() -> None:
    from workbench.pages import set_up
    from workbench.pages.budget_dial import size_up
    from workbench.pages.form_parts import form_parts, training_options
    from workbench.pages.run_queue import each_method, wanted_specs

    key, start, seeds = _start()
    if said := st.session_state.get("start-news"):
        st.warning(said)
    left, right = st.columns(2)
    of, dataset, teacher, student, target, method, compare = form_parts(start, key, left, right)
    with right, st.container(border=True):
        st.subheader("Run")
        sizes = st.container()
        runs = list_runs()
        seed_list, device, umap = set_up.run_part(start, seeds, key, of.held == "graph", runs)
        online = set_up.online_part(of)
        training = training_options(of, teacher["name"], student["name"])
        document: dict[str, Any] = {"dataset": dataset, "teacher": teacher, "student": student, "method": method}
        document |= {**training, **online, "device": device, "umap": umap}
        document |= {"preset": of.preset} if of.preset else {}
        with explained():
            if not method:
                raise UsageError("choose at least one method; “none” trains the student alone")
            first = each_method(document, compare)[0]
            with sizes:
                size_up(Spec.parse(first | {"seed": seed_list[0]}, ""), document, target, runs)
            documents = each_method(document, compare)
            _launch_part(documents, seed_list, wanted_specs(documents, seed_list))


def _start() -> tuple[str, Mapping[str, Any], int]:
    """Where the form starts: a prefix for its widgets, a spec as plain data, and the number of seeds.

    The address may name a preset (``?preset=``) or a run to copy (``?copy=``), and another method than theirs
    (``?method=``). Otherwise the form goes on from what it was filled with before.
    """
    given = tuple(st.query_params.get(name) for name in ("preset", "copy", "method"))
    if any(given) and given != st.session_state.get("started-from"):
        document, seeds, said = _named_start(*given)
        number = st.session_state.get("start-number", 0) + 1
        start = {"start": (document, seeds), "start-number": number, "start-news": said}
        st.session_state.update({"started-from": given, **start})
    document, seeds = st.session_state.setdefault("start", _preset(DEFAULT))
    return f"set-up-{st.session_state.get('start-number', 0)}", document, seeds


def _named_start(preset: str | None, copy: str | None, method: str | None) -> tuple[Mapping[str, Any], int, str]:
    """A spec as plain data, the number of seeds, and what could not be had as the address says it."""
    try:
        if preset and preset not in PRESETS:
            raise UsageError(f"there is no starting point {preset!r}")
        if method and method not in methods:
            raise UsageError(f"there is no method {method!r}")
        document, seeds = (find_run(copy).document, 1) if copy else _preset(preset or DEFAULT)
        document = document | {"method": long_methods(method)} if method else document
        document, lost = from_run(document) if copy else (document, [])
        return document, seeds, by_line("\n".join([LOST, *lost])) if lost else ""
    except WorkbenchError as error:
        title = PRESETS[DEFAULT].title
        return *_preset(DEFAULT), by_line(f"{error}. The form starts with “{title}” instead.")


def _preset(name: str) -> tuple[dict[str, Any], int]:
    """A preset with every part written as a mapping, as in a run's document."""

    document = dict(PRESETS[name].document)
    document |= {part: long_form(document[part]) for part in ("dataset", "teacher", "student")}
    document["method"] = long_methods(document["method"])
    return document, PRESETS[name].seeds


def _launch_part(documents: Sequence[Mapping[str, Any]], seeds: Sequence[int], specs: Sequence[Spec]) -> None:
    """What would be launched, what there is of it already, and the buttons."""
    from workbench.pages.run_queue import earlier_run, launch_all

    there = [run for run in map(earlier_run, specs) if run is not None]
    states = [run.status.state for run in there]
    done, alive = states.count("done"), sum(run.status.alive for run in there)
    several, all_done = len(specs) > 1, done == len(specs)
    if several:
        st.markdown(_how_many(len(documents), len(seeds), done, alive))
    elif there:
        _offer(there[0])
    if class_mode.hidden("launch", "Launching"):
        return
    fresh = False
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Launch {len(specs)} runs" if several else "Launch"
        label = "Look at the result" + "s" * several if all_done else label
        icon = ":material/visibility:" if all_done else ":material/rocket_launch:"
        pressed = st.button(label, type="primary", icon=icon, key="launch")
        if several and done:
            fresh = st.checkbox("Finished ones too, again", key="fresh", help="They become runs of their own.")
        elif done:
            fresh = st.button("Run it again", icon=":material/replay:", key="again", help="As a run of its own.")
    if pressed or (fresh and not several):
        with explained():  # where nothing starts, the rest of the page stays
            launch_all(specs, fresh)
    python, command = _snippets(documents, seeds)
    as_code(python, command)


def _how_many(methods: int, seeds: int, done: int, alive: int) -> str:
    of = f"{methods} methods × {seeds} seed{'s' if seeds > 1 else ''}" if methods > 1 else f"{seeds} seeds"
    already = [f"{number} {what}" for number, what in ((done, "finished already"), (alive, "on the way")) if number]
    return f"{of}: **{methods * seeds} runs**" + (f", of which {' and '.join(already)}." if already else ".")


def _offer(run: Run) -> None:
    """The run of this very spec, where there is one."""
    status = run.status
    if status.state == "done":
        st.info("This very spec has been run: look at its result, or run it again.", icon=":material/history:")
        look(run)
    elif status.alive:
        st.info("This very spec is on its way: launching it leads there.", icon=":material/history:")
        link("distil", "Watch it", view="watch", run=run.id)
    else:
        st.info(
            f"This very spec was begun before and is {status.state}: launching it goes on from its checkpoint.",
            icon=":material/history:",
        )


def _snippets(documents: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> tuple[str, str]:
    """The same in Python and as commands: one after another, where methods are compared."""
    commands = "\n".join(distil_as_command(document, seeds) for document in documents)
    if len(documents) == 1:
        return distil_as_python(documents[0], seeds), commands
    head, found = "import workbench as wb\n\n", []
    for document in documents:
        _, _, call = distil_as_python(document, seeds).removeprefix(head).partition(" = ")
        name = document["method"][0]["name"].replace("-", "_")
        found.append(f"{name if name.isidentifier() and not iskeyword(name) else f'{name}_'} = {call}")
    return head + "\n".join(found), commands
