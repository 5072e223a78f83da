"""Runs as rows: what it is, how it is doing, what came out, where to look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from workbench.pages.frame import explained, link, state_badge, title
from workbench.pages.tasks import look
from workbench.pages.wording import JUDGES, duration, judged_by, percent, plain, relative_size, score
from workbench.runs.folder import Run
from workbench.runs.status import Status

POLL_SECONDS = 2.0


def live_rows(runs: Sequence[Run]) -> None:
    """Rows that keep themselves up to date while one of the runs is going on, and cost nothing otherwise."""
    alive = any(run.status.alive for run in runs)
    st.fragment(_rows, run_every=POLL_SECONDS if alive else None)([run.path for run in runs], alive)


def _rows(paths: Sequence[Path], alive: bool) -> None:
    runs = [Run(path) for path in paths if path.is_dir()]
    for run in runs:
        with explained():
            run_row(run)
    if alive and not any(run.status.alive for run in runs):
        st.rerun()  # of the whole page, which then stops polling


def run_row(run: Run, beside: Callable[[Run, Status], None] | None = None) -> None:
    """One run; ``beside`` draws a last cell, for a button, say."""
    status = run.status
    widths = [1.1, 4, 4, 1.6, 1.3] if beside else [1.1, 4, 4, 1.6]
    with st.container(border=True):
        state, name, news, where, *last = st.columns(widths, vertical_alignment="center")
        with state:
            state_badge(status.state)
        name.markdown(f"**{plain(title(run))}**")
        with news:
            _news(run, status)
        with where:
            if status.state == "done":
                look(run, short=True)
            else:
                link("distil", "Watch" if status.alive else "See why", view="watch", run=run.id)
        if beside:
            with last[0]:
                beside(run, status)


def _news(run: Run, status: Status) -> None:
    if status.alive:
        st.progress(progress(status), text=plain(progress_text(status)))
    elif status.state == "done":
        result = run.result or {}
        teacher, student = score(result, "teacher"), score(result, "student")
        what = f"{JUDGES[metric]} " if (metric := judged_by(result)) in JUDGES else ""
        st.markdown(f"{what}{percent(teacher)} → **{percent(student)}**, {relative_size(result.get('compression'))}")
    else:
        st.caption(plain(status.message or progress_text(status)))


def progress(status: Status) -> float:
    """Share of the epochs of the present stage that are done, 0..1."""
    return min(status.epoch / status.epochs, 1.0) if status.epochs else 0.0


def progress_text(status: Status) -> str:
    text = f"{status.stage} · epoch {status.epoch} of {status.epochs}" if status.epochs else status.stage
    return text if status.eta_seconds is None else f"{text} · at most {duration(status.eta_seconds)} left here"
