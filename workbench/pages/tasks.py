"""What a run is about, and on which page it can be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from workbench.datasets.base import USUAL_HOLDS, DatasetConfig, Holds, Task, held_by
from workbench.errors import WorkbenchError
from workbench.pages.frame import link
from workbench.registry import datasets, models
from workbench.runs.folder import Run

Look = Literal["embeddings", "dynamic", "compare"]
TITLES: Mapping[Look, str] = {"embeddings": "Embeddings", "dynamic": "Dynamic graph", "compare": "Compare"}
PAGES: Mapping[Holds, Look] = {  # of many graphs there is no page of their own: their numbers are compared
    "graph": "embeddings",
    "hetero": "embeddings",  # of its target nodes
    "graphs": "compare",
    "clouds": "dynamic",
    "snapshots": "dynamic",
}


def task_of(run: Run) -> Task:
    """The task of the run's dataset, or of its student where the data are live objects.

    That of a graph where it cannot be told: both are live, or the spec is damaged.
    """
    try:
        name, student = run.document["dataset"]["name"], run.document["student"]["name"]
    except (WorkbenchError, KeyError, TypeError):
        return "node classification"
    if name in datasets:
        config: type[DatasetConfig] = datasets[name]
        return config.card.task
    if student in models:
        task: Task = models[student].task
        return task
    return "node classification"


def held_of(run: Run) -> Holds:
    """What the run's dataset holds: of live objects what is usual for the task, unless their class says more."""
    try:
        name = run.document["dataset"]["name"]
    except (WorkbenchError, KeyError, TypeError):
        name = None
    if isinstance(name, str) and name in datasets:
        return held_by(datasets[name])
    facts = (run.result or {}).get("dataset", {})
    if facts.get("graphs") is not None:
        return "graphs"
    if facts.get("node_types") is not None:
        return "hetero"
    return USUAL_HOLDS[task_of(run)]


def page_of(run: Run) -> Look:
    """The page that shows a run."""
    return PAGES[held_of(run)]


def look(run: Run, short: bool = False) -> None:
    """A link to the page that shows a run."""
    page = page_of(run)
    long = "Compare it with other runs" if page == "compare" else f"Look at the {TITLES[page].lower()}"
    link(page, TITLES[page] if short else long, run=run.id)
