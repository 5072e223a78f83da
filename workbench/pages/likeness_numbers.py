"""How alike two embeddings are, in five numbers and one line on each."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages.frame import note
from workbench.pages.wording import NONE, percent
from workbench.plots.embedding_arrays import Likeness


def likeness_numbers(
    found: Likeness, overlap: NDArray[np.float32] | None, disparity: float, who: tuple[str, str], picture: str
) -> None:
    """Five metrics side by side. ``overlap`` (m,) is None where it was not computed; ``picture`` as in "PCA in 2-D"."""
    st.subheader("How alike are they?")
    share = None if overlap is None else float(overlap.mean())
    numbers = {
        "Linear CKA": (_short(found.cka), "1: equal up to rotation and scale. 0: nothing in common."),
        "Global structure (r)": (
            _short(found.global_correlation),
            "1: pairs of nodes that are far apart on one side are far apart on the other. 0: unrelated.",
        ),
        "Local structure (r)": (
            _short(found.local_correlation),
            "The same over linked nodes only: 1 where the same links are short, and the same ones long.",
        ),
        "Common neighbours": (
            percent(share),
            f"Of a node's 10 nearest of the {who[0]} side, the share among the 10 of the {who[1]} side.",
        ),
        "Procrustes disparity": (
            _short(disparity),
            f"What the best fit of the {picture} leaves over. 0: the same picture. 1: unrelated.",
        ),
    }
    for cell, (label, (value, reading)) in zip(st.columns(len(numbers)), numbers.items(), strict=True):
        with cell:
            st.metric(label, value)
            note(reading)
    note(_what_was_compared(found))


def _short(number: float) -> str:
    """Two digits, no minus before a zero; "–" for what is not defined."""
    return f"{round(number, 2) + 0.0:.2f}" if math.isfinite(number) else NONE


def _what_was_compared(found: Likeness) -> str:
    whose = f"the {found.nodes:,} validation nodes" if found.validation else f"all {found.nodes:,} nodes"
    edges = "the run did not store its links" if found.edges is None else f"{found.edges:,} directed links among them"
    return (
        f"The first three are of {whose} that are drawn, with features of length one, as in the paper of G-CRD "
        f"(local structure: {edges}); r is Pearson's correlation of cosine distances. The other two are of every node "
        "that is drawn. “–” stands for what is not defined (all distances equal, or fewer than three links) or was not "
        "compared."
    )
