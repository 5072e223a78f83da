"""FitNet: projected features at length one."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

DEGREES = list(range(0, 181, 5))
LENGTHS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]


def show() -> Picture:
    degrees = choose(
        st.select_slider,
        "The student is turned by (degrees)",
        "hint-turn",
        DEGREES,
        30,
        help="All of its features, about the origin.",
    )
    length = choose(
        st.select_slider, "Length of its features", "hint-length", LENGTHS, 1.0, help="Times that of its teacher's."
    )
    teacher = toys.hint_features()
    loss = toys.hint_loss(toys.turned(teacher, degrees, length), teacher)
    return Picture(
        "hints",
        {"degrees": degrees, "length": length},
        {"Loss": (f"{loss:.3f}", "Mean over nodes and dimensions of the squared gaps on the right.")},
        "Six nodes of teacher and student in the plane, as they are and moved onto the circle of length one.",
        "In two dimensions a turn by θ costs 1 − cos θ. Training can undo a turn: a trained projector stands before "
        "each side.",
    )


TOY = Toy(
    "Change the length: the loss does not move, for rows are scaled to one. Turn the student: it does.", show, "hint-"
)
