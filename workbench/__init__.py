"""Distil a large graph neural network into a small one, and see what the student learned, lost and why.

::

    import workbench as wb

    run = wb.distill("cora", teacher="gat", student="gcn", method="gcrd", seed=0)
    run.result["student"]["metrics"]["test"]["accuracy"]
    wb.plots.embeddings(run)

Everything here is imported when it is first used, so ``import workbench`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench import datasets, methods, models, plots
    from workbench.datasets import load_dataset
    from workbench.errors import RunError, UsageError, WorkbenchError
    from workbench.models import wrap
    from workbench.runs.api import distill
    from workbench.runs.controls import controls
    from workbench.runs.folder import Run
    from workbench.runs.launch import launch
    from workbench.runs.paper_table import table
    from workbench.runs.search import search
    from workbench.runs.side import Side
    from workbench.runs.store import find_run, list_runs
    from workbench.spec import Spec

    __version__: str

__all__ = [
    "Run",
    "RunError",
    "Side",
    "Spec",
    "UsageError",
    "WorkbenchError",
    "__version__",
    "controls",
    "datasets",
    "distill",
    "find_run",
    "launch",
    "list_runs",
    "load_dataset",
    "methods",
    "models",
    "plots",
    "search",
    "table",
    "wrap",
]

_ROOMS = ("datasets", "methods", "models", "plots")
_HOME = {
    "Run": "workbench.runs.folder",
    "RunError": "workbench.errors",
    "Side": "workbench.runs.side",
    "Spec": "workbench.spec",
    "UsageError": "workbench.errors",
    "WorkbenchError": "workbench.errors",
    "controls": "workbench.runs.controls",
    "distill": "workbench.runs.api",
    "find_run": "workbench.runs.store",
    "launch": "workbench.runs.launch",
    "list_runs": "workbench.runs.store",
    "load_dataset": "workbench.datasets",
    "search": "workbench.runs.search",
    "table": "workbench.runs.paper_table",
    "wrap": "workbench.models",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("gnn-distillation-workbench")
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
