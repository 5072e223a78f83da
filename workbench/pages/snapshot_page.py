"""Dynamic graph, for a run on snapshots: links over time, and what teacher and student make of them, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.errors import UsageError, WorkbenchError
from workbench.pages import class_mode
from workbench.pages.frame import as_code, choose, explained, note, title
from workbench.pages.player import film, time_slider
from workbench.pages.snapshot_figures import DRAWN
from workbench.pages.snippets import view_as_python
from workbench.pages.step_table import step_table
from workbench.pages.wording import NONE, plain
from workbench.plots.evolution_arrays import NAMES, metrics_of, online_steps, step_metrics
from workbench.runs.folder import Run
from workbench.runs.measured import without_seed
from workbench.runs.side import fingerprint_of

NOBODY = "none"  # in the right slot
IMPORT = "import workbench as wb\n"
ASKED = {  # figures of chosen nodes: label, name in the address, what to write
    "embeddings": ("Nodes to follow", "follow", "Numbers, as 3, 14; empty: those that drift most."),
    "attention": ("Node", "node", "One number; empty: the mean of all nodes."),
}
FIGURES = {
    "graph": "Graph",
    "embeddings": "Embeddings",
    "scores": "Link scores",
    "attention": "Temporal attention",
}


def pick_right(run: Run, runs: Sequence[Run]) -> Run | None:
    """The right slot: a finished run on the same snapshots, or nobody."""
    of = fingerprint_of(run)
    found = {other.id: other for other in runs if other.id != run.id and of == fingerprint_of(other) is not None}
    names = {NOBODY: "– nobody –"} | {id: f"{title(other)} ({id[-12:]})" for id, other in found.items()}
    help = "The same figures of another run on the same snapshots, below those of the left one."
    chosen = choose(st.selectbox, "Right", "right-run", list(names), NOBODY, format_func=names.__getitem__, help=help)
    return found.get(chosen)


def show(run: Run, beside: Run | None, runs: Sequence[Run]) -> None:
    """One figure of finished runs with its film, and the steps as a table over those of ``runs`` with other seeds."""
    how: dict[str, Any] = {"format_func": FIGURES.__getitem__, "required": True, "help": "What is drawn of each step."}
    figure = choose(st.segmented_control, "Figure", "figure", list(FIGURES), **how)
    film(_at_step)(run.path, beside.path if beside else None, figure)
    step_table(run, _seeds(run, runs))


def _at_step(path: Path, beside: Path | None, figure: str) -> None:
    """Everything that changes with the step: the numbers, the figure, and how to get it in Python."""
    run = Run(path)
    with explained():
        steps = online_steps(run)
        if not steps:
            st.rerun()  # the run has gone: the page says so
        step = time_slider("Online step", steps, lambda at: f"snapshot {at} → {at + 1}")
        nodes = _chosen_nodes(*ASKED[figure]) if figure in ASKED else None
        code = _one_run(run, figure, step, nodes)
        if beside is not None:
            st.divider()
            st.subheader(f"Right: {plain(title(Run(beside)))}")
            with explained():
                code += "\n" + _one_run(Run(beside), figure, step, nodes).removeprefix(IMPORT)
        as_code(code, f"workbench show {run.id}")


def _one_run(run: Run, figure: str, step: int, nodes: list[int] | None) -> str:
    """Numbers and figure of a run at a step; returns the Python that draws the figure."""
    metrics = step_metrics(run, step)
    _numbers(metrics)
    if metrics and all(of.get("auc") is None for of in metrics.values()):
        note(f"Too few links of snapshot {step + 1} to predict, or pairs without one, for a test: no AUC here.")
    view, choices = DRAWN[figure](run, step, nodes)
    return view_as_python(run.id, view, step=step, **choices)


def _numbers(metrics: Mapping[str, Mapping[str, float | None]]) -> None:
    cells = st.columns(4)
    auc = {who: metrics.get(who, {}).get("auc") for who in NAMES}
    for cell, who in zip(cells, ("teacher", "student", "plain"), strict=False):
        value, alone = auc[who], auc["plain"]
        gain = None
        if who == "student" and value is not None and alone is not None:
            gain = f"{round(value - alone, 3) + 0.0:+.3f} by distilling"  # no minus before a zero
        cell.metric(f"AUC, {NAMES[who]}", NONE if value is None else f"{value:.3f}", gain)
    learned = ("teacher", "student", "plain")
    others = ((auc[who], name) for who, name in NAMES.items() if who not in learned)
    best, whose = max(((value, name) for value, name in others if value is not None), default=(None, None))
    cells[3].metric(
        "AUC, best without learning",
        NONE if best is None else f"{best:.3f}",
        whose,
        delta_color="off",
        delta_arrow="off",
        help="Common neighbours, Adamic–Adar, the product of degrees, and remembering the links of the last snapshot.",
    )


def _chosen_nodes(label: str, name: str, help: str) -> list[int] | None:
    """Node numbers that a person typed, kept in the address as ``name``; None for an empty field."""
    text = st.query_params.get(name, "")
    if not class_mode.hidden(name, label):
        text = st.text_input(label, text, key=f"field-{name}", placeholder=help, width=420, help=help)
    if text:
        st.query_params[name] = text
    else:
        st.query_params.pop(name, None)
    try:
        return [int(word) for word in text.replace(",", " ").split()] or None
    except ValueError:
        raise UsageError(f"{text!r} are no node numbers: write them as 3, 14") from None


def _seeds(run: Run, runs: Sequence[Run]) -> list[Run]:
    """One finished run of the same spec per seed that was measured: the shown one, of other seeds the newest."""
    found: dict[int | None, Run] = {}
    for other in (run, *runs):
        if _same_but_seed(run, other) and metrics_of(other):
            found.setdefault(other.seed, other)
    return list(found.values())


def _same_but_seed(run: Run, other: Run) -> bool:
    try:
        same = other.status.state == "done" and without_seed(run.document) == without_seed(other.document)
        return same and fingerprint_of(run) == fingerprint_of(other)  # a file of one's own may have changed
    except WorkbenchError:
        return False
