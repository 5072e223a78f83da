"""GSP: similarity of all pairs of nodes."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

NOISES = [round(0.1 * step, 1) for step in range(31)]


def show() -> Picture:
    noise = choose(
        st.select_slider,
        "Noise of the student",
        "global-noise",
        NOISES,
        0.3,
        help="What is added to its three features, a projection of its teacher's five.",
    )
    kernel = choose(st.selectbox, "Kernel", "global-kernel", list(toys.PAIR_KERNELS), help="How similar two nodes are.")
    teacher, student = toys.groups(noise)
    gaps = toys.similarity_matrix(student, kernel) - toys.similarity_matrix(teacher, kernel)
    numbers = {"Loss": (f"{(gaps**2).mean():.4f}", "The mean of the last panel over all n² pairs.")}
    if kernel == "cosine":
        shown = f"{toys.gram_identity(student, teacher):.4f}"
        numbers["Without the matrices"] = (shown, "(‖SᵀS‖² − 2‖SᵀT‖² + ‖TᵀT‖²) / n²: d × d numbers instead of n × n.")
    return Picture(
        "all_pairs",
        {"noise": noise, "kernel": kernel},
        numbers,
        "Heat maps of the similarity of nine nodes in teacher and student, and of the squared difference.",
        "Three groups of three nodes. Widths may differ, five here and three: only similarities are compared. For the "
        "cosine, the loss needs no matrix of all pairs, so no node has to be left out.",
    )


TOY = Toy(
    "Add noise and watch the student's three blocks dissolve. Then take **l2**: now lengths count too, and the loss "
    "has no upper bound.",
    show,
    "global-",
)
