"""The figures of a run on snapshots at one step. Each returns the view's name and what was chosen, for copying."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.errors import UsageError
from workbench.pages import shown
from workbench.pages.frame import explained, note
from workbench.plots.evolution_arrays import predicts_all, was_judged
from workbench.runs.folder import Run

View = tuple[str, dict[str, Any]]  # its name and what was chosen, for copying


def graph(run: Run, step: int, nodes: list[int] | None) -> View:
    from workbench.pages import evolution_arrays
    from workbench.plots import evolution_auc, evolution_graph

    left, right = st.columns([3, 2])
    alt = "The graph of this snapshot; links are coloured by whether they were born, kept or have died."
    with left:
        figure = evolution_graph.draw(evolution_arrays.evolution(run), step)
        shown.figure(figure, f"{run.id}-graph-{step}", f"graph-{run.id}", alt)
    with right, explained():
        alt = "A line plot of the AUC of teacher, student and baselines over the predicted snapshots."
        found, what = evolution_auc.scores([run]), evolution_auc.what_is_predicted([run])
        shown.figure(evolution_auc.draw(found, step=step, what=what), f"{run.id}-auc", f"auc-{run.id}", alt)
    asked = f"links snapshot {step + 1} has" if predicts_all(run) else f"links of snapshot {step + 1} are new"
    note(
        f"The student is taught with the snapshots up to {step} and asked which {asked}. "
        "Nodes keep their places from snapshot to snapshot but for small moves; a ring marks a node seen for the "
        "first time, and a pale one has no link now."
    )
    return "evolution", {}


def embeddings(run: Run, step: int, nodes: list[int] | None) -> View:
    from workbench.pages import evolution_arrays
    from workbench.plots import evolution_embeddings

    figure = evolution_embeddings.draw(evolution_arrays.journey(run), step, nodes=nodes)
    alt = "Two scatter plots of the same nodes, the teacher's embedding and the student's, with trails."
    shown.figure(figure, f"{run.id}-embeddings-{step}", f"embeddings-{run.id}", alt)
    note(
        "PCA of each step, turned onto the step before; the teacher is turned onto the student. Trails show where "
        "ringed nodes were in the last steps. The teacher is frozen and knows only the nodes it was trained on."
    )
    return "embeddings_over_time", {"nodes": nodes}


def scores(run: Run, step: int, nodes: list[int] | None) -> View:
    from workbench.plots.evolution_scores import link_scores

    if not was_judged(run, step):
        st.info("There are no scores at this step: choose another one.", icon=":material/info:")
        return "link_scores", {}
    alt = "Histograms of the scores of true links and of negatives, for teacher and student, and a scatter plot."
    shown.figure(link_scores(run, step), f"{run.id}-scores-{step}", f"scores-{run.id}", alt)
    note(
        f"Test links {'of' if predicts_all(run) else 'that are new in'} snapshot {step + 1}, and as many pairs that "
        "stay unlinked. A node that the teacher does not know counts as zeros in its scores. The less the two areas "
        "overlap, the higher the AUC: the chance that a true link scores higher than a negative. On the diagonal of "
        "the last panel, the student says what its teacher says."
    )
    return "link_scores", {}


def attention(run: Run, step: int, nodes: list[int] | None) -> View:
    from workbench.plots.evolution_attention import temporal_attention

    if nodes and len(nodes) > 1:
        raise UsageError("temporal attention is that of one node, or the mean of all: write one number, or none")
    node = nodes[0] if nodes else None
    figure = temporal_attention(run, step, node)
    alt = "Two heat maps, teacher and student: how much each snapshot of the window attends to the earlier ones."
    shown.figure(figure, f"{run.id}-attention-{step}", f"attention-{run.id}", alt)
    note("How much each snapshot of the window looks at itself and at earlier ones; a row sums to one.")
    return "temporal_attention", {"node": node}


DRAWN = {"graph": graph, "embeddings": embeddings, "scores": scores, "attention": attention}
