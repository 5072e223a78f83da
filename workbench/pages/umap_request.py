"""Which projection can be drawn of two sides, and a button for what has to be computed first."""

from __future__ import annotations

from pathlib import Path

import psutil
import streamlit as st

from workbench.pages import class_mode
from workbench.pages.frame import is_example, link
from workbench.pages.wording import plain
from workbench.plots.embedding_arrays import Projection, can_have_umap
from workbench.runs.folder import Run
from workbench.runs.recorder import UMAP_OF
from workbench.runs.side import Side

FAILED = "the UMAP could not be computed"  # how the worker's warning begins


def available(projection: Projection, left: Side, right: Side) -> Projection:
    """``projection``, or PCA where the two sides have no UMAP in common, which is said."""
    if projection == "pca" or ("umap" in left.run.array_names() and can_have_umap(left, right)):
        return projection
    if not can_have_umap(left, right):
        st.info(
            "A UMAP is made of the teacher and the student of one run, both at their best epoch. This is the PCA.",
            icon=":material/info:",
        )
    return "pca"


def ask_for_umap(left: Side, right: Side) -> None:
    """Offer to compute a UMAP that is missing, or show how far it is; for the page, outside of its film."""
    run = left.run
    if "umap" in run.array_names() or left.run.path != right.run.path or left.epoch is not None:
        return
    if is_at_work(run):
        st.fragment(_wait, run_every=1.0)(run.path)
        return
    with st.container(border=True):
        st.markdown("This run has no UMAP yet. It takes seconds to minutes, once; below is the PCA.")
        if failed := [warning for warning in run.status.warnings if warning.startswith(FAILED)]:
            st.warning(plain(failed[-1]), icon=":material/warning:")
        if is_example(run):
            st.markdown("It is an example that came with the workbench: distil it yourself with *UMAP* ticked.")
            link("distil", "Change it", copy=run.id)
        elif not class_mode.hidden("launch", "Computing a UMAP") and st.button(
            "Compute the UMAP now", type="primary", key="compute-umap"
        ):
            from workbench.runs.launch import start_worker

            start_worker(run, "umap")
            st.rerun()


def is_at_work(run: Run) -> bool:
    """Whether this server's worker is computing the UMAP of ``run``."""
    for process in psutil.Process().children():
        try:
            if process.cmdline()[-2:] == [str(run.path), "umap"]:
                return process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:  # it ended in between
            continue
    return False


def _wait(path: Path) -> None:
    run = Run(path)
    if not is_at_work(run):
        st.rerun()  # the page shows it, or says why there is none
    st.markdown(":material/hourglass_top: The UMAP is being computed; it appears here when it is ready.")
    at, _, which = (run.log().strip().splitlines() or [""])[-1].partition(f" {UMAP_OF} ")
    st.progress(
        0.5 if which.startswith("student") else 0.05, text=plain(f"{which}, since {at}" if which else "starting")
    )
