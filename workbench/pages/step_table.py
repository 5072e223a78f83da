"""AUC of every online step as a table, over the seeds of a run, and as a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from workbench.pages import class_mode, shown
from workbench.pages.frame import explained, note
from workbench.pages.shown import Columns, as_csv
from workbench.plots.evolution_arrays import NAMES, metrics_of
from workbench.plots.evolution_auc import Score, auc_over_steps, scores
from workbench.runs.folder import Run

METRICS = ("auc", "average_precision", "dot_auc", "known_auc")


def step_table(run: Run, seeds: Sequence[Run]) -> None:
    """Means over ``seeds``, finished runs of the same spec, one per seed, this one among them where it was
    measured."""
    with explained():
        runs = list(seeds) or [run]
        st.subheader("Step by step")
        if len(runs) > 1:
            alt = "A line plot of the mean AUC over seeds of teacher, student and baselines, with standard deviations."
            shown.figure(auc_over_steps(runs), f"{run.id}-seeds", f"seeds-{run.id}", alt)
            note(f"AUC, mean ± std over the {len(runs)} seeds of this spec that are finished.")
        shown.table(_columns(scores(runs), runs), f"{run.id}-steps", f"steps-{run.id}", height="content")
        if not class_mode.hidden("downloads"):
            shown.download("Every metric of every step as CSV", lambda: as_csv(_long_table(runs)), f"{run.id}-all.csv")


def _columns(found: Sequence[Score], runs: Sequence[Run]) -> dict[str, list[object]]:
    """One row per step, one column per predictor: the mean, and over several seeds the standard deviation.

    A step that could not be judged has empty cells.
    """
    steps = sorted({(step, predicts) for run in runs for step, predicts, _ in metrics_of(run)})
    written = {(score.step, score.who): _mean_and_std(score) for score in found}
    columns: dict[str, list[object]] = {"step": [step for step, _ in steps], "predicts": [to for _, to in steps]}
    for who in dict.fromkeys(score.who for score in found):
        columns[NAMES[who]] = [written.get((step, who)) for step, _ in steps]
    return columns


def _mean_and_std(score: Score) -> str:
    return f"{score.over.mean:.3f}" + ("" if score.over.std is None else f" ± {score.over.std:.3f}")


def _long_table(runs: Sequence[Run]) -> Columns:
    """One row per run, step and predictor."""
    rows = [
        (run.id, -1 if run.seed is None else run.seed, step, predicts, who, *(of.get(m) for m in METRICS))
        for run in runs
        for step, predicts, metrics in metrics_of(run)
        for who, of in metrics.items()
    ]
    names = ("run", "seed", "step", "predicts", "who", *METRICS)
    return {name: np.asarray(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
