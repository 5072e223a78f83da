"""How the runs of a method and its controls stand, seed by seed, and what can be started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages.run_rows import progress
from workbench.pages.tasks import task_of
from workbench.pages.wording import NONE, percent, score
from workbench.runs.control_table import QUESTIONS
from workbench.runs.folder import Run

if TYPE_CHECKING:
    from workbench.runs.control_launch import Place
    from workbench.runs.controls import Plan

Places = Mapping[str, Sequence["Place"]]
CONTROLS = ("none", "label-smoothing")  # methods that use no teacher
SNAPSHOTS = "is on snapshots, which have no labels. Such a run trains the student alone beside the distilled one:"
LIVE = "was made from live Python objects. `wb.controls` takes your own data, in your own Python."
CONTROL = "is a control itself: choose the run of a method to hold it against."
DAMAGED = "cannot be read: its folder is damaged or half written."

HOW = {  # of every control, what it is
    "student alone": "The same student and training, on the labels only.",
    "student alone, same updates": "The labels only, for as many epochs as the distilled student made.",
    "label smoothing": "Labels of which a tenth is spread over all classes.",
    "untrained teacher": "The same method, with a teacher that keeps its initial weights.",
    "label-shuffled teacher": "The same method, with a teacher that learnt from permuted labels.",
}


def questions() -> None:
    with st.expander("What the five controls are", icon=":material/help:"):
        st.markdown("\n".join(f"- **{name}** – *{question}* {HOW[name]}" for name, question in QUESTIONS.items()))


def why_not(run: Run) -> str | None:
    """Why a run has no controls, as the end of a sentence; None where it has."""
    try:
        document = run.document
        parts = [document[part]["name"] for part in ("dataset", "teacher", "student")]
        methods = [part["name"] for part in document["method"]]
        if not isinstance(document.get("seed", 0), int):
            return DAMAGED
    except (WorkbenchError, KeyError, TypeError):
        return DAMAGED
    if task_of(run) == "link prediction":
        return SNAPSHOTS
    if "live" in parts:
        return LIVE
    if document.get("teacher_control", "none") != "none" or all(name in CONTROLS for name in methods):
        return CONTROL
    return None


def places(run: Run, seeds: Sequence[int], runs: Mapping[str, Run]) -> Places:
    """Every row of the table with a place for every seed, of what is there now."""
    from workbench.runs.control_launch import places_of

    return places_of(_plan(run.spec.to_yaml(), tuple(seeds)), runs, run.id)


@st.cache_data(max_entries=24, show_spinner="Looking for the runs of the controls …")
def _plan(spec: str, seeds: tuple[int, ...]) -> Plan:
    from workbench.runs.control_launch import control_specs
    from workbench.spec import Spec

    return control_specs(Spec.from_yaml(spec), seeds)


def seeds_for(run: Run, number: int, used: Sequence[int]) -> list[int]:
    """So many seeds: that of ``run`` first, then those ``used`` already, then the smallest others; in order."""
    wanted = dict.fromkeys([*([] if run.seed is None else [run.seed]), *used, *range(number + len(used) + 1)])
    return sorted(list(wanted)[:number])


def startable(of: Places, again: bool) -> list[Place]:
    return [place for row in of.values() for place in row if place.startable(again)]


def waiting(of: Places) -> int:
    """How many runs cannot be started before the method's run of their seed is finished."""
    return sum(place.spec is None for row in of.values() for place in row)


def going_on(of: Places) -> list[Run]:
    """The runs of every row that are queued or running, each once, the one at work first."""
    alive = {place.run.id: place.run for row in of.values() for place in row if place.run and place.run.status.alive}
    return sorted(alive.values(), key=lambda run: run.status.state != "running")


def state_columns(of: Places) -> dict[str, list[str]]:
    """One row per student, one column per seed: its score where it is finished, else how far it is."""
    seeds = [place.seed for place in next(iter(of.values()))]
    columns = {"student": list(of)}
    for index, seed in enumerate(seeds):
        columns[f"seed {seed}"] = [_cell(row[index]) for row in of.values()]
    return columns


def _cell(place: Place) -> str:
    if place.run is None:
        return "after the method" if place.spec is None else "missing"
    status = place.run.status
    if status.state == "done":
        value = score(place.run.result, "student")
        return f"✓ {percent(value)}" if isinstance(value, int | float) else f"✓ {NONE}"
    if status.state == "running":
        return f"▶ {status.stage} {100 * progress(status):.0f} %"
    return {"queued": "… queued", "failed": "✗ failed", "stopped": "✗ stopped", "lost": "✗ lost"}[status.state]
