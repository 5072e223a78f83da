"""Dynamic graph: links over time, or the graphs that models of point clouds build, whatever the chosen run has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.datasets.base import Holds
from workbench.errors import WorkbenchError
from workbench.pages import cloud_page, snapshot_page
from workbench.pages.frame import all_runs, explained, is_example, link, nothing_here, pick_run, state_badge
from workbench.pages.slots import shown_elsewhere
from workbench.pages.tasks import held_of
from workbench.pages.wording import plain
from workbench.plots.cloud_arrays import has_clouds
from workbench.plots.evolution_arrays import has_snapshots, online_steps
from workbench.runs.folder import Run


def show() -> None:
    st.title("Dynamic graph")
    found = all_runs()
    runs = {id: run for id, run in found.items() if _changes(run)}
    shown_elsewhere([run for id, run in found.items() if id not in runs], "is a run on a graph that does not change.")
    if not runs:
        nothing_here(
            "There is no run on a graph that changes yet. Distil one: choose the dataset *builtin\\-communities*, "
            "whose communities are born, merge, split and die, and the method *distill2vec*; or *builtin\\-shapes* "
            "and *lsp*, whose models build their graphs themselves.",
            "distil",
            "Set up a run",
        )
        return
    runs = dict(sorted(runs.items(), key=lambda item: (is_example(item[1]), item[1].status.state != "done")))
    left, right = st.columns(2)
    with left:
        run = pick_run(runs, "Left")
    with explained():
        if _has(run, "clouds", has_clouds):
            _of_clouds(run, list(runs.values()), right)
        else:
            _of_snapshots(run, list(runs.values()), right)


def _of_clouds(run: Run, runs: Sequence[Run], second: DeltaGenerator) -> None:
    if run.status.state != "done" or not has_clouds(run):
        _unfinished(run, "point clouds")
        return
    with second:
        beside = cloud_page.pick_plain(run, runs)
    cloud_page.show(run, beside)


def _of_snapshots(run: Run, runs: Sequence[Run], second: DeltaGenerator) -> None:
    if run.status.state != "done" or not has_snapshots(run) or not online_steps(run):
        _unfinished(run, "snapshots")
        return
    with second:
        beside = snapshot_page.pick_right(run, runs)
    snapshot_page.show(run, beside, runs)


def _changes(run: Run) -> bool:
    """Whether this page shows the run: on snapshots, or on point clouds."""
    return _has(run, "snapshots", has_snapshots) or _has(run, "clouds", has_clouds)


def _has(run: Run, held: Holds, stored: Callable[[Run], bool]) -> bool:
    """Whether the run has stored what a figure needs, or will when it is finished."""
    try:
        return stored(run) or held_of(run) == held
    except (WorkbenchError, KeyError, TypeError, AttributeError):
        return False


def _unfinished(run: Run, what: str) -> None:
    status = run.status
    state_badge(status.state)
    st.markdown(f"This run has no {what} to show. {plain(status.message)}")
    link("distil", "Watch or resume it", view="watch", run=run.id)
