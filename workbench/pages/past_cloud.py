"""Behind the budget dial: what models of which size, or latency, have reached on this dataset so far."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages.shown import figure
from workbench.pages.wording import plain
from workbench.runs.folder import Run
from workbench.runs.past_cost import of_this_machine, on_same_data
from workbench.runs.store import demo_runs
from workbench.spec import Spec

AXES = {"parameters": "parameters", "× smaller": "parameters", "MB": "bytes", "ms": "latency_ms"}


def past_cloud(spec: Spec, unit: str, target: float, runs: Sequence[Run]) -> None:
    """The Pareto cloud of finished ``runs`` and examples on the data of ``spec``, with ``target`` as a line.

    ``target`` is in parameters, bytes or milliseconds, whichever ``unit`` of the dial stands for.
    """
    from workbench.runs.leaderboard import METRICS, leaderboard

    # Milliseconds of another machine would say nothing here.
    known = [run for run in runs if of_this_machine(run)] if unit == "ms" else [*runs, *demo_runs()]
    alike = [run for run in known if on_same_data(spec, run)]
    try:
        entries = leaderboard(alike).entries
        if not entries:
            st.caption("No run on this dataset is finished yet: there is nothing to hold this budget against.")
            return
        from workbench.plots import pareto

        axis = AXES[unit]
        drawn = pareto.draw(pareto.points(entries, axis), axis, METRICS[entries[0].metric], target)  # type: ignore[arg-type]
    except WorkbenchError as error:
        st.caption(plain(error))
        return
    figure(
        drawn,
        "past-runs",
        "past-runs",
        "A scatter plot of finished runs on this dataset: test score against the cost of the model, with the budget.",
        "Finished runs on this dataset, seeds together. The dotted steps are the Pareto front: what can be had for a "
        "cost. The dashed line is your budget.",
    )
