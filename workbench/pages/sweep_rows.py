"""Sweeps as rows: how many of their runs are done, how long it will take, and where to compare them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from workbench.pages.frame import link, state_badge
from workbench.pages.wording import duration, plain
from workbench.runs.folder import Run
from workbench.runs.store import runs_root
from workbench.runs.sweep_progress import SweepProgress, SweepRecord, progress_of, runs_of, sweep_records

POLL_SECONDS = 2.0
SHOWN = 20  # the last ones


def show_sweeps(runs: Mapping[str, Run]) -> None:
    """The sweeps whose runs are among ``runs``, the last one first; nothing where there is none."""
    records = sweep_records(runs_root())
    found = [record for record in records if record.process_lives or any(id in runs for id in record.runs)][:SHOWN]
    if not found:
        return
    alive = any(progress_of(record, runs).alive for record in found)
    with st.expander(f"Sweeps: {len(found)}", icon=":material/grid_on:", expanded=alive):
        st.fragment(_rows, run_every=POLL_SECONDS if alive else None)([record.id for record in found], alive)


def _rows(ids: list[str], was_alive: bool) -> None:
    root = runs_root()
    runs, alive = runs_of(root), False
    for record in sweep_records(root):
        if record.id in ids:
            progress = progress_of(record, runs)
            alive = alive or progress.alive
            _row(record, progress)
    if was_alive and not alive:
        st.rerun()  # of the whole page, which then stops polling


def _row(record: SweepRecord, progress: SweepProgress) -> None:
    with st.container(border=True):
        state, name, news, where = st.columns([1.1, 2.5, 5.5, 1.6], vertical_alignment="center")
        with state:
            state_badge(_state(progress))
        name.markdown(f"**{plain(record.name)}**")
        news.progress(progress.share, text=plain(progress_text(progress)))
        with where:
            if progress.done:
                link("compare", "Compare", whose="mine")
    if not progress.alive and progress.waiting:
        st.caption("The command that started it goes on where it was.")


def _state(progress: SweepProgress) -> str:
    if progress.alive:
        return "running"
    if progress.waiting or progress.running:
        return "stopped"
    return "failed" if progress.failed else "done"


def progress_text(progress: SweepProgress) -> str:
    """``12 of 40 done · 1 failed · 2 running · 25 waiting · about 3 min left``."""
    counts = ((progress.failed, "failed"), (progress.running, "running"), (progress.waiting, "waiting"))
    words = [f"{progress.done} of {progress.total} done", *(f"{number} {what}" for number, what in counts if number)]
    if progress.eta_seconds:
        words.append(f"about {duration(progress.eta_seconds)} left")
    return " · ".join(words)
