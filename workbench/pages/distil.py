"""Distil: set up a run, launch it, watch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.errors import UsageError, WorkbenchError
from workbench.pages.frame import as_code, choose, explained
from workbench.pages.presets import PRESETS
from workbench.pages.snippets import distil_as_command, distil_as_python
from workbench.pages.starts import long_form, long_methods
from workbench.pages.watch import show_watch
from workbench.pages.wording import plain, relative_size, size, title_of
from workbench.runs.store import find_run
from workbench.spec import Spec

DEFAULT = "five-minute-demo"


def show() -> None:
    st.title("Distil")
    view = choose(
        st.segmented_control,
        "View",
        "view",
        ["set-up", "watch"],
        format_func={"set-up": "Set up a run", "watch": "Watch the runs"}.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    if view == "watch":
        show_watch()
    else:
        _set_up()


def _set_up() -> None:
    from workbench.pages import set_up

    key, start, seeds = _start()
    left, right = st.columns(2)
    with left, st.container(border=True):
        dataset, of = set_up.dataset_part(start, key)
    with left, st.container(border=True):
        teacher = set_up.teacher_part(of)
    with left, st.container(border=True):
        student, target = set_up.student_part(of)
    with right, st.container(border=True):
        method = set_up.method_part(of)
    with right, st.container(border=True):
        st.subheader("Run")
        sizes = st.container()
        seed_list, device, umap = set_up.run_part(start, seeds, key, with_umap=of.task == "node classification")
        online = set_up.online_part(of)
        with st.expander("Training options", icon=":material/tune:"):
            training = set_up.training_part(of, teacher["name"], student["name"])
            control = set_up.control_part(of)
        document: dict[str, Any] = {"dataset": dataset, "teacher": teacher, "student": student, "method": method}
        document |= {**training, **online, **control, "device": device, "umap": umap}
        document |= {"preset": of.preset} if of.preset else {}
        with explained():
            if not method:
                raise UsageError("choose at least one method; “none” trains the student alone")
            spec = Spec.parse(document | {"seed": seed_list[0]}, "")
            with sizes:
                _size_up(spec, document, target)
            _launch_part(document, seed_list)


def _start() -> tuple[str, Mapping[str, Any], int]:
    """Where the form starts: a prefix for its widgets, a spec as plain data, and the number of seeds.

    The address may name a preset (``?preset=``) or a run to copy (``?copy=``). Otherwise the form goes on from
    what it was filled with before.
    """
    given = (st.query_params.get("preset"), st.query_params.get("copy"))
    if any(given) and given != st.session_state.get("started-from"):
        document, seeds = _named_start(*given)
        number = st.session_state.get("start-number", 0) + 1
        st.session_state.update({"started-from": given, "start-number": number, "start": (document, seeds)})
    document, seeds = st.session_state.setdefault("start", _preset(DEFAULT))
    return f"set-up-{st.session_state.get('start-number', 0)}", document, seeds


def _named_start(preset: str | None, copy: str | None) -> tuple[Mapping[str, Any], int]:
    try:
        if copy:
            return find_run(copy).document, 1
        if preset in PRESETS:
            return _preset(str(preset))
        raise UsageError(f"there is no starting point {preset!r}")
    except WorkbenchError as error:
        st.warning(f"{plain(error)}. The form starts with “{PRESETS[DEFAULT].title}” instead.")
        return _preset(DEFAULT)


def _preset(name: str) -> tuple[Mapping[str, Any], int]:
    """A preset with every part written as a mapping, as in a run's document."""

    document = dict(PRESETS[name].document)
    document |= {part: long_form(document[part]) for part in ("dataset", "teacher", "student")}
    document["method"] = long_methods(document["method"])
    return document, PRESETS[name].seeds


def _size_up(spec: Spec, document: dict[str, Any], target: Any) -> None:
    """Show how large both models are; where a budget is set, put the width that meets it into ``document``."""
    from workbench.models.budget import parameter_bytes
    from workbench.pages.sizes import parameters, widths_of

    widths = widths_of(spec)
    if widths is None:
        if target.unit != "by hand":
            raise UsageError("a budget needs the dataset, which is not on this disk: choose the student's size by hand")
        st.caption("Sizes are known once the dataset is on this disk.")
        return
    student = spec.student
    if target.unit != "by hand":
        student = target.solve(spec.student, spec.teacher, widths).config
        option = student.width_option
        document["student"] = {**document["student"], option: getattr(student, option)}
    large, small = parameters(spec.teacher, widths.teacher), parameters(student, widths.student)
    cells = st.columns([1, 1, 1.4])
    cells[0].metric("Teacher's parameters", f"{large:,}", help=f"{size(parameter_bytes(large))} in float32.")
    cells[1].metric("Student's parameters", f"{small:,}", help=f"{size(parameter_bytes(small))} in float32.")
    cells[2].metric("The student is", relative_size(large / small))
    if target.unit != "by hand":
        st.caption(
            f"{title_of(student.width_option)} {getattr(student, student.width_option)} is the widest that fits."
        )
    if small > large:
        st.warning("The student is larger than its teacher. That is allowed, but it is no compression.")


def _launch_part(document: Mapping[str, Any], seeds: Sequence[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        label = "Launch" if len(seeds) == 1 else f"Launch {len(seeds)} runs"
        pressed = st.button(label, type="primary", icon=":material/rocket_launch:", key="launch")
        fresh = st.checkbox("Run it again even if it is finished", key="fresh")
    if pressed:
        _launch(document, seeds, fresh)
    as_code(distil_as_python(document, seeds), distil_as_command(document, seeds))


def _launch(document: Mapping[str, Any], seeds: Sequence[int], fresh: bool) -> None:
    """Start one run per seed and go to watch the first."""
    from workbench.runs.launch import launch

    specs = [Spec.parse({**document, "seed": seed}, "") for seed in seeds]
    bar = st.progress(0.0, text="Checking the spec …")
    notes = st.session_state.setdefault("launch-notes", {})
    launched = [
        launch(spec, fresh=fresh, progress=lambda text, share: bar.progress(min(share, 1.0), plain(text)))
        for spec in specs
    ]
    news = {
        "finished": "This very spec has already been run; here is its result.",
        "running": "This very spec is already on its way; here it is.",
        "resumed": "This spec was begun before; it goes on from its checkpoint.",
    }
    for one in launched:
        notes[one.run.id] = [*([news[one.status]] if one.status in news else []), *one.notes]
    st.query_params.update({"view": "watch", "run": launched[0].run.id})
    st.rerun()
