"""Attention transfer: how active every node is, beside all the others."""

from __future__ import annotations

from typing import Literal, cast

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

FACTORS = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0]


def show() -> Picture:
    factor = choose(
        st.select_slider,
        "Student's activation of node D, times",
        "excite-factor",
        FACTORS,
        1.0,
        help="Its two features are multiplied by this.",
    )
    p = cast(
        Literal[1, 2],
        choose(
            st.segmented_control,
            "Power p",
            "excite-power",
            [2, 1],
            required=True,
            help="2 as in the G-CRD code, 1 as in the LSP paper.",
        ),
    )
    teacher, student = toys.excited_nodes(factor)
    loss = toys.attention_loss(student, teacher, p)
    return Picture(
        "activations",
        {"factor": factor, "p": p},
        {"Loss": (f"{loss:.4f}", "Mean over nodes of the squared gaps on the right.")},
        "Bars of teacher and student for six nodes: their activation, and the same scaled to length one over nodes.",
        "The vector of all nodes has length one, so the loss shrinks with their number: the usual weight is large.",
    )


TOY = Toy(
    "Excite D: on the right its bar grows and **all others shrink**. One loud node hides what the rest says, more so "
    "with p = 2.",
    show,
    "excite-",
)
