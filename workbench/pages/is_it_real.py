"""Is it real? The controls of a run: what they ask, which of them are finished, and what they say."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages import class_mode, control_rows, shown
from workbench.pages.control_rows import Places, why_not
from workbench.pages.frame import (
    all_runs,
    as_code,
    choose,
    explained,
    is_example,
    link,
    note,
    nothing_here,
    pick_run,
    state_badge,
    title,
)
from workbench.pages.run_rows import POLL_SECONDS, live_rows
from workbench.pages.snippets import view_as_python
from workbench.pages.tasks import look
from workbench.pages.wording import plain
from workbench.runs.control_table import SAME_UPDATES
from workbench.runs.folder import Run

if TYPE_CHECKING:
    from workbench.runs.control_launch import Place

SEEDS = range(1, 11)
ROWS = 8  # of live runs; the table of states names them all
ASKED = "controls-asked"


def show() -> None:
    st.title("Is it real?")
    st.markdown(
        "A distilled student is better than before: because of what its teacher **knows**, or of something else that "
        "came along? Each control leaves the knowledge out and keeps one such thing. A control that does as well as "
        "the method explains the gain."
    )
    found = all_runs()
    _refused(found)
    runs = {id: run for id, run in found.items() if why_not(run) is None}
    if not runs:
        nothing_here("There is no run to question yet: distil a first one.", "distil", "Set up a run")
        return
    runs = dict(sorted(runs.items(), key=lambda item: (is_example(item[1]), item[1].status.state != "done")))
    run_cell, seeds_cell = st.columns([5, 3])
    with run_cell, st.container(border=True):
        run = pick_run(runs)
    with explained():
        with st.spinner("Reading the specs …"):  # the first one imports torch, which takes a moment
            from workbench.runs.control_launch import seeds_of

        used = seeds_of(run, found.values())
        with seeds_cell, st.container(border=True):
            number = choose(
                st.select_slider,
                "Seeds",
                "seeds",
                list(SEEDS),
                min(len(used), SEEDS[-1]),
                help="How many seeds the method and every control are run with. Two make a test, five a fair one; "
                "every seed takes six runs.",
            )
        _controls(run, tuple(control_rows.seeds_for(run, number, used)), found)


def _controls(run: Run, seeds: tuple[int, ...], runs: Mapping[str, Run]) -> None:
    places = control_rows.places(run, seeds, runs)
    if late := _second_stage(places, run, seeds):
        _start(late, run, seeds)
    control_rows.questions()
    _start_button(places, run, seeds)
    alive = control_rows.going_on(places)
    st.fragment(_standing, run_every=POLL_SECONDS if alive else None)(run.path, seeds, bool(alive))
    if alive:
        with st.expander(f"Runs on their way ({len(alive)})", icon=":material/progress_activity:"):
            live_rows(alive[:ROWS])
    command = f"workbench controls --spec {shlex.quote(str(run.path / 'spec.yaml'))} --seeds {_listed(seeds)}"
    as_code(view_as_python(run.id, "controls", seeds=list(seeds)), command)


def _standing(path: Path, seeds: Sequence[int], was_alive: bool) -> None:
    """Everything that changes while the controls run."""
    with explained():
        run = Run(path)
        places = control_rows.places(run, seeds, all_runs())
        alive = bool(control_rows.going_on(places))
        if was_alive != alive or _second_stage(places, run, seeds):
            st.rerun()  # of the whole page: it starts the second stage, and stops polling when nothing is left
        _results(run, places)
        st.subheader("How far is it?")
        shown.table(control_rows.state_columns(places), f"{run.id}-control-runs", "control-runs")


def _results(run: Run, places: Places) -> None:
    from workbench.plots import control_intervals
    from workbench.runs.control_launch import table_of_places

    table = table_of_places(run.spec, places)
    if all(row.summary is None for row in table.rows):
        st.info("Nothing is finished yet: the comparison appears with the first results.", icon=":material/info:")
        return
    if any(row.difference for row in table.rows):
        alt = "For every control, the difference between method and control with its 95 % interval, beside zero."
        shown.figure(
            control_intervals.of_table(table),
            f"{run.id}-controls",
            f"controls-{run.id}",
            alt,
            "Right of the line the method is better than the control. An interval that holds 0 shows no difference, "
            "and no equality either: with few seeds it is wide. All students are judged on the same test nodes.",
        )
    else:
        st.info("No control is finished for a seed of the method yet.", icon=":material/info:")
    cells = list(zip(*table.cells(), strict=True))
    shown.table(
        {name: list(column) for name, column in zip(table.columns, cells, strict=True)},
        f"{run.id}-control-table",
        "control-table",
    )
    for text in table.notes:
        if "not finished" not in text:  # the table below says of every run how far it is
            note(plain(text))


def _start_button(places: Places, run: Run, seeds: tuple[int, ...]) -> None:
    if class_mode.hidden("launch", "Starting what is missing"):
        return
    missing = control_rows.startable(places, again=True)
    later = control_rows.waiting(places)
    if not missing and not later:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        several = f"Start {len(missing)} missing run{'s' if len(missing) != 1 else ''}"
        if missing and st.button(several, type="primary", icon=":material/rocket_launch:", key="start-controls"):
            _start(missing, run, seeds)
        if later:
            st.caption(
                f"{later} more, with as many updates as the method makes, can start once that is finished: "
                f"this page does it while it is open."
            )


def _second_stage(places: Places, run: Run, seeds: Sequence[int]) -> list[Place]:
    """What can be started now that the method is finished, where somebody has asked for it; each once only."""
    started = st.session_state.get(ASKED, {}).get((run.id, tuple(seeds)))
    if started is None:
        return []
    return [
        place for place in places[SAME_UPDATES] if place.startable() and place.spec and place.spec.id not in started
    ]


def _start(wanted: Sequence[Place], run: Run, seeds: tuple[int, ...]) -> None:
    """Launch and draw the page again; what cannot be started is said once and not tried again."""
    from workbench.runs.control_launch import start_places

    asked = st.session_state.setdefault(ASKED, {})
    asked.setdefault((run.id, seeds), set()).update(place.spec.id for place in wanted if place.spec is not None)
    bar = st.progress(0.0, text="Checking …")
    try:
        start_places(wanted, progress=lambda what, share: bar.progress(min(share, 1.0), plain(what)))
    except WorkbenchError:
        asked.pop((run.id, seeds))
        bar.empty()
        raise
    st.rerun()


def _refused(found: Mapping[str, Run]) -> None:
    """Say why the run that the address names is none of those below, and where it can be seen."""
    run = found.get(st.query_params.get("run") or "")
    if run is None or (why := why_not(run)) is None:
        return
    with st.container(border=True):
        state_badge(run.status.state)
        st.markdown(f"**{plain(title(run))}** {why}")
        if run.status.state == "done":
            look(run)
        else:
            link("distil", "See what became of it", view="watch", run=run.id)
    st.query_params.pop("run")  # another run is shown below


def _listed(seeds: Sequence[int]) -> str:
    whole = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"{seeds[0]}-{seeds[-1]}" if whole and len(seeds) > 1 else ",".join(map(str, seeds))
