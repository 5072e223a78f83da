"""Watch a run: progress, curves; stop, resume, delete, and have it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from workbench.pages import class_mode
from workbench.pages.deleted_runs import delete_button, deleted_list, undo_offer
from workbench.pages.frame import all_runs, as_code, explained, is_example, nothing_here, pick_run, state_badge
from workbench.pages.live_numbers import live_numbers
from workbench.pages.run_queue import show_queue
from workbench.pages.run_rows import progress, progress_text
from workbench.pages.shown import figure
from workbench.pages.snippets import view_as_python
from workbench.pages.sweep_rows import show_sweeps
from workbench.pages.tasks import look
from workbench.pages.wording import JUDGES, count, dig, duration, judged_by, percent, plain, score, size, story
from workbench.runs.folder import Run
from workbench.runs.status import Status

POLL_SECONDS = 1.0
STAGES = ("teacher", "student", "plain")
STOP = "After this epoch; the checkpoint is kept, so that it can be resumed."
RESUME = "Go on from the last checkpoint."
ROLES = {"teacher": "Teacher", "student": "Student", "plain": "Student alone"}


def show_watch() -> None:
    """The run that was picked, kept up to date while it is going on."""
    runs = all_runs()
    undo_offer()
    if not runs:
        nothing_here("No run has been started yet: set one up and launch it.", "gallery", "See the starting points")
        deleted_list()
        return
    show_queue(runs)
    show_sweeps(runs)
    run = pick_run(runs)
    if all(map(is_example, runs.values())):
        st.caption("No run of your own has been started yet; this is an example that came with the workbench.")
    for note in st.session_state.get("launch-notes", {}).get(run.id, []):
        st.info(plain(note), icon=":material/info:")
    alive = run.status.alive
    # A fragment polls on its own; without a living run it is drawn once and costs nothing.
    st.fragment(_watch, run_every=POLL_SECONDS if alive else None)(run.path, alive)
    _code(run)
    deleted_list()


def _watch(path: Path, was_alive: bool) -> None:
    run = Run(path)
    status = run.status
    with explained():
        records = run.metrics()  # read once: everything that a poll draws is made of it
        _headline(run, status)
        _verdict(run, status)
        live_numbers(run, status, records)
        if records:
            from workbench.plots import training_curves

            stages = {stage: [r for r in records if r.get("stage") == stage] for stage in STAGES}
            alt = "Three line plots over epochs: weighted loss terms, their gradients, the validation score."
            figure(training_curves.of_records(**stages), f"{run.id}-curves", f"curves-{run.id}", alt)
            if any("step" in record for record in stages["student"]):
                st.caption("Dotted lines: from there on the student learns at the next snapshot, with its new nodes.")
            _loss_terms(run, stages["student"])
        elif status.alive:
            st.caption("The curves appear with the first epoch.")
        for warning in status.warnings:
            st.warning(plain(warning))
        log = run.log()
        if log and not status.alive:
            with st.expander("Log", icon=":material/terminal:"):
                st.code("\n".join(log.splitlines()[-200:]), language=None, height=300)
    if was_alive and not status.alive:
        st.rerun()  # of the whole page, which then stops polling


def _code(run: Run) -> None:
    """Outside of what polls: the same whatever the run is doing, once there is an epoch."""
    student = run.metrics("student")
    python = view_as_python(run.id, "curves")
    if any("cosine" in term for record in student for term in record.get("terms", {}).values()):
        python += "\nwb.plots.terms(run)"
    as_code(python, f"workbench show {run.id}")


def _loss_terms(run: Run, student: list[dict[str, Any]]) -> None:
    """The loss-term lens, for a run that looked through it."""
    from workbench.plots import loss_terms

    if not loss_terms.has_directions(student):
        return
    alt = (
        "Over epochs, a stacked area plot, the share of each loss term, and a line plot, the cosine of its gradient "
        "with that of the labels."
    )
    reading = (
        "Direction: cosine between a term's gradient and that of the loss on the labels, on the student's parameters. "
        "1 pulls the same way, 0 has nothing to do with it; below 0 this term pulls against the labels."
    )
    figure(loss_terms.of_records(student), f"{run.id}-terms", f"terms-{run.id}", alt, reading)


def _headline(run: Run, status: Status) -> None:
    name, button, bin = st.columns([5, 1, 1], vertical_alignment="center")
    with name, st.container(horizontal=True, vertical_alignment="center"):
        state_badge(status.state)
        where = f"on {plain(status.device)}" if status.device else ""
        took = f"took {duration((run.result or {}).get('seconds'))}" if run.result else ""
        st.caption(" · ".join(part for part in (where, took) if part), width="content")
    if class_mode.hidden("launch", "Stopping, resuming and deleting"):
        return
    with button:
        if status.alive and st.button("Stop", icon=":material/stop:", help=STOP, key=f"stop-{run.id}", width="stretch"):
            _stop(run)
        resumable = status.state in ("failed", "stopped", "lost")
        if resumable and st.button(
            "Resume", icon=":material/play_arrow:", help=RESUME, key=f"resume-{run.id}", width="stretch"
        ):
            _resume(run)
    if not status.alive and not is_example(run):
        with bin:
            delete_button(run)


def _stop(run: Run) -> None:
    from workbench.runs.launch import stop

    with st.spinner("Stopping after this epoch; the checkpoint is kept …"):
        stop(run)
    st.rerun()


def _resume(run: Run) -> None:
    from workbench.runs.launch import resume

    resume(run)
    st.rerun()


def _verdict(run: Run, status: Status) -> None:
    """Where it stands, or how it ended."""
    if status.alive:
        st.progress(progress(status), text=plain(progress_text(status)))
    elif status.state == "failed":
        st.error(plain(status.message or "The run failed; its log says more."), icon=":material/error:")
    elif status.state in ("stopped", "lost"):
        st.warning(plain(status.message or f"The run was {status.state}."))
    elif run.result:
        _outcome(run)


def _outcome(run: Run) -> None:
    result = run.result or {}
    st.markdown(story(result))
    what = JUDGES.get(judged_by(result), "accuracy")
    what = f"{'mean' if dig(result, 'steps') else 'test'} {what}"  # the mean is over snapshots
    scored = [role for role in ROLES if dig(result, role) or role != "plain"]
    *scores, parameters, memory = st.columns(len(scored) + 2)
    for cell, role in zip(scores, scored, strict=True):
        cell.metric(f"{ROLES[role]}, {what}", percent(score(result, role)))
    large, small = ((dig(result, role, "parameters"), dig(result, role, "bytes")) for role in ("teacher", "student"))
    parameters.metric("Student's parameters", count(small[0]), help=f"Teacher: {count(large[0])}")
    memory.metric("Student's size", size(small[1]), help=f"Teacher: {size(large[1])}")
    with st.container(horizontal=True, vertical_alignment="center"):
        look(run)
        if st.button("Change it and run again", icon=":material/edit:", type="tertiary", key=f"copy-{run.id}"):
            st.query_params.from_dict({"view": "set-up", "copy": run.id})
            st.rerun()
