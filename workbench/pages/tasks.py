"""What a run is about, and on which page it can be looked at."""

from __future__ import annotations

from typing import Literal

from workbench.datasets.base import DatasetConfig, Task
from workbench.errors import WorkbenchError
from workbench.pages.frame import link
from workbench.registry import datasets, models
from workbench.runs.folder import Run

Look = Literal["embeddings", "dynamic"]
TITLES = {"embeddings": "Embeddings", "dynamic": "Dynamic graph"}


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


def page_of(run: Run) -> Look:
    """The page that shows a run."""
    return "embeddings" if task_of(run) == "node classification" else "dynamic"


def look(run: Run, short: bool = False) -> None:
    """A link to the page that shows a run."""
    page = page_of(run)
    link(page, TITLES[page] if short else f"Look at the {TITLES[page].lower()}", run=run.id)
