"""GLNN: the teacher's probabilities as they are, on all nodes."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy
from workbench.pages.toys.soft_labels import KNOWS, SHARES


def show() -> Picture:
    lam = choose(
        st.select_slider,
        "Weight λ of the labels",
        "mlp-weight",
        SHARES,
        0.0,
        help="The teacher keeps 1 − λ. The published experiments use 0.",
    )
    knows = choose(st.select_slider, "What the student knows", "mlp-knows", SHARES, 0.3, help=KNOWS)
    student = toys.student_logits(knows)
    soft, hard = toys.soft_label_loss(student, toys.teacher_logits()), toys.cross_entropy(student, 0)
    return Picture(
        "all_labels",
        {"lam": lam, "knows": knows},
        {
            "KL to the teacher": (f"{soft:.3f}", "In nats, taken on every node, labelled or not."),
            "Cross-entropy": (f"{hard:.3f}", "In nats, on labelled nodes only; the true class is cat."),
            "Loss": (f"{lam * hard + (1 - lam) * soft:.3f}", "λ · cross-entropy + (1 − λ) · KL."),
        },
        "Bars: class probabilities of teacher and student, and the two weighted terms of the loss.",
        "KD at T = 1 and without a factor. What makes the method is where it is used: the student is an MLP, sees no "
        "edge, and learns from the teacher what the edges told it.",
    )


TOY = Toy("Move λ from 1 to 0: labels say one class and nothing else, the teacher ranks all of them.", show, "mlp-")
