"""Dynamic graph, for a run on snapshots: links over time, and what teacher and student make of them, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.errors import UsageError, WorkbenchError
from workbench.pages.frame import as_code, choose, explained
from workbench.pages.player import film, time_slider
from workbench.pages.snippets import view_as_python
from workbench.pages.step_table import step_table
from workbench.pages.wording import NONE
from workbench.plots.evolution_arrays import NAMES, online_steps, predicts_all, step_metrics, was_judged
from workbench.runs.folder import Run

FIGURES = {
    "graph": "Graph",
    "embeddings": "Embeddings",
    "scores": "Link scores",
    "attention": "Temporal attention",
}


def pick_figure() -> str:
    return choose(
        st.segmented_control, "Figure", "figure", list(FIGURES), format_func=FIGURES.__getitem__, required=True
    )


def show(run: Run, figure: str, runs: Sequence[Run]) -> None:
    """One figure of a finished run with its film, and its steps as a table over those of ``runs`` with other seeds."""
    film(_at_step)(run.path, figure)
    step_table(run, [other for other in runs if _same_but_seed(run, other)])


def _at_step(path: Path, figure: str) -> None:
    """Everything that changes with the step: the numbers, the figure, and how to get it in Python."""
    run = Run(path)
    with explained():
        steps = online_steps(run)
        if not steps:
            st.rerun()  # the run has gone: the page says so
        step = time_slider("Online step", steps, lambda at: f"snapshot {at} → {at + 1}")
        metrics = step_metrics(run, step)
        _numbers(metrics)
        if metrics and all((of or {}).get("auc") is None for of in metrics.values()):
            st.caption(
                f"Too few links of snapshot {step + 1} to predict, or pairs without one, for a test: no AUC here."
            )
        draw = {"graph": _graph, "embeddings": _embeddings, "scores": _scores, "attention": _attention}[figure]
        view, choices = draw(run, step)
        as_code(view_as_python(run.id, view, step=step, **choices), f"workbench show {run.id}")


def _numbers(metrics: Mapping[str, Mapping[str, Any]]) -> None:
    cells = st.columns(4)
    auc: dict[str, float | None] = {who: (metrics.get(who) or {}).get("auc") for who in NAMES}
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


View = tuple[str, dict[str, Any]]  # its name and what was chosen, for copying


def _graph(run: Run, step: int) -> View:
    from workbench.pages import evolution_arrays
    from workbench.plots import evolution_auc, evolution_graph

    left, right = st.columns([3, 2])
    alt = "The graph of this snapshot; links are coloured by whether they were born, kept or have died."
    left.plotly_chart(evolution_graph.draw(evolution_arrays.evolution(run), step), key=f"graph-{run.id}", alt=alt)
    with right, explained():
        alt = "A line plot of the AUC of teacher, student and baselines over the predicted snapshots."
        scores, what = evolution_auc.scores([run]), evolution_auc.what_is_predicted([run])
        st.plotly_chart(evolution_auc.draw(scores, step=step, what=what), key=f"auc-{run.id}", alt=alt)
    asked = f"links snapshot {step + 1} has" if predicts_all(run) else f"links of snapshot {step + 1} are new"
    st.caption(
        f"The student is taught with the snapshots up to {step} and asked which {asked}. "
        "Nodes keep their places from snapshot to snapshot but for small moves; a ring marks a node seen for the "
        "first time, and a pale one has no link now."
    )
    return "evolution", {}


def _embeddings(run: Run, step: int) -> View:
    from workbench.pages import evolution_arrays
    from workbench.plots import evolution_embeddings

    nodes = _chosen_nodes("Nodes to follow", "follow", "Numbers, as 3, 14; empty: those that drift most.")
    figure = evolution_embeddings.draw(evolution_arrays.journey(run), step, nodes=nodes)
    alt = "Two scatter plots of the same nodes, the teacher's embedding and the student's, with trails."
    st.plotly_chart(figure, key=f"embeddings-{run.id}", alt=alt)
    st.caption(
        "PCA of each step, turned onto the step before; the teacher is turned onto the student. Trails show where "
        "ringed nodes were in the last steps. The teacher is frozen and knows only the nodes it was trained on."
    )
    return "embeddings_over_time", {"nodes": nodes}


def _scores(run: Run, step: int) -> View:
    from workbench.plots.evolution_scores import link_scores

    if not was_judged(run, step):
        st.info("There are no scores at this step: choose another one.", icon=":material/info:")
        return "link_scores", {}
    alt = "Histograms of the scores of true links and of negatives, for teacher and student, and a scatter plot."
    st.plotly_chart(link_scores(run, step), key=f"scores-{run.id}", alt=alt)
    st.caption(
        f"Test links {'of' if predicts_all(run) else 'that are new in'} snapshot {step + 1}, and as many pairs that "
        "stay unlinked. A node that the teacher does not know counts as zeros in its scores. The less the two areas "
        "overlap, the higher the AUC: the chance that a true link scores higher than a negative. On the diagonal of "
        "the last panel, the student says what its teacher says."
    )
    return "link_scores", {}


def _attention(run: Run, step: int) -> View:
    from workbench.plots.evolution_attention import temporal_attention

    chosen = _chosen_nodes("Node", "node", "One number; empty: the mean of all nodes.")
    if chosen and len(chosen) > 1:
        raise UsageError("temporal attention is that of one node, or the mean of all: write one number, or none")
    node = chosen[0] if chosen else None
    figure = temporal_attention(run, step, node)
    alt = "Two heat maps, teacher and student: how much each snapshot of the window attends to the earlier ones."
    st.plotly_chart(figure, key=f"attention-{run.id}", alt=alt)
    st.caption("How much each snapshot of the window looks at itself and at earlier ones; a row sums to one.")
    return "temporal_attention", {"node": node}


def _chosen_nodes(label: str, name: str, help: str) -> list[int] | None:
    """Node numbers that a person typed, kept in the address as ``name``; None for an empty field."""
    text = st.text_input(label, st.query_params.get(name, ""), key=f"field-{name}", placeholder=help, width=420)
    if text:
        st.query_params[name] = text
    else:
        st.query_params.pop(name, None)
    try:
        return [int(word) for word in text.replace(",", " ").split()] or None
    except ValueError:
        raise UsageError(f"{text!r} are no node numbers: write them as 3, 14") from None


def _same_but_seed(run: Run, other: Run) -> bool:
    def rest(of: Run) -> dict[str, Any]:
        return {key: value for key, value in of.document.items() if key != "seed"}

    try:
        return other.status.state == "done" and rest(run) == rest(other)
    except WorkbenchError:
        return False
