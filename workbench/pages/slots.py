"""The two slots of every page that compares models on the nodes of one graph: which one is left, which one right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages.frame import all_runs, choose, is_example, link, nothing_here, pick_run, state_badge, title
from workbench.pages.player import PLAYING, time_slider
from workbench.pages.tasks import look, page_of
from workbench.pages.wording import plain
from workbench.runs.folder import Run
from workbench.runs.side import Side, Who, fingerprint_of, kept_epochs

SAME = "same"  # in the right slot: the run of the left one
BEST = 0  # stands for the best epoch
OTHER_TASK = "is no run on the nodes of one graph, which this page compares."
MODELS: tuple[Who, ...] = ("teacher", "student")


def two_slots(what: str) -> tuple[Side, Side] | None:
    """Pick what is compared, in the same place on every page; None where there is nothing to show, which is said.

    ``what`` this page shows, in a message: "embeddings". The left slot holds a run's teacher at first and the right
    one its student; both may be any model of any run on the same graph. The right one is at its best epoch until
    :func:`epoch_film` moves it.
    """
    found = all_runs()
    runs = {id: run for id, run in found.items() if page_of(run) == "embeddings"}
    shown_elsewhere([run for id, run in found.items() if id not in runs])
    if not runs:
        nothing_here("There is no run to look at yet: distil a first one.", "distil", "Set up a run")
        return None
    # Finished runs first: that is what these pages are for. But one's own come before any example.
    runs = dict(sorted(runs.items(), key=lambda item: (is_example(item[1]), item[1].status.state != "done")))
    left_cell, right_cell = st.columns(2)
    with left_cell, st.container(border=True):
        run, left = _left(runs)
    if run.status.state != "done" or run.result is None:
        _unfinished(run, what)
        return None
    with right_cell, st.container(border=True):
        return left, _right(run, runs)


def epoch_film(right: Side, label: str = "Right, after epoch") -> Side:
    """A slider with play and pause over the kept epochs of a student on the right, for use in a ``player.film``."""
    kept = kept_epochs(right.run) if right.who == "student" else []
    if not kept:
        if st.session_state.get(PLAYING):
            st.session_state[PLAYING] = False
            st.rerun()  # of the whole page, which ends the pace of the fragment
        return right
    names = {epoch: str(epoch) for epoch in kept} | {BEST: "best"}
    epoch = time_slider(label, [*kept, BEST], names.__getitem__, "right-epoch", BEST)
    return Side(right.run, right.who, None if epoch == BEST else epoch)


def _left(runs: Mapping[str, Run]) -> tuple[Run, Side]:
    run = pick_run(dict(runs), "Left")
    with st.container(horizontal=True, vertical_alignment="center"):
        who = _who("left", "teacher")
        if who == "teacher" or not (kept := kept_epochs(run)):
            return run, Side(run, who)
        names = {BEST: "best epoch"} | {epoch: f"epoch {epoch}" for epoch in kept}
        help = "Of the student: its best epoch, by validation, or one whose picture was kept."
        how: dict[str, Any] = {"format_func": names.__getitem__, "width": 160, "help": help}
        epoch = choose(st.selectbox, "Epoch", "left-epoch", list(names), **how)
    return run, Side(run, who, None if epoch == BEST else epoch)


def _right(run: Run, runs: Mapping[str, Run]) -> Side:
    others = {id: other for id, other in runs.items() if id != run.id and _comparable(run, other)}
    names = {SAME: "The same run"} | {id: f"{title(other)} ({id[-12:]})" for id, other in others.items()}
    help = "What the left one is held against: the same run, or another one on the same graph."
    how: dict[str, Any] = {"format_func": names.__getitem__, "help": help}
    chosen = choose(st.selectbox, "Right", "right-run", list(names), SAME, "run", **how)
    return Side(others.get(chosen, run), _who("right", "student"))


def _who(name: str, default: Who) -> Who:
    help = "The teacher of the run, or the student that was distilled from it."
    how: dict[str, Any] = {"format_func": str.capitalize, "required": True, "help": help}
    return choose(st.segmented_control, f"Model on the {name}", name, MODELS, default, **how)


def _comparable(run: Run, other: Run) -> bool:
    """Whether ``other`` is finished and on the same graph."""
    try:
        return other.status.state == "done" and None is not fingerprint_of(run) == fingerprint_of(other)
    except WorkbenchError:
        return False


def shown_elsewhere(others: Sequence[Run], because: str = OTHER_TASK) -> None:
    """Say where the run that the address names can be seen, when it is not one of those below."""
    wanted = st.query_params.get("run")
    run = next((run for run in others if run.id == wanted), None)
    if run is None:
        return
    with st.container(border=True):
        st.markdown(f"**{plain(title(run))}** {because}")
        look(run)
    st.query_params.pop("run")  # another run is shown below


def _unfinished(run: Run, what: str) -> None:
    status = run.status
    state_badge(status.state)
    st.markdown(f"This run has no {what} to show. {plain(status.message)}")
    link("distil", "Watch or resume it", view="watch", run=run.id)
